import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from nodeflow.pictures import write_picture

PACKS = Path(__file__).parent / "packs"


@pytest.fixture(autouse=True)
def _with_packs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODEFLOW_PACKS", str(PACKS))


def link(node: str) -> dict[str, str]:
    return {"node": node, "output": "int"}


def save(path: Path, nodes: dict[str, Any], **others: Any) -> Path:
    path.write_text(json.dumps({"nodeflow": 1, "name": "Sum", "nodes": nodes, **others}))
    return path


@pytest.fixture
def flow(tmp_path: Path) -> Path:
    return save(
        tmp_path / "sum.json",
        {
            "first": {"type": "clitools.add", "inputs": {"a": 2, "b": 3}},
            "second": {"type": "clitools.add", "inputs": {"a": 4, "b": link("first")}},
            "save": {"type": "clitools.write", "inputs": {"number": link("second")}},
        },
        inputs={"start": {"node": "first", "input": "a"}},
        outputs={"sum": {"node": "second", "output": "int"}},
    )


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_run_prints_values_and_the_path_of_each_file(nodeflow, flow, tmp_path):
    said = nodeflow("run", flow)

    assert said.code == 0, said.err
    file = tmp_path / "outputs" / "number_0001.txt"
    assert said.out.splitlines() == ["sum: 9", str(file)]
    assert file.read_text() == "9"
    assert "Done in" in said.err


def test_files_go_to_the_folder_that_was_named(nodeflow, flow, tmp_path):
    said = nodeflow("run", flow, "--out", tmp_path / "there")

    assert str(tmp_path / "there" / "number_0001.txt") in said.out
    assert not (tmp_path / "outputs").exists()


def test_inputs_are_set_by_their_exposed_name_or_by_node_and_input(nodeflow, flow):
    said = nodeflow("run", flow, "--set", "start=10", "--set", "second.a=20")

    assert "sum: 33" in said.out


def test_json_is_one_event_a_line_and_the_last_tells_all(nodeflow, flow, tmp_path):
    said = nodeflow("run", flow, "--json")

    lines = events(said.out)
    assert lines[0]["event"] == "run_started"
    last = lines[-1]
    assert last["event"] == "run_finished"
    assert last["status"] == "done"
    assert {node: report["outcome"] for node, report in last["nodes"].items()} == {
        "first": "ran",
        "second": "ran",
        "save": "ran",
    }
    assert all(report["seconds"] >= 0 for report in last["nodes"].values())
    assert last["outputs"]["sum"] == {"value": 9}
    assert last["nodes"]["save"]["files"] == [str(tmp_path / "outputs" / "number_0001.txt")]


def test_the_same_run_again_takes_everything_from_the_disk(nodeflow, flow):
    nodeflow("run", flow)

    last = events(nodeflow("run", flow, "--json").out)[-1]

    assert {report["outcome"] for report in last["nodes"].values()} <= {"disk", "skipped"}
    assert last["outputs"]["sum"] == {"value": 9}


def test_without_the_cache_everything_runs_again(nodeflow, flow):
    nodeflow("run", flow)

    last = events(nodeflow("run", flow, "--json", "--no-cache").out)[-1]

    assert {report["outcome"] for report in last["nodes"].values()} == {"ran"}


def test_explain_says_why_each_node_ran(nodeflow, flow):
    nodeflow("run", flow)

    said = nodeflow("run", flow, "--set", "second.a=5", "--explain")

    rows = {line.split()[0]: line for line in said.out.splitlines() if line.strip()}
    assert "from disk" in rows["first"] or "skipped" in rows["first"]
    assert " ran " in rows["second"]
    assert "new: a" in rows["second"]


def test_only_computes_what_the_named_node_needs(nodeflow, flow, tmp_path):
    said = nodeflow("run", flow, "--only", "first", "--json")

    ran = {line["node"] for line in events(said.out) if line["event"] == "node_finished"}
    assert ran == {"first"}
    assert not (tmp_path / "outputs").exists()


def test_a_failing_node_ends_with_1_and_spoils_only_what_needs_it(nodeflow, tmp_path):
    file = save(
        tmp_path / "bad.json",
        {
            "good": {"type": "clitools.add", "inputs": {}},
            "bad": {"type": "clitools.refuse", "inputs": {"number": 7}},
            "after": {"type": "clitools.write", "inputs": {"number": link("bad")}},
            "kept": {"type": "clitools.write", "inputs": {"number": link("good")}},
        },
    )

    said = nodeflow("run", file)

    assert said.code == 1
    assert (
        f"{file}#/nodes/bad: node_failed: Node 'bad' (clitools.refuse): "
        "7 is not good enough; nothing is" in said.err
    )
    assert "Traceback" not in said.err
    assert [Path(line).read_text() for line in said.out.splitlines()] == ["2"]


