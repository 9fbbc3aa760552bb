"""Nodes that the engine's tests are made of; none of them needs torch."""
