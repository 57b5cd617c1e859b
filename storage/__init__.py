"""Adapters of the ports: readings in DuckDB or InfluxDB, records in SQLite or PostgreSQL."""
