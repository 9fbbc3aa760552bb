"""Choices, numbers, text and lists: what steers a workflow."""
