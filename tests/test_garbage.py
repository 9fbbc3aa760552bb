"""The collector rests while plans are made, and is as before afterwards."""

from __future__ import annotations

import gc

import pytest

from nodeflow.garbage import frozen, uncollected


def test_nothing_is_collected_meanwhile_and_everything_afterwards():
    with uncollected():
        assert not gc.isenabled()
        with uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError), uncollected():
        raise ZeroDivisionError
    assert gc.isenabled()


def test_what_is_frozen_thaws_even_if_frozen_twice():
    with frozen():
        assert gc.get_freeze_count()
        with frozen():
            pass
        assert gc.get_freeze_count()
    assert not gc.get_freeze_count()