def test_a_workflow_that_does_not_check_ends_with_2_and_runs_nothing(nodeflow, tmp_path):
    file = save(
        tmp_path / "typo.json",
        {
            "first": {"type": "clitools.ad", "inputs": {}},
            "second": {"type": "clitools.add", "inputs": {"a": 101}},
        },
        outputs={"sum": {"node": "second", "output": "int"}},
    )

    said = nodeflow("run", file, "--json")

    assert said.code == 2
    assert said.out == ""
    lines = said.err.splitlines()
    assert any(line.startswith(f"{file}#/nodes/first") and "clitools.add" in line for line in lines)
    assert any(line.startswith(f"{file}#/nodes/second/inputs/a: ") for line in lines)


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("start=many", "many"),
        ("strat=1", "Did you mean 'start'?"),
        ("first.c=1", "'first.c'"),
        ("start", "NAME=VALUE"),
        ("=1", "NAME=VALUE"),
    ],
)
def test_a_value_that_cannot_be_set_ends_with_2(nodeflow, flow, assignment, said):
    answer = nodeflow("run", flow, "--set", assignment)

    assert answer.code == 2
    assert said in answer.err
    assert answer.out == ""


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 100_000, '{"nodeflow": 99, "nodes": {}}'])
def test_a_file_that_is_no_workflow_ends_with_2_and_one_line(nodeflow, tmp_path, text):
    file = tmp_path / "bad.json"
    file.write_text(text)

    said = nodeflow("run", file)

    assert said.code == 2
    assert len(said.err.splitlines()) == 1
    assert said.err.startswith(f"{file}#")


def test_a_file_that_is_not_there_is_named(nodeflow):
    said = nodeflow("run", "absent.json")

    assert said.code == 2
    assert said.err.startswith("absent.json#: ")


def test_a_picture_that_nodeflow_saved_can_be_run(nodeflow, flow, tmp_path):
    picture = tmp_path / "picture.png"
    with picture.open("wb") as file:
        write_picture(file, Image.new("RGB", (2, 2)), "PNG", workflow=flow.read_text())

    assert "sum: 9" in nodeflow("run", picture).out


@contextmanager
def waiting(tmp_path: Path, *, deaf: bool = False) -> Iterator[subprocess.Popen[str]]:
    """A run in a process of its own whose last node waits."""
    log = tmp_path / "log"
    inputs = {"number": link("first"), "log": str(log), "deaf": deaf}
    file = save(
        tmp_path / "wait.json",
        {
            "first": {"type": "clitools.add", "inputs": {}},
            "kept": {"type": "clitools.write", "inputs": {"number": link("first")}},
            "wait": {"type": "clitools.wait", "inputs": inputs},
        },
        outputs={"end": {"node": "wait", "output": "int"}},
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "nodeflow.cli", "run", str(file), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not log.exists() and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.02)
        assert log.exists()
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_being_asked_to_end_cancels_and_keeps_what_was_made(nodeflow, tmp_path, asked):
    with waiting(tmp_path) as process:
        os.kill(process.pid, asked)
        out, err = process.communicate(timeout=30)

    assert process.returncode == 130, err
    assert "Traceback" not in err
    last = events(out)[-1]
    assert (last["event"], last["status"]) == ("run_finished", "cancelled")
    assert last["nodes"]["first"]["outcome"] == "ran"
    assert last["nodes"]["wait"]["outcome"] == "cancelled"
    assert (tmp_path / "outputs" / "number_0001.txt").read_text() == "2"
    assert (
        events(nodeflow("run", tmp_path / "wait.json", "--only", "first", "--json").out)[-1][
            "nodes"
        ]["first"]["outcome"]
        == "disk"
    )


def test_a_second_ctrl_c_ends_at_once(tmp_path):
    with waiting(tmp_path, deaf=True) as process:
        assert process.stderr is not None
        os.kill(process.pid, signal.SIGINT)
        said = iter(process.stderr.readline, "")
        assert any("Ctrl-C again ends at once" in line for line in said)
        started = time.monotonic()
        os.kill(process.pid, signal.SIGINT)

        assert process.wait(timeout=30) == 130
        assert time.monotonic() - started < 10


def test_a_cache_that_cannot_be_written_is_said_and_the_run_goes_on(
    nodeflow, flow, tmp_path, monkeypatch
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("NODEFLOW_CACHE", str(tmp_path / "file" / "cache"))

    said = nodeflow("run", flow)

    assert said.code == 0
    assert "sum: 9" in said.out
    assert "NODEFLOW_CACHE" in said.err


@pytest.mark.parametrize("more", [[], ["--json"], ["--explain"]])
def test_a_reader_who_leaves_does_not_stop_the_run(flow, tmp_path, more):
    """As with `nodeflow run FILE 2>&1 | true`: it ends, and well, and what it made is there."""
    command = [sys.executable, "-m", "nodeflow.cli", "run", flow, "--out", tmp_path, *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as running:
        assert running.stdout is not None
        running.stdout.close()
        code = running.wait(timeout=60)

    assert code == 0
    assert [file.name for file in tmp_path.glob("*.txt")] == ["number_0001.txt"]
