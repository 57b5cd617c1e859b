"""Tests of Odečet."""
