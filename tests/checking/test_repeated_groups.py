"""Groups that repeat, a number of times or until a condition holds."""

from __future__ import annotations


def group(**repeat) -> dict:
    return {
        "groups": {
            "round": {
                "nodes": {
                    "step": {"type": "tools.step_up", "inputs": {"end": 3}},
                },
                "inputs": {"a": {"node": "step", "input": "a"}},
                "outputs": {
                    "next": {"node": "step", "output": "next"},
                    "done": {"node": "step", "output": "done"},
                },
            }
        },
        "call": {"repeat": {"feed": {"next": "a"}, **repeat}},
    }


def test_a_group_repeats_with_its_outputs_fed_back(house, flow):
    repeated = flow({"call": ("group:round", {"a": 0})}, {"n": "call.next"}, **group(times=5))
    assert house.run(repeated)["n"] == 5
    assert len(house.ran()) == 5


def test_rounds_after_the_one_that_ended_it_never_run(house, flow):
    repeated = flow(
        {"call": ("group:round", {"a": 0})}, {"n": "call.next"}, **group(times=50, until="done")
    )
    assert house.run(repeated)["n"] == 3
    rounds = [name for name in house.ran() if name.endswith("/step")]
    assert sorted(rounds) == [f"call[{n}]/step" for n in (1, 2, 3)]
    house.open()
    assert house.run(repeated)["n"] == 3
    assert not house.ran()


def test_many_rounds_wait_for_each_other_without_polling(house, flow):
    repeated = flow(
        {"call": ("group:round", {"a": -400})}, {"n": "call.next"}, **group(times=500, until="done")
    )
    assert house.run(repeated)["n"] == 3
