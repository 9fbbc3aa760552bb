"""Models: which files there are, and what of them sits in memory."""
