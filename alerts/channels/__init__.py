"""Ways out for alerts: each channel is one method that tells whether the message went out."""
