"""Progress and cancelling, as a node meets them."""

from __future__ import annotations

import threading

import pytest

from nodeflow import Cancelled, Progress, check_cancelled
from nodeflow.progress import working


def test_a_cancelled_run_stops_the_node_at_its_next_step():
    asked = []
    progress = Progress(cancelled=lambda: len(asked) > 1)
    progress(0, 2)
    asked += [1, 2]
    with pytest.raises(Cancelled):
        progress(1, 2)


def test_where_nothing_runs_nothing_is_cancelled():
    check_cancelled()


def test_the_depths_of_a_library_learn_of_the_run_that_they_work_for():
    with working(lambda: True), pytest.raises(Cancelled):
        check_cancelled()
    check_cancelled()
    with working(lambda: True):
        with working(lambda: False):
            check_cancelled()
        with pytest.raises(Cancelled):
            check_cancelled()


def test_other_threads_work_for_other_runs():
    found = []

    def elsewhere():
        check_cancelled()
        found.append("went on")

    with working(lambda: True):
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert found == ["went on"]
