"""A workflow that did not change is not planned again."""

from __future__ import annotations

import PIL.Image
import pytest

from nodeflow.engine import Engine
from nodeflow.settings import Settings
from nodeflow.workflow import Workflow


@pytest.fixture
def engine(tmp_path, cache):
    (tmp_path / "data" / "inputs").mkdir(parents=True)
    settings = Settings(cache=cache, data=tmp_path / "data")
    with Engine(settings, cache=False) as engine:
        yield engine


def picture(engine, name, colour):
    PIL.Image.new("RGB", (4, 4), colour).save(engine.settings.data / "inputs" / name)


def loading(name):
    return Workflow.from_data(
        {
            "nodeflow": 1,
            "nodes": {"load": {"type": "image.load", "inputs": {"file": name}}},
            "outputs": {"image": {"node": "load", "output": "image"}},
        }
    )


def number(value):
    return Workflow.from_data(
        {
            "nodeflow": 1,
            "nodes": {"n": {"type": "logic.number", "inputs": {"value": value}}},
            "outputs": {"n": {"node": "n", "output": "value"}},
        }
    )


def test_the_same_document_gives_the_same_plan_and_another_one_another(engine, tmp_path):
    plan = engine.plan(number(1))
    assert engine.plan(number(1)) is plan
    assert engine.plan(number(2)) is not plan
    assert engine.plan(number(1), out=tmp_path) is not plan
    assert engine.plan(number(1), only=["n"]) is not plan


def test_a_document_that_was_changed_in_place_is_planned_anew(engine):
    flow = number(1)
    before = engine.plan(flow)
    flow.nodes["n"].inputs["value"] = 2
    assert engine.plan(flow).keys != before.keys


def test_not_a_number_is_not_taken_for_null(engine):
    nothing = engine.plan(loading_compare(None))
    with pytest.raises(Exception, match="not finite"):
        engine.plan(loading_compare(float("nan")))
    assert engine.plan(loading_compare(None)) is nothing


def loading_compare(value):
    flow = Workflow(name="x")
    flow.add("logic.compare", id="c", a=1, b=2)
    flow.nodes["c"].inputs["a"] = value
    return flow


def test_a_file_that_changed_is_noticed(engine):
    picture(engine, "a.png", "red")
    plan = engine.plan(loading("a.png"))
    assert engine.plan(loading("a.png")) is plan
    picture(engine, "a.png", "blue")
    assert engine.plan(loading("a.png")).keys != plan.keys


def test_a_file_that_is_gone_is_a_problem_and_not_an_old_plan(engine):
    picture(engine, "a.png", "red")
    engine.plan(loading("a.png"))
    (engine.settings.data / "inputs" / "a.png").unlink()
    with pytest.raises(Exception, match=r"missing_file.*a\.png"):
        engine.plan(loading("a.png"))


def test_a_long_session_keeps_few_plans(engine):
    first = engine.plan(number(0))
    for value in range(1, 6):
        engine.plan(number(value))
    assert engine.plan(number(0)) is not first
