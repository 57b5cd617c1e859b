"""Indicators to documents: publication, reports, charts."""
