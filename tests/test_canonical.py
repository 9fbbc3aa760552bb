"""The canonical document: output names written, renamed things under today's name."""

import copy
import json

from nodeflow.canonical import canonical
from nodeflow.engine import Engine
from nodeflow.settings import Settings
from nodeflow.workflow import Workflow

DOCUMENT = {
    "nodeflow": 1,
    "nodes": {
        "in": {"type": "old.load", "inputs": {"file": "cat.png"}, "note": "kept"},
        "sample": {
            "type": "toy.sample",
            "inputs": {"latent": {"node": "in", "output": "latent"}, "cfg": 3.0},
        },
        "decode": {"type": "toy.decode", "inputs": {"latent": {"node": "sample", "why": "kept"}}},
        "sheet": {
            "type": "toy.sheet",
            "inputs": {"images": [{"node": "decode"}, {"node": "in", "output": "image"}]},
        },
        "call": {"type": "group:g", "inputs": {"x": {"node": "decode"}}},
        "after": {"type": "toy.blur", "inputs": {"image": {"node": "call"}}},
        "who": {"type": "no.body", "inputs": {"a": {"node": "in"}, "b": {"value": {"node": "in"}}}},
        "lost": {"type": "toy.blur", "inputs": {"image": {"node": "nobody"}}},
        "both": {"type": "toy.sample", "inputs": {"cfg": 1.0, "guidance": 2.0}},
    },
    "inputs": {"cfg": {"node": "sample", "input": "cfg"}, "two": [{"node": "x", "input": "y"}]},
    "outputs": {"o": {"node": "sheet"}, "p": {"node": "in", "output": "image"}},
    "groups": {
        "g": {
            "nodes": {
                "n": {"type": "toy.blur"},
                "m": {"type": "toy.blur", "inputs": {"image": {"node": "n"}}},
            },
            "inputs": {"x": {"node": "n", "input": "image"}},
            "outputs": {"out": {"node": "m"}},
        }
    },
}  # fmt: skip


def test_every_name_is_spelled_out_as_todays_packs_have_it(toys):
    flow = canonical(Workflow.from_data(copy.deepcopy(DOCUMENT)), toys)
    data = json.loads(flow.dumps())
    nodes = data["nodes"]
    assert nodes["in"] == {"type": "toy.load", "inputs": {"file": "cat.png"}, "note": "kept"}
    assert nodes["sample"]["inputs"]["guidance"] == 3.0
    assert nodes["decode"]["inputs"]["latent"] == {
        "node": "sample", "output": "latent", "why": "kept",
    }  # fmt: skip
    assert nodes["sheet"]["inputs"]["images"] == [
        {"node": "decode", "output": "image"},
        {"node": "in", "output": "picture"},
    ]
    assert nodes["after"]["inputs"]["image"] == {"node": "call", "output": "out"}
    assert data["inputs"]["cfg"] == {"node": "sample", "input": "guidance"}
    assert data["outputs"] == {
        "o": {"node": "sheet", "output": "image"},
        "p": {"node": "in", "output": "picture"},
    }
    group = data["groups"]["g"]
    assert group["nodes"]["m"]["inputs"]["image"] == {"node": "n", "output": "image"}
    assert group["outputs"]["out"] == {"node": "m", "output": "image"}


def test_what_nobody_knows_and_what_is_wrong_stays_as_it_is(toys):
    before = Workflow.from_data(copy.deepcopy(DOCUMENT))
    after = canonical(before, toys)
    for name in ("who", "lost", "both"):
        assert after.nodes[name] == before.nodes[name]
    assert after.inputs["two"] == before.inputs["two"]


def test_the_given_workflow_is_not_changed_and_the_result_is_a_fixed_point(toys):
    before = Workflow.from_data(copy.deepcopy(DOCUMENT))
    after = canonical(before, toys)
    assert before == Workflow.from_data(DOCUMENT)
    assert canonical(after, toys) == after
    assert Workflow.parse(after.dumps()) == after


def test_an_engine_saves_the_canonical_document(tmp_path):
    flow = Workflow.from_data(
        {
            "nodeflow": 1,
            "nodes": {
                "n": {"type": "logic.number", "inputs": {}},
                "c": {"type": "logic.compare", "inputs": {"a": {"node": "n"}}},
            },
            "outputs": {"o": {"node": "c"}},
        }
    )
    with Engine(Settings(cache=tmp_path / "cache", data=tmp_path), cache=False) as engine:
        engine.save(flow, tmp_path / "flow.json")
    saved = Workflow.load(tmp_path / "flow.json")
    assert saved.nodes["c"].inputs["a"] == {"node": "n", "output": "value"}
    assert saved.outputs["o"].output == "result"
