"""What holds for every test."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes says nothing here: the machine may be training next door.
settings.register_profile("nodeflow", deadline=None)
settings.load_profile("nodeflow")
