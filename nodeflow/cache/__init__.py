"""Where values stay: in memory while the process lives, on disk for the next one."""
