"""Runs: what is needed, who computes it, and where what was made is kept."""
