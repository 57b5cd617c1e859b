"""What an operator may set: settings with their defaults, and the files of a deployment."""
