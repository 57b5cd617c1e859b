"""Profiles in TOML: what an operator writes to have a format read, and the engine that reads by it."""
