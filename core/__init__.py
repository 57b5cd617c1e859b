"""What we talk about: values, units, calendar, the cumulative curve, ports, errors. No I/O."""
