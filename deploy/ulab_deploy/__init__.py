"""The `ulab` command: bring a base up, look after it, and try things without one."""
