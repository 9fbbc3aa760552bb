"""The engine in processes of its own: interrupted, killed, and carried on."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

PACKS = Path(__file__).parent / "packs"

INTERRUPTED = """
import gc, sys, time
from nodeflow.engine import Engine
from nodeflow.workflow import Workflow

def flow(n):
    link = lambda name: {"node": name, "output": "int"}
    nodes = {"n0": {"type": "tools.number", "inputs": {"value": n}}}
    for i in range(1, 60):
        nodes[f"n{i}"] = {"type": "tools.add", "inputs": {"a": link(f"n{i - 1}")}}
    nodes["nap"] = {"type": "tools.nap", "inputs": {"a": link("n30")}}
    nodes["steps"] = {"type": "tools.steps", "inputs": {"count": 20, "pause": 0.002}}
    outputs = {"n": link("n59"), "s": link("steps"), "nap": link("nap")}
    return Workflow.from_data({"nodeflow": 1, "nodes": nodes, "outputs": outputs})

with Engine() as engine:
    engine.registry
    # Destructors of what imports leave behind would swallow an interrupt, as Python has it.
    gc.collect()
    for n in range(int(sys.argv[1])):
        try:
            print("go", flush=True)
            engine.run(flow(n))
            for _ in range(3000):  # a signal just before one long sleep would wait for its end
                time.sleep(0.01)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
    print(engine.run(flow(1000))["n"], flush=True)
"""


@pytest.fixture
def environment(tmp_path: Path, known_specs: Path) -> dict[str, str]:
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "specs").symlink_to(known_specs)
    mine = {name: value for name, value in os.environ.items() if not name.startswith("NODEFLOW_")}
    return mine | {
        "NODEFLOW_PACKS": str(PACKS),
        "NODEFLOW_CACHE": str(cache),
        "NODEFLOW_DATA": str(tmp_path / "data"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }


def test_ctrl_c_at_any_moment_ends_the_run_and_leaves_the_engine_sound(environment):
    rounds = 25
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(rounds)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        for _ in range(rounds):
            assert process.stdout.readline() == "go\n"
            time.sleep(random.uniform(0, 0.08))
            asked = time.monotonic()
            process.send_signal(signal.SIGINT)
            assert process.stdout.readline() == "interrupted\n"
            assert time.monotonic() - asked < 8
        out, err = process.communicate(timeout=30)
        assert out == "1059\n"
        assert err == ""
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()


def appending(folder: Path, count: int) -> Path:
    nodes = {}
    for n in range(count):
        before = {"node": f"n{n - 3}", "output": "int"} if n >= 3 else 0
        inputs = {"a": before, "log": str(folder / "log"), "name": f"n{n}", "pause": 0.015}
        nodes[f"n{n}"] = {"type": "tools.append", "inputs": inputs}
    outputs = {f"o{n}": {"node": f"n{n}", "output": "int"} for n in range(count - 3, count)}
    path = folder / "flow.json"
    path.write_text(json.dumps({"nodeflow": 1, "nodes": nodes, "outputs": outputs}))
    return path


def logged(folder: Path) -> Counter[str]:
    log = folder / "log"
    return Counter(log.read_text().split()) if log.exists() else Counter()


def test_what_was_reported_finished_survives_a_kill_and_never_runs_again(environment, tmp_path):
    flow = appending(tmp_path, 60)
    command = [sys.executable, "-m", "nodeflow.cli", "run", str(flow), "--json"]
    reported: set[str] = set()
    ran_twice_at_most: set[str] = set()
    kills = 0
    while True:
        process = subprocess.Popen(
            command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        if kills < 4:
            time.sleep(random.uniform(0.0, 0.25))
            process.kill()
        text = "".join(lines) + process.communicate(timeout=60)[0]
        whole = [line for line in text.splitlines(keepends=True) if line.endswith("\n")]
        finished = {
            event["node"]
            for event in map(json.loads, whole)
            if event["event"] == "node_finished" and event["outcome"] == "ran"
        }
        assert not finished & reported  # nothing that was reported ran again
        ran_twice_at_most |= set(logged(tmp_path)) - finished - reported
        reported |= finished
        if kills == 4:
            break
        kills += 1
    assert process.returncode == 0
    last = json.loads(whole[-1])
    assert (last["event"], last["status"]) == ("run_finished", "done")
    counts = logged(tmp_path)
    assert set(counts) == {f"n{n}" for n in range(60)}
    # Twice stands only what a kill met between its work and its report.
    assert {name for name, count in counts.items() if count > 1} <= ran_twice_at_most
    assert last["outputs"]["o59"] == {"value": 20}


def test_two_processes_share_one_cache(environment, tmp_path):
    flow = appending(tmp_path, 20)
    command = [sys.executable, "-m", "nodeflow.cli", "run", str(flow), "--json"]
    both = [
        subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    lasts = [json.loads(process.communicate(timeout=60)[0].splitlines()[-1]) for process in both]
    assert [last["status"] for last in lasts] == ["done", "done"]
    assert lasts[0]["outputs"] == lasts[1]["outputs"]
    again = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    last = json.loads(again.stdout.splitlines()[-1])
    assert {node["outcome"] for node in last["nodes"].values()} == {"disk"}


def test_a_run_that_finds_everything_imports_neither_torch_nor_the_pack(environment, tmp_path):
    flow = appending(tmp_path, 3)
    program = (
        "import sys; from nodeflow.engine import Engine; from nodeflow.workflow import Workflow\n"
        "with Engine() as engine:\n"
        f"    engine.run(Workflow.load({str(flow)!r}))\n"
        "print('torch' in sys.modules, 'tools.nodes' in sys.modules)"
    )

    def said() -> str:
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout

    assert said().split()[1] == "True"
    assert said() == "False False\n"
