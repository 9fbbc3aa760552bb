"""Every event of a server has a golden sample: clients of other versions read them."""

from __future__ import annotations

import json

import pytest

from nodeflow import job_events as told
from nodeflow.events import Event

GOLDEN = [
    (
        told.JobQueued("j1", "Apple", 5, 2.0, "b1", "its worker died"),
        '{"event": "job_queued", "job": "j1", "name": "Apple", "priority": 5, "position": 2.0, '
        '"batch": "b1", "reason": "its worker died"}',
    ),
    (
        told.JobMoved("j1", -1, 0.5),
        '{"event": "job_moved", "job": "j1", "priority": -1, "position": 0.5}',
    ),
    (
        told.JobStarted("j1", "worker", 2),
        '{"event": "job_started", "job": "j1", "worker": "worker", "attempt": 2}',
    ),
    (
        told.JobFinished(
            "j1",
            "failed",
            1.5,
            {"n": {"value": 3}},
            {"save": [{"digest": "d1", "name": "a.png"}]},
            {"ran": 2},
            "Node 'a' failed",
        ),
        '{"event": "job_finished", "job": "j1", "status": "failed", "seconds": 1.5, "outputs": '
        '{"n": {"value": 3}}, "files": {"save": [{"digest": "d1", "name": "a.png"}]}, "counts": '
        '{"ran": 2}, "problem": "Node \'a\' failed"}',
    ),
    (told.JobRemoved("j1"), '{"event": "job_removed", "job": "j1"}'),
    (told.QueueChanged(True), '{"event": "queue_changed", "paused": true}'),
    (
        told.WorkerChanged("worker", "died", "It was killed."),
        '{"event": "worker_changed", "worker": "worker", "state": "died", '
        '"sentence": "It was killed."}',
    ),
    (told.NodesChanged(("bad",)), '{"event": "nodes_changed", "errors": ["bad"]}'),
    (
        told.WorkflowChanged("a/b", "e1"),
        '{"event": "workflow_changed", "path": "a/b", "etag": "e1"}',
    ),
    (told.ResultRemoved("d1"), '{"event": "result_removed", "digest": "d1"}'),
    (told.SettingsChanged("e1"), '{"event": "settings_changed", "etag": "e1"}'),
]


@pytest.mark.parametrize(("event", "text"), GOLDEN, ids=lambda item: getattr(item, "event", ""))
def test_each_event_looks_as_it_always_did(event: Event, text: str):
    assert json.dumps(event.as_json()) == text


def test_there_is_a_golden_sample_of_every_event():
    named = [item for item in vars(told).values() if isinstance(item, type)]
    own = {kind for kind in named if issubclass(kind, Event)} - {Event}
    assert {type(event) for event, _ in GOLDEN} == own
