"""Findings to people: lifecycle, routing, dispatch, channels."""
