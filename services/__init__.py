"""The acts: register, roll up, answer questions. Each reads ports and writes ports."""
