"""Enlarging pictures, by trained networks and by plain resampling."""
