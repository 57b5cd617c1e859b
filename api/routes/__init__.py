"""HTTP in, an act or a question, HTTP out: the routes of /api/v1 and of the process itself."""
