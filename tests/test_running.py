"""The public API as a script uses it."""

from __future__ import annotations

import ast
import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

import nodeflow
from nodeflow.settings import Settings

FLOW = {
    "nodeflow": 1,
    "name": "counting",
    "nodes": {
        "seeds": {"type": "logic.integer_range", "inputs": {"start": 1, "count": 3}},
        "times": {
            "type": "logic.arithmetic",
            "inputs": {
                "a": {"node": "seeds", "output": "numbers"},
                "operation": "multiply",
                "b": 10,
            },
        },
    },
    "inputs": {"factor": {"node": "times", "input": "b"}},
    "outputs": {"numbers": {"node": "times", "output": "integer"}},
}


@pytest.fixture
def flow() -> nodeflow.Workflow:
    return nodeflow.Workflow.from_data(FLOW)


@pytest.fixture
def engine(tmp_path: Path, cache: Path):
    settings = Settings(cache=cache, data=tmp_path / "data")
    with nodeflow.Engine(settings) as engine:
        yield engine


def test_a_run_takes_exposed_inputs_by_keyword_and_gives_values(flow, engine):
    result = nodeflow.run(flow, engine=engine, factor=3)
    assert result["numbers"] == [3, 6, 9]
    assert result.status == "done"
    assert result.outputs == {"numbers": {"value": [3, 6, 9]}}


def test_a_saved_workflow_runs_from_its_path(flow, engine, tmp_path):
    path = tmp_path / "counting.json"
    flow.save(path)
    assert nodeflow.run(path, engine=engine)["numbers"] == [10, 20, 30]


def test_a_run_of_its_own_engine_gives_values_after_that_engine_is_closed(
    flow, tmp_path, monkeypatch
):
    monkeypatch.setenv("NODEFLOW_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NODEFLOW_DATA", str(tmp_path / "data"))
    assert nodeflow.run(flow)["numbers"] == [10, 20, 30]


def test_async_code_awaits_a_run(flow, engine):
    result = asyncio.run(nodeflow.arun(flow, engine=engine, factor=2))
    assert result["numbers"] == [2, 4, 6]


def test_an_unknown_input_is_named_with_those_there_are(flow, engine):
    with pytest.raises(nodeflow.WorkflowError, match="Did you mean 'factor'"):
        nodeflow.run(flow, engine=engine, facto=3)


def test_an_unknown_output_is_named_with_those_there_are(flow, engine):
    result = nodeflow.run(flow, engine=engine)
    with pytest.raises(KeyError, match="there is: numbers"):
        result["pictures"]


def test_a_failed_node_raises_its_error(flow, engine):
    flow.nodes["times"].inputs["operation"] = "divide"
    with pytest.raises(nodeflow.NodeError, match=r"times.*logic.arithmetic") as caught:
        nodeflow.run(flow, engine=engine, factor=0)
    assert caught.value.node == "times"


def test_every_public_name_is_there():
    stub = Path(nodeflow.__file__).with_suffix(".pyi")
    names = [
        alias.asname
        for statement in ast.parse(stub.read_text()).body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    ]
    assert len(names) > 30
    assert [name for name in names if not hasattr(nodeflow, str(name))] == []


def test_importing_the_api_imports_nothing_heavy():
    code = (
        "import sys, nodeflow; nodeflow.Workflow, nodeflow.node, nodeflow.Engine;"
        "print([name for name in ('torch', 'diffusers', 'transformers') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
