import dataclasses

import pytest

from nodeflow import events, job_events
from nodeflow.client.typed_events import KINDS, event_of
from nodeflow.events import NodeReport

RUN = [
    events.RunStarted("r", "Cat", 7),
    events.NodeStarted("r", "sample", "diffusion.sample", "new: seed"),
    events.NodeProgress("r", "sample", 3, 20, "step 3"),
    events.NodeLog("r", "sample", "what was stored is gone"),
    events.NodeFinished("r", "save", "ran", 0.25, "first run", "ab12", ("cat.png",)),
    events.NodeFailed("r", "load", "diffusion.load_model", "no such file", "Traceback"),
    events.RunFinished("r", "done", 1.5, {"save": NodeReport("ran", 0.1, "new", ("a.png",))}, {}),
]
JOB = [
    job_events.JobQueued("r", "Cat", 3, 12.0, "b", "the worker died"),
    job_events.JobMoved("r", 1, 2.0),
    job_events.JobStarted("r", "cpu", 2),
    job_events.JobFinished("r", "failed", 2.5, {"a": {"value": 1}}, {}, {"ran": 2}, "Why."),
    job_events.JobRemoved("r"),
    job_events.QueueChanged(True),
    job_events.WorkerChanged("cpu", "died", "It was killed."),
    job_events.NodesChanged(("Pack 'x' is broken.",)),
    job_events.WorkflowChanged("a/b", "tag"),
    job_events.SettingsChanged("tag"),
    job_events.ResultRemoved("ab12"),
]


@pytest.mark.parametrize("event", RUN, ids=lambda event: event.event)
def test_an_event_of_a_run_is_again_what_it_was(event):
    sent = event.as_json()
    sent["job"] = sent.pop("run")

    assert event_of({"seq": 4, "time": 1.0, **sent}) == event


@pytest.mark.parametrize("event", JOB, ids=lambda event: event.event)
def test_an_event_of_a_server_is_again_what_it_was(event):
    assert event_of({"seq": 4, "time": 1.0, **event.as_json()}) == event


def test_every_kind_that_has_a_text_form_is_known():
    shown = {type(event) for event in [*RUN, *JOB]}

    assert set(KINDS.values()) - shown == {events.NodePreview}
    assert all(dataclasses.is_dataclass(kind) for kind in KINDS.values())


def test_a_kind_of_a_newer_server_is_passed_over():
    assert event_of({"seq": 1, "event": "model_loaded", "job": "r"}) is None


def test_what_a_newer_server_adds_to_an_event_is_left_out():
    event = {"event": "job_removed", "job": "r", "by": "somebody"}

    assert event_of(event) == job_events.JobRemoved("r")
