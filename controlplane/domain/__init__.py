"""Pure values and decisions: no clock, no logging, no I/O; `now` is an argument."""
