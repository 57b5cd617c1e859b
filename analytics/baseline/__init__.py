"""What a point would have used: daily models of temperature and calendar, their savings and intervals that cover."""
