import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from nodeflow import Workflow
from nodeflow.client.calls import Call, Reply, Steps
from nodeflow.client.submission import Submission, Upload, prepared, upload
from nodeflow.errors import InputError, WorkflowError
from nodeflow.pictures import write_picture

DOCUMENT: dict[str, Any] = {"nodeflow": 1, "name": "Cat", "nodes": {"n": {"type": "a.b"}}}


def carried(steps: Steps[Any], *replies: Reply) -> tuple[Any, list[Call]]:
    """What an operation comes to, and the calls that it made."""
    calls = []
    answers = iter(replies)
    try:
        call = next(steps)
        while True:
            calls.append(call)
            call = steps.send(next(answers))
    except StopIteration as ended:
        return ended.value, calls


def body(submission: Submission) -> Any:
    return json.loads(carried(prepared(submission))[0])


def test_a_workflow_is_the_same_as_object_as_json_and_as_file(tmp_path: Path) -> None:
    flow = Workflow.from_data(DOCUMENT)
    flow.save(tmp_path / "cat.json")
    with (tmp_path / "cat.png").open("wb") as file:
        write_picture(file, Image.new("RGB", (2, 2)), "PNG", workflow=json.dumps(DOCUMENT))

    forms: list[Any] = [flow, DOCUMENT, tmp_path / "cat.json", str(tmp_path / "cat.png")]
    documents = [body(Submission(form))["workflow"] for form in forms]

    assert [Workflow.from_data(document) for document in documents] == [flow] * 4


def test_only_what_was_said_is_in_the_body() -> None:
    assert body(Submission(DOCUMENT)) == {"workflow": DOCUMENT, "inputs": {}}
    whole = Submission(
        saved="a/b",
        inputs={"seed": 7},
        priority=-3,
        batch=2,
        seeds=(4, 5),
        only=["n"],
        webhook="https://x/y",
    )
    assert body(whole) == {
        "path": "a/b",
        "inputs": {"seed": 7},
        "priority": -3,
        "batch": 2,
        "seeds": [4, 5],
        "only": ["n"],
        "webhook": "https://x/y",
    }


def test_a_path_among_the_inputs_is_uploaded_and_a_text_is_what_it_is(tmp_path: Path) -> None:
    photo = tmp_path / "my photo.png"
    photo.write_bytes(b"pixels")
    reply = Reply(201, {}, b'{"name": "uploads/photo-1.png", "digest": "d1", "size": 6}')
    inputs = {"image": photo, "other": Upload("uploads/x.png", "d2"), "text": str(photo)}

    text, calls = carried(prepared(Submission(DOCUMENT, inputs=inputs)), reply)

    assert json.loads(text)["inputs"] == {
        "image": "uploads/photo-1.png",
        "other": "uploads/x.png",
        "text": str(photo),
    }
    assert calls == [
        Call(
            "POST",
            "/api/uploads",
            {"name": "my photo.png"},
            photo,
            {"Content-Type": "image/png"},
            again=True,
        )
    ]


def test_a_file_that_cannot_be_read_is_named_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="absent"):
        carried(upload(tmp_path / "absent.png"))
    with pytest.raises(InputError, match="directory"):
        carried(upload(tmp_path))


def test_a_workflow_or_a_saved_one_is_handed_in_and_not_both() -> None:
    for wrong in (Submission(), Submission(DOCUMENT, "a/b")):
        with pytest.raises(InputError, match="either"):
            body(wrong)


def test_what_is_no_workflow_is_found_here(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")

    with pytest.raises(WorkflowError, match=r"bad\.json"):
        body(Submission(tmp_path / "bad.json"))


def test_a_workflow_with_a_number_that_json_lacks_is_said() -> None:
    flow = Workflow()
    flow.add("a.b", x=float("nan"))

    with pytest.raises(InputError, match="cannot be sent"):
        body(Submission(flow))
