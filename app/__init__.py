"""The process: composition root, scheduled jobs, command line."""
