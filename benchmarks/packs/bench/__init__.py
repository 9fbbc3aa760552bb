"""Nodes that benchmarks are made of: they cost nothing, or exactly what they say."""
