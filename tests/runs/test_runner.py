"""Runs: what is computed, what is found, what is skipped, and what is said about it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from nodeflow.errors import NodeflowError

DIAMOND = {
    "top": ("number", {"value": 2}),
    "left": ("add", {"a": "@top"}),
    "right": ("add", {"a": "@top", "b": 5}),
    "end": ("add", {"a": "@left", "b": "@right"}),
}


def test_a_diamond_computes_each_node_once(house, flow):
    result = house.run(flow(DIAMOND, {"sum": "end"}))
    assert result["sum"] == 10
    assert house.ran() == {"top": 1, "left": 1, "right": 1, "end": 1}
    assert {report.outcome for report in result.nodes.values()} == {"ran"}


def test_the_second_run_takes_everything_from_memory(house, flow):
    diamond = flow(DIAMOND, {"sum": "end"})
    house.run(diamond)
    result = house.run(diamond)
    assert not house.ran()
    assert {report.outcome for report in result.nodes.values()} == {"memory"}
    assert result["sum"] == 10


def test_a_new_engine_takes_everything_from_disk(house, flow):
    diamond = flow(DIAMOND, {"sum": "end"})
    house.run(diamond)
    house.open()
    result = house.run(diamond)
    assert not house.ran()
    assert {report.outcome for report in result.nodes.values()} == {"disk"}
    assert result["sum"] == 10


def test_without_the_cache_a_new_engine_computes_again_and_writes_nothing(house, flow):
    diamond = flow(DIAMOND, {"sum": "end"})
    house.open(cache=False)
    house.run(diamond)
    assert not (house.folder / "cache" / "values").exists()
    house.open(cache=False)
    assert house.run(diamond)["sum"] == 10
    assert len(house.ran()) == 4


def test_a_value_asked_for_after_the_engine_was_closed_is_an_error_and_no_wait(house, flow):
    house.open(memory=0)
    result = house.run(
        flow({"a": ("swatch", {}), "save": ("save_swatch", {"swatch": "@a"})}, {"a": "a"})
    )
    house.close()
    with pytest.raises(NodeflowError):
        result["a"]


def test_the_result_tells_of_outputs_that_there_are(house, flow):
    result = house.run(flow(DIAMOND, {"sum": "end"}))
    with pytest.raises(KeyError, match="no output 'total'; there is: sum"):
        result["total"]


def test_muted_nodes_and_those_that_need_them_are_skipped(house, flow):
    nodes = DIAMOND | {"half": ("halves", {"a": "@left"})}
    result = house.run(
        flow(nodes, {"half": "half.low", "right": "right"}, left={"mode": "mute"}),
    )
    assert house.ran() == {"top": 1, "right": 1}
    assert result.nodes["left"].outcome == result.nodes["half"].outcome == "skipped"
    assert result.outputs == {"right": {"value": 7}}


def test_a_bypassed_node_hands_its_input_through(house, flow):
    result = house.run(flow(DIAMOND, {"sum": "end"}, left={"mode": "bypass"}))
    assert result["sum"] == 9
    assert "left" not in house.ran()


def test_a_cache_that_cannot_be_written_is_a_warning(house, flow):
    (house.folder / "cache" / "values").write_text("in the way")
    engine = house.open()
    assert "Nothing is kept on disk" in engine.warnings[0]
    assert house.run(flow(DIAMOND, {"sum": "end"}))["sum"] == 10


def test_two_runs_at_once_share_one_cache(house, flow):
    nodes = {"n0": ("number", {"value": 1})}
    nodes |= {f"n{n}": ("add", {"a": f"@n{n - 1}"}) for n in range(1, 300)}
    chain = flow(nodes, {"n": "n299"})
    engine = house.open()
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(engine.run(chain)["n"])) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results == [300] * 4


def test_a_deep_chain_runs_without_recursion(house, flow):
    nodes = {"n0": ("number", {"value": 1})}
    nodes |= {f"n{n}": ("add", {"a": f"@n{n - 1}"}) for n in range(1, 3000)}
    assert house.run(flow(nodes, {"n": "n2999"}))["n"] == 3000


def test_hooks_are_asked_once_for_a_run(house, flow):
    engine = house.open()
    house.run(flow({"w": ("watched", {"a": 3})}, {"n": "w"}))
    hook = engine.registry.function(engine.registry.find("tools.watched")).__globals__
    hook["calls"].clear()
    watched = flow({"w": ("watched", {"a": 4})}, {"n": "w"})
    house.run(watched)
    assert hook["calls"] == [4]
    house.run(watched)  # unchanged, so it is not even planned again
    assert hook["calls"] == [4]


def test_a_node_reads_the_file_that_it_names(house, flow, tmp_path: Path):
    file = tmp_path / "some.bin"
    file.write_bytes(b"123")
    measure = flow({"l": ("length", {"file": str(file)})}, {"n": "l"})
    assert house.run(measure)["n"] == 3
    file.write_bytes(b"12345")
    assert house.run(measure)["n"] == 5
