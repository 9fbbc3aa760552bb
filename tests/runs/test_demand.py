"""Demand: only what is needed is found or computed, once, and kept only while it is needed."""

from __future__ import annotations

import gc
import time

import pytest

DIAMOND = {
    "top": ("number", {"value": 2}),
    "left": ("add", {"a": "@top"}),
    "right": ("add", {"a": "@top", "b": 5}),
    "end": ("add", {"a": "@left", "b": "@right"}),
}


def test_equal_keys_compute_once_under_whatever_names(house, flow):
    nodes = {f"twin{n}": ("add", {"a": 3, "b": 4}) for n in range(5)}
    result = house.run(
        flow(nodes | {"all": ("total", {"numbers": [f"@twin{n}" for n in range(5)]})}, {"n": "all"})
    )
    assert result["n"] == 35
    assert sum(count for name, count in house.ran().items() if name.startswith("twin")) == 1
    assert sorted(report.outcome for report in result.nodes.values()) == ["memory"] * 4 + [
        "ran",
        "ran",
    ]


def test_a_never_node_runs_each_time_and_an_equal_output_cuts_the_cascade_off(house, flow):
    file = house.folder / "number"
    reading = flow(
        {
            "read": ("read", {"path": str(file)}),
            "more": ("add", {"a": "@read"}),
            "most": ("add", {"a": "@more"}),
        },
        {"n": "most"},
    )
    file.write_text("5")
    assert house.run(reading)["n"] == 7
    house.open()
    assert house.run(reading)["n"] == 7
    assert house.ran() == {"read": 1}
    file.write_text("6")
    assert house.run(reading)["n"] == 8
    assert house.ran() == {"read": 1, "more": 1, "most": 1}


def choice(flow, first: bool = True, other: int = 20):
    return flow(
        {
            "a": ("add", {"a": 10}),
            "b": ("add", {"a": other}),
            "choose": ("choose", {"first": first, "a": "@a", "b": "@b"}),
            "after": ("add", {"a": "@choose"}),
        },
        {"n": "after"},
    )


def test_a_branch_that_is_not_taken_never_runs(house, flow):
    result = house.run(choice(flow))
    assert result["n"] == 12
    assert house.ran() == {"choose": 1, "a": 1, "after": 1}
    assert result.nodes["b"].outcome == "skipped"
    assert house.run(choice(flow, first=False))["n"] == 22
    assert house.ran() == {"choose": 1, "b": 1, "after": 1}


def test_what_a_lazy_node_awaited_is_remembered_by_the_next_process(house, flow):
    house.run(choice(flow))
    house.open()
    result = house.run(choice(flow, other=30))  # the branch that is not taken changed
    assert result["n"] == 12
    assert not house.ran()


def test_a_lazy_node_whose_source_fails_is_skipped(house, flow):
    result = house.run(
        flow(
            {
                "bad": ("fail", {}),
                "choose": ("choose", {"first": True, "a": "@bad", "b": 1}),
                "after": ("add", {"a": "@choose"}),
            },
            {"n": "after"},
        )
    )
    assert result.status == "failed"
    outcomes = {name: report.outcome for name, report in result.nodes.items()}
    assert outcomes == {"bad": "failed", "choose": "skipped", "after": "skipped"}
    assert "'bad' failed" in result.nodes["after"].why


@pytest.mark.parametrize(("use", "number"), [(True, 5), (False, 0)])
def test_a_lazy_input_with_a_literal_may_be_awaited_or_not(house, flow, use, number):
    result = house.run(flow({"n": ("default_lazily", {"use": use})}, {"n": "n"}))
    gc.collect()  # a coroutine that was never awaited would warn now
    assert result["n"] == number


def test_values_of_a_long_chain_are_let_go_while_it_runs(house, flow):
    nodes = {"b0": ("block", {})}
    nodes |= {f"b{n}": ("block", {"after": f"@b{n - 1}"}) for n in range(1, 60)}
    nodes["most"] = ("count_blocks", {"block": "@b59"})
    house.open(memory=4_000_000)
    result = house.run(flow(nodes, {"most": "most"}))
    assert result.status == "done"
    # The budget has room for four; the ends of a link and a thread's frame may hold a few more.
    assert result["most"] <= 8


def test_the_values_of_a_run_go_with_its_result_without_the_garbage_collector(house, flow):
    house.open(memory=0)
    nodes = {"b0": ("block", {}), "b1": ("block", {"after": "@b0"})}
    nodes["n"] = ("count_blocks", {"block": "@b1"})
    blocks = flow(nodes, {"last": "b1", "n": "n"})
    gc.collect()
    gc.disable()
    try:
        result = house.run(blocks)
        kind = type(result["last"])
        assert kind.alive == 1
        del result
        time.sleep(0.1)  # a thread of the lanes may be leaving its job
        assert kind.alive == 0
    finally:
        gc.enable()


@pytest.mark.parametrize("cache", [True, False])
def test_what_a_run_still_needs_is_never_computed_twice_however_small_the_memory(
    house, flow, cache
):
    nodes = {f"b{n}": ("block", {"number": n}) for n in range(12)}
    nodes |= {f"n{n}": ("block_number", {"block": f"@b{n}"}) for n in range(12)}
    nodes["sum"] = ("total", {"numbers": [f"@n{n}" for n in range(12)]})
    nodes["last"] = ("block_number", {"block": "@b0"})
    nodes["choose"] = ("choose", {"first": False, "a": "@b1", "b": "@b2"})
    nodes["end"] = ("block_number", {"block": "@choose"})
    house.open(memory=1_000, cache=cache)
    result = house.run(flow(nodes, {"sum": "sum", "last": "last", "end": "end", "b": "b3"}))
    assert result["sum"] == 66
    assert result["end"] == 2
    assert set(house.ran().values()) == {1}


def test_only_what_was_asked_for_and_what_it_needs_runs(house, flow):
    result = house.run(flow(DIAMOND, {"sum": "end"}), only=["left"])
    assert house.ran() == {"top": 1, "left": 1}
    assert result.outputs == {}
    assert result.nodes.keys() == {"top", "left"}
    asked = house.run(flow(DIAMOND, {"sum": "end", "left": "left"}), only=["left"])
    assert asked.outputs.keys() == {"left"}
