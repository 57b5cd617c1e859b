"""Codecs: the bytes of one payload to a plain tree that profiles map by paths (docs/codecs.md)."""
