"""Command line of Odečet."""
