"""The order in which a worker does what it is told."""

from __future__ import annotations

import threading
import time

import pytest

from nodeflow.worker.inbox import Inbox, Running
from nodeflow.worker.messages import (
    Begin,
    Cancel,
    Free,
    JobEnded,
    Message,
    ReadPacks,
    Ready,
    Recall,
    Stop,
    Watch,
)


@pytest.fixture
def answers() -> list[Message]:
    return []


@pytest.fixture
def inbox(answers: list[Message]) -> Inbox:
    return Inbox(answers.append)


def begun(inbox: Inbox) -> Running:
    item = inbox.next()
    assert isinstance(item, Running)
    return item


def test_jobs_come_in_the_order_begun_and_errands_before_them(inbox):
    for message in (Begin("a"), Begin("b"), Free(), ReadPacks()):
        inbox.receive(message)
    assert inbox.next() == Free()
    assert inbox.next() == ReadPacks()
    assert begun(inbox).begin.job == "a"
    assert begun(inbox).begin.job == "b"


def test_a_waiting_job_that_is_cancelled_is_dropped_and_told(inbox, answers):
    for message in (Begin("a"), Begin("b"), Begin("c"), Cancel("b")):
        inbox.receive(message)
    assert answers == [JobEnded("b", "cancelled")]
    assert [begun(inbox).begin.job for _ in range(2)] == ["a", "c"]


def test_the_running_job_is_told_to_end_and_tells_so_itself(inbox, answers):
    inbox.receive(Begin("a"))
    running = begun(inbox)
    inbox.receive(Cancel("b"))
    assert not running.cancel.is_set()
    inbox.receive(Cancel("a"))
    assert running.cancel.is_set()
    assert answers == []


def test_only_a_job_that_waits_is_given_back(inbox, answers):
    inbox.receive(Begin("a"))
    inbox.receive(Begin("b"))
    running = begun(inbox)
    inbox.receive(Recall("a"))
    assert not running.cancel.is_set()
    inbox.receive(Recall("b"))
    inbox.receive(Recall("b"))
    assert answers == [JobEnded("b", "cancelled")]


def test_a_job_that_is_over_cannot_be_cancelled(inbox):
    inbox.receive(Begin("a"))
    inbox.receive(Free())
    assert inbox.next() == Free()
    running = begun(inbox)
    inbox.receive(ReadPacks())
    assert inbox.next() == ReadPacks()
    inbox.receive(Cancel("a"))
    assert not running.cancel.is_set()


def test_a_stop_ends_the_wait_and_what_runs(inbox):
    inbox.receive(Begin("a"))
    inbox.receive(Begin("b"))
    running = begun(inbox)
    inbox.receive(Stop())
    assert running.cancel.is_set()
    assert inbox.next() is None
    assert inbox.next() is None


def test_a_stop_wakes_who_waits(inbox):
    timer = threading.Timer(0.1, inbox.stop)
    timer.start()
    asked = time.monotonic()
    assert inbox.next() is None
    assert time.monotonic() - asked < 2
    timer.join()


def test_whether_anybody_watches_is_what_was_said_last(inbox):
    assert not inbox.watched()
    inbox.receive(Begin("a", watched=True))
    assert inbox.watched()
    inbox.receive(Watch(False))
    assert not inbox.watched()


def test_a_message_of_a_worker_is_none_to_a_worker(inbox):
    with pytest.raises(ValueError, match="no use for 'ready'"):
        inbox.receive(Ready(1))
