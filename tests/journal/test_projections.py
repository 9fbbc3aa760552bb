from __future__ import annotations

import json
import logging

import pytest

from nodeflow.events import NodeFailed, NodeFinished, NodeLog, NodeStarted, RunStarted
from nodeflow.job_events import (
    JobFinished,
    JobMoved,
    JobQueued,
    JobStarted,
    QueueChanged,
    WorkerChanged,
)
from nodeflow.journal.journal import Journal
from nodeflow.journal.records import NodeRecord
from tests.journal.conftest import OpenJournal
from tests.journal.journal_tools import (
    Clock,
    finish,
    finished,
    picture,
    start,
    started,
    submit,
)


def test_an_event_is_one_json_object_with_number_and_time_in_front(
    journal: Journal, clock: Clock
) -> None:
    submit(journal, "a")
    clock.now += 0.25
    journal.append([NodeLog("a", "n/1", "wörd \ud800")]).result()

    queued, log = journal.events_after(0)
    assert queued.text.startswith('{"seq":1,"time":1700000000.0,"event":"job_queued","job":"a",')
    body = json.loads(log.text)
    assert body == {
        "seq": 2,
        "time": 1_700_000_000.25,
        "event": "node_log",
        "job": "a",
        "node": "n/1",
        "text": "wörd \ud800",
    }
    assert (log.seq, log.time, log.event, log.job) == (2, body["time"], "node_log", "a")


def test_numbers_that_json_does_not_have_become_null(journal: Journal) -> None:
    submit(journal, "a")
    event = JobFinished("a", "done", 1.0, {"x": {"value": [float("nan"), 1.5]}})
    journal.finish(event).result()

    job = journal.job("a")
    assert job is not None
    assert job.outputs == {"x": {"value": [None, 1.5]}}
    assert json.loads(journal.events_after(1)[0].text)["outputs"] == job.outputs


def test_nobody_gives_an_event_another_number_or_time(journal: Journal, clock: Clock) -> None:
    journal.append([{"event": "x", "seq": 77, "time": 0, "more": 1}]).result()

    (kept,) = journal.events_after(0)
    assert json.loads(kept.text) == {"seq": 1, "time": clock.now, "event": "x", "more": 1}


def test_a_started_job_runs_and_each_start_is_an_attempt(journal: Journal, clock: Clock) -> None:
    submit(journal, "a")
    clock.now += 3
    journal.append([JobStarted("a", "cpu")]).result()
    job = journal.job("a")

    assert job is not None
    assert (job.status, job.started, job.attempts) == ("running", clock.now, 1)

    journal.append([JobQueued("a", "job a", 0, 1.0, reason="died"), JobStarted("a", "cpu", 2)])
    journal.append([JobQueued("a", "job a", 5, 0.5, reason="died")]).result()
    job = journal.job("a")
    assert job is not None
    assert (job.status, job.started, job.attempts) == ("queued", None, 2)
    assert (job.priority, job.position) == (5, 0.5)


def test_a_started_run_says_how_many_nodes_it_asks_for_until_it_begins_anew(
    journal: Journal,
) -> None:
    submit(journal, "a")
    journal.append([JobStarted("a", "cpu"), RunStarted("a", "job a", 7)]).result()
    assert journal.job("a").total == 7  # type: ignore[union-attr]  # it is there

    journal.append([JobQueued("a", "job a", 0, 1.0, reason="died")]).result()
    assert journal.job("a").total == 0  # type: ignore[union-attr]  # it is there


def test_a_finished_job_has_all_that_its_last_event_says(
    open_journal: OpenJournal, clock: Clock
) -> None:
    journal = open_journal()
    submit(journal, "a")
    start(journal, "a")
    clock.now += 4
    files = {"n": [{"digest": "f1", "name": "x.png"}]}
    event = JobFinished("a", "failed", 3.5, {"o": {"value": 1}}, files, {"ran": 2}, "It broke.")
    journal.finish(event, results=[picture("a")]).result()
    job = open_journal().job("a")

    assert job is not None
    assert (job.status, job.finished, job.seconds) == ("failed", clock.now, 3.5)
    assert (job.outputs, job.files, job.counts) == ({"o": {"value": 1}}, files, {"ran": 2})
    assert job.problem == "It broke."


