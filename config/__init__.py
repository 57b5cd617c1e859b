"""What an operator may set: settings, defaults and their files."""
