from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodeflow.registry import Registry
from nodeflow.server.seeds import SeedPlace, batch_of, find_seeds
from nodeflow.workflow import Workflow
from tests.server.desk_tools import catalog_of, document, settings_in


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    folder: Path = tmp_path_factory.mktemp("seeds")
    return catalog_of(settings_in(folder)).registry


def flow(nodes: dict[str, Any], **more: Any) -> Workflow:
    return Workflow.from_data(document(nodes, **more))


def dice(**inputs: Any) -> dict[str, Any]:
    return {"type": "dice.roll", "inputs": inputs}


def test_seeds_are_found_by_their_mark_and_only_if_no_link_feeds_them(registry: Registry) -> None:
    workflow = flow(
        {
            "written": dice(seed=5),
            "default": dice(),
            "old_name": dice(chance=7),
            "linked": dice(seed={"node": "written"}),
            "small": {"type": "dice.flip"},
            "other": {"type": "tools.add", "inputs": {"a": 1}},
            "unknown": {"type": "dice.none", "inputs": {"seed": 1}},
            "wrong": dice(seed="x"),
            "truth": dice(seed=True),
        }
    )
    assert find_seeds(workflow, registry) == [
        SeedPlace(None, "written", "seed", 5, 2**53 - 1),
        SeedPlace(None, "default", "seed", 0, 2**53 - 1),
        SeedPlace(None, "old_name", "chance", 7, 2**53 - 1),
        SeedPlace(None, "small", "seed", 8, 9),
    ]


def test_each_job_counts_on_and_begins_anew_at_the_limit(registry: Registry) -> None:
    workflow = flow({"big": dice(seed=2**53 - 2), "small": {"type": "dice.flip"}})
    jobs = list(batch_of(workflow, find_seeds(workflow, registry), 4, None))
    assert jobs[0] == workflow
    assert [job.nodes["big"].inputs["seed"] for job in jobs] == [2**53 - 2, 2**53 - 1, 0, 1]
    assert [job.nodes["small"].inputs.get("seed", 8) for job in jobs] == [8, 9, 0, 1]


def test_listed_seeds_go_into_every_place(registry: Registry) -> None:
    workflow = flow({"a": dice(seed=5), "b": dice(), "other": {"type": "tools.add"}})
    jobs = list(batch_of(workflow, find_seeds(workflow, registry), 1, [3, 3, 9]))
    found = [[job.nodes[name].inputs["seed"] for name in "ab"] for job in jobs]
    assert found == [[3, 3], [3, 3], [9, 9]]
    assert all(job.nodes["other"].inputs == {} for job in jobs)


def test_seeds_inside_of_groups_and_of_their_calls_count_too(registry: Registry) -> None:
    group = {
        "nodes": {"inner": dice(seed=1)},
        "inputs": {"chance": {"node": "inner", "input": "seed"}},
        "outputs": {"o": {"node": "inner"}},
    }
    outer = {
        "nodes": {"call": {"type": "group:g"}},
        "inputs": {"luck": [{"node": "call", "input": "chance"}]},
        "outputs": {"o": {"node": "call"}},
    }
    workflow = flow(
        {
            "given": {"type": "group:outer", "inputs": {"luck": 4}},
            "plain": {"type": "group:g"},
            "lost": {"type": "group:none", "inputs": {"luck": 4}},
        },
        groups={"g": group, "outer": outer},
    )
    places = find_seeds(workflow, registry)
    assert {(place.group, place.node, place.input) for place in places} == {
        (None, "given", "luck"),
        ("g", "inner", "seed"),
    }
    second = list(batch_of(workflow, places, 2, None))[1]
    assert second.nodes["given"].inputs["luck"] == 5
    assert second.groups["g"].nodes["inner"].inputs["seed"] == 2
    assert workflow.groups["g"].nodes["inner"].inputs["seed"] == 1


def test_groups_that_contain_themselves_end(registry: Registry) -> None:
    group = {
        "nodes": {"again": {"type": "group:g", "inputs": {"x": 1}}},
        "inputs": {"x": {"node": "again", "input": "x"}},
    }
    workflow = flow({"call": {"type": "group:g", "inputs": {"x": 1}}}, groups={"g": group})
    assert find_seeds(workflow, registry) == []


@given(base=st.integers(0, 9), count=st.integers(1, 10))
def test_seeds_of_a_batch_differ_as_long_as_there_are_enough(
    registry: Registry, base: int, count: int
) -> None:
    workflow = flow({"small": {"type": "dice.flip", "inputs": {"seed": base}}})
    jobs = batch_of(workflow, find_seeds(workflow, registry), count, None)
    seeds = [job.nodes["small"].inputs["seed"] for job in jobs]
    assert len(set(map(str, seeds))) == count
    assert all(isinstance(seed, int) and 0 <= seed <= 9 for seed in seeds)
