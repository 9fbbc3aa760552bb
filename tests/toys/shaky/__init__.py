"""A pack whose hook fails in a way that nobody foresaw."""
