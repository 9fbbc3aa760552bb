"""Workflows built in Python: nodes added as functions, joined by handles, then saved."""

from enum import Enum
from pathlib import Path

import pytest
from nodeflow_nodes.logic.numbers import arithmetic

from nodeflow.checking.checker import check
from nodeflow.errors import InputError
from nodeflow.roots import Roots
from nodeflow.workflow import InputPlace, OutputPlace, Workflow


class Method(Enum):
    EULER = "euler"


def test_what_is_built_is_saved_and_loaded_equal_and_checks(toys, tmp_path):
    (tmp_path / "cat.png").write_text("")
    flow = Workflow(name="Built")
    load = flow.add("toy.load", file=Path("cat.png"))
    sample = flow.add("toy.sample", latent=load.latent, seed=7, method=Method.EULER)
    decode = flow.add("toy.decode", latent=sample)
    sheet = flow.add("toy.sheet", images=(decode, load.picture))
    flow.add("toy.keep", value=[1, {"deep": (2,)}], note={"a": None})
    flow.expose("seed", sample.seed)
    flow.expose("file", load.file, load["file"])
    flow.output("image", sheet)
    flow.output("latent", sample.latent)
    flow.save(tmp_path / "flow.json")
    again = Workflow.load(tmp_path / "flow.json")
    assert again == flow
    roots = Roots.of([], tmp_path, [], anywhere=False)
    assert not check(again, toys, roots).errors
    assert again.nodes["sample"].inputs == {
        "latent": {"node": "load", "output": "latent"},
        "seed": 7,
        "method": "euler",
    }
    assert again.nodes["load"].inputs == {"file": "cat.png"}
    assert again.nodes["decode"].inputs == {"latent": {"node": "sample"}}
    assert again.nodes["sheet"].inputs["images"] == [
        {"node": "decode"},
        {"node": "load", "output": "picture"},
    ]
    assert again.nodes["keep"].inputs == {
        "value": {"value": [1, {"deep": [2]}]},
        "note": {"value": {"a": None}},
    }
    assert again.inputs["seed"] == InputPlace(node="sample", input="seed")
    assert again.inputs["file"] == [InputPlace(node="load", input="file")] * 2
    assert again.outputs["image"] == OutputPlace(node="sheet")


def test_a_function_of_an_installed_pack_becomes_its_type():
    flow = Workflow()
    handle = flow.add(arithmetic, a=2.0, operation="add")
    assert flow.nodes["arithmetic"].type == "logic.arithmetic"
    assert repr(handle) == "Handle('arithmetic')"


def test_a_function_of_a_pack_in_a_folder_becomes_its_type(shelf):
    source = "from nodeflow import node\n@node()\ndef twice(a: int, b: int = 2) -> int:\n    ...\n"
    shelf.write("homemade", nodes=source)
    registry = shelf.registry()
    twice = registry.function(registry.specs["homemade.twice"])
    flow = Workflow()
    first = flow.add(twice, a=1)
    flow.add(twice, a=first)
    assert flow.nodes["twice"].type == "homemade.twice"
    assert flow.nodes["twice_2"].inputs == {"a": {"node": "twice", "output": "int"}}
    with pytest.raises(InputError, match=r"homemade\.twice has no input 'c'. There is: a, b"):
        flow.add(twice, c=1)


def test_ids_are_made_from_the_name_and_never_taken_twice():
    flow = Workflow()
    for kind in ("a.f", "b.f", "group:f"):
        flow.add(kind)
    flow.add("a.f", id="mine")
    assert list(flow.nodes) == ["f", "f_2", "f_3", "mine"]
    with pytest.raises(InputError, match=r"'mine' is taken by a a\.f"):
        flow.add("a.f", id="mine")


def test_what_is_no_node_or_no_value_is_refused():
    flow = Workflow()
    handle = flow.add("a.f")
    with pytest.raises(InputError, match="is no node"):
        flow.add(print)
    with pytest.raises(InputError, match="mixes handles with values"):
        flow.add("a.f", x=[handle, 1])
    with pytest.raises(InputError, match="cannot be a set"):
        flow.add("a.f", x={1})
    with pytest.raises(AttributeError):
        _ = handle.__deepcopy__
    assert list(flow.nodes) == ["f"]


def test_a_function_outside_of_a_pack_is_refused():
    from nodeflow import node

    @node()
    def alone() -> int: ...

    alone.__module__ = "__main__"
    with pytest.raises(InputError, match="belongs to no pack"):
        Workflow().add(alone)
