"""Lists into nodes that take one: once for each item."""

from __future__ import annotations

from pathlib import Path

import pytest


def mapped(flow, a, b, kind="add", **outputs):
    nodes = {"a": ("upto", {"count": a}), "b": ("upto", {"count": b})}
    nodes["each"] = (kind, {"a": "@a", "b": "@b"})
    return flow(nodes, {"sums": "each"})


def test_lists_of_one_length_are_zipped(house, flow):
    assert house.run(mapped(flow, 3, 3))["sums"] == [0, 2, 4]


def test_a_list_of_one_is_repeated(house, flow):
    assert house.run(mapped(flow, 4, 1))["sums"] == [0, 1, 2, 3]


def test_unequal_lists_are_a_sentence(house, flow):
    result = house.run(mapped(flow, 3, 2))
    assert result.status == "failed"
    assert "its lists differ in length: 'a' has 3, 'b' has 2" in result.nodes["each"].why
    assert "logic.cross" in result.nodes["each"].why


@pytest.mark.parametrize("a", [0, 1])
def test_an_empty_list_gives_an_empty_list(house, flow, a):
    assert house.run(mapped(flow, 0, a))["sums"] == []
    house.open()
    assert house.run(mapped(flow, 0, a))["sums"] == []
    assert not house.ran()


def chained(flow, log, count):
    return flow(
        {
            "list": ("upto", {"count": count}),
            "each": ("append", {"a": "@list", "log": str(log), "name": "call"}),
            "sum": ("spoil", {"numbers": "@each"}),
        },
        {"each": "each"},
    )


@pytest.mark.parametrize("again", [False, True])
def test_a_longer_list_computes_only_what_is_new(house, flow, tmp_path, again):
    log = tmp_path / "log"
    assert house.run(chained(flow, log, 3), only=["each"]).status == "done"
    if again:
        house.open()
    assert house.run(chained(flow, log, 5), only=["each"]).status == "done"
    assert log.read_text().count("call") == 5
    result = house.run(chained(flow, log, 4))
    assert result["each"] == [1, 2, 3, 4]
    assert log.read_text().count("call") == 5


def test_a_mapped_node_is_found_whole_by_the_next_process(house, flow, tmp_path):
    house.run(chained(flow, tmp_path / "log", 3), only=["each"])
    house.open()
    result = house.run(chained(flow, tmp_path / "log", 3), only=["each"])
    assert result.nodes["each"].outcome == "disk"


def test_a_mapped_save_writes_a_file_for_each_and_only_what_is_new(house, flow):
    def saving(count):
        return flow({"list": ("upto", {"count": count}), "save": ("write", {"a": "@list"})})

    first = house.run(saving(3)).nodes["save"].files
    assert len(set(first)) == 3
    second = house.run(saving(5)).nodes["save"].files
    assert second[:3] == first
    assert [Path(path).read_text() for path in second] == ["0", "1", "2", "3", "4"]
    house.open()
    assert house.run(saving(5)).nodes["save"].outcome == "disk"


def test_a_single_value_enters_a_list_as_a_list_of_one(house, flow):
    nodes = {"one": ("number", {"value": 7}), "many": ("spoil", {"numbers": "@one"})}
    assert house.run(flow(nodes, {"n": "many"}))["n"] == 2


def test_a_growing_input_takes_links_and_lists(house, flow):
    nodes = {"list": ("upto", {"count": 4}), "one": ("number", {"value": 10})}
    nodes["sum"] = ("total", {"numbers": ["@list", "@one"]})
    nodes["none"] = ("total", {})
    result = house.run(flow(nodes, {"sum": "sum", "none": "none"}))
    assert (result["sum"], result["none"]) == (16, 0)


def test_a_node_with_two_outputs_gives_two_lists(house, flow):
    nodes = {"list": ("upto", {"count": 3}), "halves": ("halves", {"a": "@list"})}
    result = house.run(flow(nodes, {"low": "halves.low", "high": "halves.high"}))
    assert (result["low"], result["high"]) == ([0, 0, 1], [0, 1, 1])


def test_a_mapped_async_node_runs_for_each_item(house, flow):
    def napping(count):
        nodes = {"list": ("upto", {"count": count}), "nap": ("nap", {"a": "@list"})}
        return flow(nodes, {"n": "nap"})

    assert house.run(napping(3))["n"] == [0, 1, 2]
    house.open()
    assert house.run(napping(4))["n"] == [0, 1, 2, 3]


def test_an_error_says_which_item_it_was(house, flow):
    result = house.run(flow({"n": ("upto", {"count": 3}), "f": ("limited", {"a": "@n"})}))
    assert result.status == "done"
    result = house.run(
        flow({"n": ("upto", {"count": 14}), "f": ("limited", {"a": "@n"})}, {"f": "f"})
    )
    (error,) = result.errors
    assert error.sentence.startswith("item 12: the input 'a' was handed 11")
