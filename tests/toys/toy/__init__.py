"""Nodes of every shape, for the tests of documents; none of them is ever run."""
