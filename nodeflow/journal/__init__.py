"""The journal: jobs, what became of their nodes, and every event, safe on disk."""
