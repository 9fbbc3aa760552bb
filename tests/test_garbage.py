"""The collector rests while plans are made, and is as before afterwards."""

from __future__ import annotations

import gc
import threading
from pathlib import Path

import pytest

from nodeflow.garbage import MANY, Freezer, imported, uncollected


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


def test_modules_are_imported_while_nothing_is_collected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "looks_at_gc.py").write_text("import gc\n\nCOLLECTED = gc.isenabled()\n")
    monkeypatch.syspath_prepend(tmp_path)
    found = imported("looks_at_gc")
    assert found.COLLECTED is False
    assert gc.isenabled()
    assert any(one is vars(found) for one in gc.get_objects(generation=2))
    assert not any(one is vars(found) for one in gc.get_objects(generation=0))
    assert imported("looks_at_gc") is found
    with pytest.raises(ImportError):
        imported("no_such_module_here")
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
