"""Figures of Odečet on this machine: `make bench`."""