def test_a_job_that_is_over_stays_as_it_is(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    submit(journal, "a", webhook="http://localhost/hook")
    finish(journal, "a", "cancelled")
    before, last = journal.job("a"), journal.bounds()[1]
    finish(journal, "a", "done", nodes={"n": ["ran", ""]}, results=[picture("a")])
    with caplog.at_level(logging.WARNING):
        journal.append([JobStarted("a", "cpu"), JobQueued("a", "a", 0, 1.0), started("a", "n")])
        journal.append([finished("unknown", "n")]).result()

    assert journal.job("a") == before
    assert journal.bounds()[1] == last
    assert journal.nodes("a") == {}
    assert journal.result("f1") is None
    assert len(journal.deliveries(1e12)) == 1
    assert [record.getMessage() for record in caplog.records][-1:] == [
        "The event node_finished of job unknown came after its end."
    ]


def test_a_moved_job_has_its_new_place(journal: Journal) -> None:
    submit(journal, "a", "b", "c")
    journal.append([JobMoved("c", 0, 0.5), JobMoved("b", 9, 2.0)]).result()

    assert [job.id for job in journal.unfinished()] == ["b", "c", "a"]


def test_a_running_job_comes_before_those_that_wait(journal: Journal) -> None:
    submit(journal, "a", "b")
    submit(journal, "c", priority=100)
    start(journal, "b")

    assert [job.id for job in journal.unfinished()] == ["b", "c", "a"]


def test_the_queue_is_paused_until_it_goes_on(open_journal: OpenJournal) -> None:
    journal = open_journal()
    assert not journal.paused()
    journal.append([QueueChanged(True)]).result()
    assert open_journal().paused()
    journal = open_journal()
    journal.append([QueueChanged(True), QueueChanged(False)]).result()
    assert not journal.paused()


def test_nodes_are_told_by_events(journal: Journal) -> None:
    submit(journal, "a")
    journal.append([NodeStarted("a", "n", "t", "input 'x' is new")]).result()
    assert journal.nodes("a") == {"n": NodeRecord("running", why="input 'x' is new", files=[])}

    journal.append([NodeFinished("a", "n", "ran", 0.5, key="k1", files=("f1",))]).result()
    journal.append([started("a", "m"), finished("a", "m", why="other", memory=77)]).result()
    journal.append([finished("a", "h", "disk", why="stored", key="k2")]).result()

    assert journal.nodes("a") == {
        "h": NodeRecord("disk", 0.5, why="stored", key="k2", files=[]),
        "m": NodeRecord("ran", 0.5, memory=77, why="other", files=[]),
        "n": NodeRecord("ran", 0.5, why="input 'x' is new", key="k1", files=["f1"]),
    }


@pytest.mark.parametrize("together", [True, False])
def test_a_failed_node_says_why(journal: Journal, together: bool) -> None:
    submit(journal, "a")
    events = [
        started("a", "n", "new"),
        NodeFailed("a", "n", "t", "It broke.", "Traceback ..."),
        finished("a", "n", "failed"),
    ]
    for part in [events] if together else [[event] for event in events]:
        journal.append(part).result()

    assert journal.nodes("a") == {
        "n": NodeRecord(
            "failed", 0.5, why="new", files=[], sentence="It broke.", trace="Traceback ..."
        )
    }


@pytest.mark.parametrize("together", [True, False])
def test_at_the_end_nodes_without_an_event_get_their_outcome(
    journal: Journal, together: bool
) -> None:
    submit(journal, "a")
    told = [
        started("a", "done"),
        finished("a", "done"),
        started("a", "cut", "new"),
        started("a", "lost"),
        NodeFailed("a", "broken", "t", "It broke."),
    ]
    future = journal.append(told)
    if not together:
        future.result()
    nodes = {name: ["skipped", "not needed"] for name in ("done", "idle", "broken")}
    finish(
        journal,
        "a",
        "failed",
        nodes={**nodes, "cut": ["cancelled", ""], "kept": ["disk", "kept on disk", "k9"]},
    )

    found = journal.nodes("a")
    assert {name: (node.outcome, node.why) for name, node in found.items()} == {
        "broken": ("failed", ""),
        "cut": ("cancelled", "new"),
        "done": ("ran", "first run"),
        "idle": ("skipped", "not needed"),
        "kept": ("disk", "kept on disk"),
        "lost": ("cancelled", "first run"),
    }
    assert found["broken"].sentence == "It broke."
    assert (found["kept"].key, found["idle"].key) == ("k9", "")


@pytest.mark.parametrize("together", [True, False])
def test_when_a_job_waits_again_only_its_finished_nodes_stay(
    journal: Journal, together: bool
) -> None:
    submit(journal, "a", "b")
    told = [finished("a", "done"), finished("a", "hit", "disk"), started("a", "cut")]
    told += [finished("a", "broken", "failed"), started("b", "other")]
    future = journal.append(told)
    if not together:
        future.result()
    journal.append([JobQueued("a", "job a", 0, 1.0, reason="The worker died.")]).result()

    assert sorted(journal.nodes("a")) == ["done", "hit"]
    assert sorted(journal.nodes("b")) == ["other"]
    journal.append([started("a", "cut"), finished("a", "cut")]).result()
    assert journal.nodes("a")["cut"].outcome == "ran"


def test_a_result_is_found_by_its_content_the_newest_first(journal: Journal) -> None:
    submit(journal, "a", "b")
    finish(journal, "a", results=[picture("a"), picture("a", "f2", width=None, height=None)])
    finish(journal, "b", results=[picture("b", path="out/later.png")])

    assert journal.result("f1") == picture("b", path="out/later.png")
    assert journal.result("f2") == picture("a", "f2", width=None, height=None)
    assert journal.result("f3") is None


def test_events_about_the_server_have_no_job(journal: Journal) -> None:
    journal.append([WorkerChanged("cpu", "died", "It was killed.")]).result()

    (kept,) = journal.events_after(0)
    assert (kept.event, kept.job) == ("worker_changed", "")
