"""Why a node ran, for each kind of change."""

from __future__ import annotations

from pathlib import Path

from nodeflow.runs.why import explain


def why(house, flow, node="end", **inputs):
    file = house.folder / "file"
    if not file.exists():
        file.write_bytes(b"1")
    nodes = {
        "start": ("number", {"value": inputs.pop("start", 1)}),
        "end": ("add", {"a": "@start", "b": inputs.pop("b", 2)}),
        "length": ("length", {"file": str(file)}),
        "read": ("read", {"path": str(house.folder / "number")}),
        "save": ("write", {"a": "@end"}),
    }
    (house.folder / "number").write_text("1")
    result = house.run(flow(nodes, {"n": "end", "l": "length", "r": "read"}))
    return result.nodes[node].why


def test_each_change_is_named(house, flow):
    assert why(house, flow) == "first run"
    assert why(house, flow) == "kept in memory"
    house.open()
    assert why(house, flow) == "kept on disk"
    assert why(house, flow, b=3) == "new: b"
    assert why(house, flow, b=3, start=9) == "new value from: a"
    assert why(house, flow, node="start", start=10) == "new: value"
    assert why(house, flow, node="read") == "it is never cached"
    (house.folder / "file").write_bytes(b"12")
    assert why(house, flow, node="length") == "new: file"


def test_a_new_folder_for_what_is_saved_is_named(house, flow):
    saving = flow({"save": ("write", {"a": 1})})
    engine = house.open()
    engine.run(saving, out=house.folder / "one")
    again = engine.run(saving, out=house.folder / "two")
    assert again.nodes["save"].why == "new: device, precision or output folder"


def test_a_lost_file_makes_its_node_run_with_the_reason(house, flow):
    saving = flow({"save": ("write", {"a": 1})})
    (file,) = house.run(saving).nodes["save"].files
    Path(file).unlink()
    assert house.run(saving).nodes["save"].why == "its value was not kept"


def test_another_type_under_the_same_name_is_named(house, flow):
    house.run(flow({"n": ("number", {"value": 1})}, {"n": "n"}))
    result = house.run(flow({"n": ("nap", {"a": 1})}, {"n": "n"}))
    assert result.nodes["n"].why == "new: its type"


def test_new_code_is_named():
    parts = {"type": "a.b", "code": "version:1", "literals": {}, "links": {}, "surroundings": ""}
    assert explain(parts, parts | {"code": "version:2"}) == "new: its code"
