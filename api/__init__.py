"""HTTP in, an act or a question, HTTP out; the web page."""
