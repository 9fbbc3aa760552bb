"""The files of `schema/`: they are what the code says, and what the code sends fits them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry as Schemas
from referencing import Resource

from nodeflow import events, job_events
from nodeflow.events import Event
from nodeflow.registry import Registry
from nodeflow.server import schemas


@pytest.fixture(scope="module")
def files() -> dict[str, Any]:
    return {name: json.loads(text) for name, text in schemas.schemas().items()}


def validator(files: dict[str, Any], place: str) -> Draft202012Validator:
    known = Schemas().with_resources(
        [(name, Resource.from_contents(schema)) for name, schema in files.items()]
    )
    return Draft202012Validator({"$ref": place}, registry=known)


def test_what_is_checked_in_is_what_the_code_says() -> None:
    assert schemas.stale(schemas.FOLDER) == []
    assert {path.name for path in schemas.FOLDER.iterdir()} == set(schemas.schemas())


def test_each_file_is_a_json_schema(files: dict[str, Any]) -> None:
    for schema in files.values():
        Draft202012Validator.check_schema(schema)


def test_every_reference_leads_somewhere(files: dict[str, Any]) -> None:
    for name, schema in files.items():
        for place in references(schema):
            file, _, pointer = place.partition("#")
            target = files[file or name]
            for part in filter(None, pointer.split("/")):
                target = target[part]


def references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [place for item in part.values() for place in references(item)]
    return [place for item in part for place in references(item)] if isinstance(part, list) else []


SAMPLES = [
    events.RunStarted("j1", "flow", 3),
    events.NodeStarted("j1", "a", "tools.add", "it is new"),
    events.NodeProgress("j1", "a", 1, 2),
    events.NodeLog("j1", "a", "text"),
    events.NodeFinished("j1", "a", "ran", 0.5, files=("a.png",)),
    events.NodeFailed("j1", "a", "tools.add", "It failed."),
    job_events.JobQueued("j1", "flow", 0, 1.0),
    job_events.JobMoved("j1", 1, 0.5),
    job_events.JobStarted("j1", "worker"),
    job_events.JobFinished("j1", "done", 1.5, {"n": {"value": 3}}, {}, {"ran": 1}),
    job_events.JobRemoved("j1"),
    job_events.QueueChanged(True),
    job_events.WorkerChanged("worker", "ready"),
    job_events.NodesChanged(("bad",)),
    job_events.WorkflowChanged("a/b", "e1"),
    job_events.SettingsChanged("e1"),
    job_events.ResultRemoved("d1"),
]


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: event.event)
def test_an_event_fits_as_it_is_sent(event: Event, files: dict[str, Any]) -> None:
    body = event.as_json()
    if "run" in body:
        body["job"] = body.pop("run")
    if not isinstance(event, events.NodeProgress):
        body |= {"seq": 7, "time": 1700000000.1}

    # As an exact list: a key too many would be no fault in the schema's eyes.
    declared = files["events.json"]["$defs"][type(event).__name__]
    assert set(body) == set(declared["properties"]) == set(declared["required"])
    validator(files, "events.json#/$defs/ServerEvent").validate(json.loads(json.dumps(body)))


def test_there_is_a_sample_of_every_event_that_is_sent() -> None:
    assert {type(event) for event in SAMPLES} == set(schemas.sent_events())


def test_all_nodes_fit(files: dict[str, Any], toys: Registry) -> None:
    listing = json.loads(json.dumps(toys.as_json() | {"pending": []}))

    validator(files, "nodes.json").validate(listing)
    assert listing["nodes"]


def test_a_node_says_everything_of_itself_and_a_job_may_leave_out_what_is_none(
    files: dict[str, Any],
) -> None:
    nodes, api = files["nodes.json"]["$defs"], files["api.json"]["$defs"]

    assert set(nodes["InputSpec"]["required"]) == set(nodes["InputSpec"]["properties"])
    assert {"outputs", "problem"} <= set(api["JobView"]["required"])
    assert not {"nodes", "started"} & set(api["JobView"]["required"])


def test_a_stale_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert schemas.main([str(tmp_path)]) == 0
    assert schemas.main([str(tmp_path), "--check"]) == 0

    (tmp_path / "api.json").write_text("{}")

    assert schemas.main([str(tmp_path), "--check"]) == 1
    assert "'make schema'" in capsys.readouterr().err
