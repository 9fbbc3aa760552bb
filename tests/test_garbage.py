"""The collector rests while plans are made, and is as before afterwards."""

from __future__ import annotations

import gc
import threading

import pytest

from nodeflow.garbage import MANY, Freezer, uncollected


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


def test_what_is_frozen_thaws_when_the_last_run_is_over():
    freezer = Freezer()
    frozen, over = threading.Event(), threading.Event()

    def other() -> None:
        with freezer.frozen(MANY):
            frozen.set()
            over.wait(10)

    thread = threading.Thread(target=other)
    with freezer.frozen(MANY):
        thread.start()
        assert frozen.wait(10)
    assert gc.get_freeze_count()
    over.set()
    thread.join()
    assert not gc.get_freeze_count()


def test_what_is_frozen_thaws_after_an_error():
    freezer = Freezer()
    with pytest.raises(ZeroDivisionError), freezer.frozen(MANY):
        raise ZeroDivisionError
    assert not gc.get_freeze_count()


def test_a_few_nodes_freeze_nothing():
    with Freezer().frozen(MANY - 1):
        assert not gc.get_freeze_count()
