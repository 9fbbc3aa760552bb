"""Exposed outputs and end nodes: what is written, once, and never over anything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from nodeflow.canonical import canonical


def pictures(house) -> list[str]:
    return sorted(path.name for path in (house.folder / "out").rglob("*.png"))


def test_a_picture_is_written_once_and_carries_the_workflow(house, flow):
    shown = flow({"s": ("swatch", {"grey": 200})}, {"colour": "s"})
    first = house.run(shown).outputs
    (file,) = first["colour"]["files"]
    with Image.open(file) as picture:
        assert picture.convert("L").getpixel((0, 0)) == 200
    assert house.engine.load(Path(file)) == canonical(shown, house.engine.registry)
    assert house.run(shown).outputs == first
    house.open()
    assert house.run(shown).outputs == first
    assert pictures(house) == ["colour_0001.png"]


def test_a_picture_that_was_deleted_is_written_again_under_a_new_name_if_need_be(house, flow):
    shown = flow({"s": ("swatch", {})}, {"colour": "s"})
    (file,) = house.run(shown).outputs["colour"]["files"]
    Path(file).write_bytes(b"touched by its owner")
    (other,) = house.run(shown).outputs["colour"]["files"]
    assert other != file
    assert Path(file).read_bytes() == b"touched by its owner"


def test_what_a_save_node_wrote_is_not_written_again(house, flow):
    nodes = {"s": ("swatch", {}), "save": ("save_swatch", {"swatch": "@s"})}
    result = house.run(flow(nodes, {"colour": "s"}))
    assert result.outputs["colour"] == {"files": list(result.nodes["save"].files)}
    assert pictures(house) == []


def test_json_values_are_handed_out_as_they_are(house, flow):
    nodes = {"n": ("number", {"value": 3}), "l": ("upto", {}), "h": ("halves", {"a": 5})}
    result = house.run(flow(nodes, {"n": "n", "list": "l", "high": "h.high"}))
    values = {"n": {"value": 3}, "list": {"value": [0, 1, 2]}, "high": {"value": 3}}
    assert result.outputs == values


def test_what_can_neither_be_seen_nor_written_is_named_by_its_type(house, flow):
    assert house.run(flow({"b": ("block", {})}, {"b": "b"})).outputs == {
        "b": {"type": "tools.Block"}
    }


def test_an_output_may_be_an_end_node(house, flow):
    result = house.run(flow({"save": ("write", {"a": 1})}, {"file": "save"}))
    (file,) = result.outputs["file"]["files"]
    assert Path(file).read_text() == "1"


def test_ten_thousand_outputs_are_handed_out_at_once(house, flow):
    nodes = {f"n{n}": ("number", {"value": n}) for n in range(2000)}
    outputs = {f"o{n}": f"n{n}" for n in range(2000)}
    house.run(flow(nodes, outputs))
    house.open(memory=0)
    result = house.run(flow(nodes, outputs))
    assert result.outputs == {f"o{n}": {"value": n} for n in range(2000)}


def saving(flow, **inputs):
    return flow({"save": ("write", {"a": 1, **inputs})})


def test_an_end_is_found_while_its_files_are_unchanged(house, flow):
    first = house.run(saving(flow)).nodes["save"]
    assert (first.outcome, len(first.files)) == ("ran", 1)
    memory = house.run(saving(flow)).nodes["save"]
    house.open()
    disk = house.run(saving(flow)).nodes["save"]
    assert (memory.outcome, disk.outcome) == ("memory", "disk")
    assert memory.files == disk.files == first.files
    assert [event.files for event in house.events if event.event == "node_finished"] == [
        first.files
    ]


@pytest.mark.parametrize("reopen", [False, True])
def test_a_changed_file_is_left_alone_and_written_anew_elsewhere(house, flow, reopen):
    (file,) = house.run(saving(flow)).nodes["save"].files
    Path(file).write_text("mine now")
    if reopen:
        house.open()
    again = house.run(saving(flow)).nodes["save"]
    assert again.outcome == "ran"
    assert again.files != (file,)
    assert Path(file).read_text() == "mine now"
    assert Path(again.files[0]).read_text() == "1"


@pytest.mark.parametrize("cache", [True, False])
def test_many_nodes_of_one_pattern_never_write_over_each_other(house, flow, cache):
    house.open(cache=cache)
    nodes = {f"s{n}": ("write", {"a": n}) for n in range(30)}
    result = house.run(flow(nodes))
    files = {report.files[0] for report in result.nodes.values()}
    assert len(files) == 30
    assert sorted(int(Path(file).read_text()) for file in files) == list(range(30))


@pytest.mark.parametrize("name", ["../out", "a/../../b", "/etc/x", "..", ""])
def test_a_pattern_that_leads_out_is_refused(house, flow, name):
    result = house.run(saving(flow, name=name))
    assert result.status == "failed"
    assert "leads out of the output folder" in result.nodes["save"].why
    assert not list(house.folder.glob("*.txt"))


def test_a_pattern_may_name_folders_and_known_fields(house, flow):
    result = house.run(saving(flow, name="day/{workflow}-{node}"))
    assert result.nodes["save"].files == (str(house.folder / "out/day/test-save_0001.txt"),)
    assert "'{colour}' in" in house.run(saving(flow, name="{colour}")).nodes["save"].why


def test_the_last_event_has_the_promised_shape(house, flow):
    nodes = {"n": ("number", {"value": 3}), "s": ("swatch", {}), "bad": ("fail", {})}
    nodes["after"] = ("add", {"a": "@bad"})
    house.run(flow(nodes, {"n": "n", "image": "s", "lost": "after"}))
    last = json.loads(json.dumps(house.events[-1].as_json()))
    assert last["event"] == "run_finished"
    assert last["status"] == "failed"
    outcomes = {name: node["outcome"] for name, node in last["nodes"].items()}
    assert outcomes == {"n": "ran", "s": "ran", "bad": "failed", "after": "skipped"}
    assert all(isinstance(node["seconds"], float) for node in last["nodes"].values())
    assert last["outputs"] == {
        "n": {"value": 3},
        "image": {"files": [str(house.folder / "out" / "image_0001.png")]},
    }


def test_a_save_whose_name_is_filled_in_anew_is_another_save(house, flow):
    nodes = {"save": ("write", {"a": 1, "name": "{workflow}"})}
    first = house.run(flow(nodes).model_copy(update={"name": "one"})).nodes["save"].files
    second = house.run(flow(nodes).model_copy(update={"name": "two"})).nodes["save"].files
    assert [Path(path).name for path in (*first, *second)] == ["one_0001.txt", "two_0001.txt"]


def test_two_saves_named_after_themselves_both_write(house, flow):
    result = house.run(
        flow({name: ("write", {"a": 1, "name": "{node}"}) for name in ("left", "right")})
    )
    files = [Path(path).name for node in ("left", "right") for path in result.nodes[node].files]
    assert files == ["left_0001.txt", "right_0001.txt"]
