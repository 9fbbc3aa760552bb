"""Groups, repeats, bypass and mute: a document becomes one flat graph."""

import pytest

from nodeflow.checking.checker import check
from nodeflow.checking.flatten import MAX_NODES, flatten
from nodeflow.roots import Roots
from nodeflow.workflow import Link, Value, Workflow


def link(text):
    node, _, output = text.partition(".")
    return {"node": node, "output": output} if output else {"node": node}


def node(kind, **inputs):
    return {"type": kind if ":" in kind else f"toy.{kind}", "inputs": inputs}


def place(text):
    name, _, item = text.partition(".")
    return {"node": name, "input": item}


@pytest.fixture
def flat(toys):
    def run(nodes, groups=None, **others):
        document = {"nodeflow": 1, "nodes": nodes, "groups": groups or {}, **others}
        return flatten(Workflow.from_data(document), toys.find)

    return run


@pytest.fixture
def problems(toys, tmp_path):
    (tmp_path / "cat.png").write_text("")
    roots = Roots.of([], tmp_path, [], anywhere=False)

    def run(nodes, groups=None, **others):
        document = {"nodeflow": 1, "nodes": nodes, "groups": groups or {}, **others}
        return check(Workflow.from_data(document), toys, roots).errors

    return run


STEP = {
    "nodes": {"n": node("number"), "half": node("half", value=link("n"))},
    "inputs": {"value": place("n.value")},
    "outputs": {"result": link("half.float")},
}
SUM = {
    "nodes": {"a": node("number"), "done": node("keep", value=link("a"))},
    "inputs": {"value": place("a.value")},
    "outputs": {"value": link("a.int"), "done": link("done.bool")},
}


def test_a_group_is_flattened_to_ids_below_its_call(flat):
    found = flat(
        {
            "x": node("number"),
            "g": node("group:step", value=link("x")),
            "y": node("half", value=link("g.result")),
        },
        {"step": STEP},
    )
    assert set(found.nodes) == {"x", "g/n", "g/half", "y"}
    assert found.nodes["g/n"].inputs == {"value": Link("x", "")}
    assert found.nodes["g/half"].inputs == {"value": Link("g/n", "")}
    assert found.nodes["y"].inputs == {"value": Link("g/half", "float")}
    assert not found.findings.problems


def test_groups_nest_and_literals_pass_through(flat):
    outer = {
        "nodes": {"inner": node("group:step")},
        "inputs": {"v": place("inner.value")},
        "outputs": {"r": link("inner")},
    }
    found = flat(
        {"o": node("group:outer", v=7), "p": node("group:outer", v=8)},
        {"step": STEP, "outer": outer},
        outputs={"r": link("o"), "s": link("p.r")},
    )
    assert found.nodes["o/inner/n"].inputs == {"value": Value(7)}
    assert found.nodes["p/inner/n"].inputs == {"value": Value(8)}
    assert found.outputs == {"r": Link("o/inner/half", "float"), "s": Link("p/inner/half", "float")}


def test_an_exposed_input_may_feed_several_places(flat):
    group = {
        "nodes": {"a": node("number"), "b": node("number")},
        "inputs": {"v": [place("a.value"), place("b.value")]},
    }
    found = flat({"g": node("group:two", v=3)}, {"two": group})
    assert found.nodes["g/a"].inputs == found.nodes["g/b"].inputs == {"value": Value(3)}


def test_faults_of_what_a_call_gives_point_at_the_call(problems):
    (problem,) = problems({"g": node("group:step", value="seven")}, {"step": STEP})
    assert (problem.node, problem.input) == ("g/n", "value")
    assert problem.pointer == "/nodes/g/inputs/value"


def test_a_fault_inside_a_group_is_told_once_for_all_its_calls(problems):
    group = {"nodes": {"n": node("number", value="x")}}
    nodes = {f"g{i}": node("group:bad") for i in range(5)}
    nodes["r"] = node("group:bad") | {"repeat": {"times": 50}}
    (problem,) = problems(nodes, {"bad": group})
    assert problem.pointer == "/groups/bad/nodes/n/inputs/value"
    assert problem.node == "g0/n"


def test_a_group_that_runs_n_times_feeds_its_outputs_back(flat):
    call = node("group:sum", value=1) | {"repeat": {"times": 3, "feed": {"value": "value"}}}
    found = flat({"g": call}, {"sum": SUM}, outputs={"v": link("g.value")})
    assert found.nodes["g[1]/a"].inputs == {"value": Value(1)}
    assert found.nodes["g[2]/a"].inputs == {"value": Link("g[1]/a", "int")}
    assert found.nodes["g[3]/a"].inputs == {"value": Link("g[2]/a", "int")}
    assert found.outputs == {"v": Link("g[3]/a", "int")}
    assert len(found.nodes) == 6


def test_a_group_that_runs_until_a_condition_chooses_lazily_between_rounds(toys, flat, problems):
    repeat = {"times": 3, "until": "done", "feed": {"value": "value"}}
    nodes = {"g": node("group:sum", value=1) | {"repeat": repeat}}
    found = flat(nodes, {"sum": SUM}, outputs={"v": link("g.value")})
    first = found.nodes["g[1]/until:value"]
    assert found.outputs == {"v": Link("g[1]/until:value", "value")}
    assert first.inputs == {
        "done": Link("g[1]/done", "bool"),
        "now": Link("g[1]/a", "int"),
        "later": Link("g[2]/until:value", "value"),
    }
    assert found.nodes["g[2]/until:value"].inputs["later"] == Link("g[3]/a", "int")
    assert first.spec.input("later").lazy
    assert not problems(nodes, {"sum": SUM}, outputs={"v": link("g.value")})


def test_an_until_that_is_no_bool_points_at_the_repeat(problems):
    repeat = {"times": 2, "until": "value"}
    nodes = {"g": node("group:sum") | {"repeat": repeat}}
    told = problems(nodes, {"sum": SUM}, outputs={"v": link("g.value")})
    assert {problem.code for problem in told} == {"wrong_type"}
    assert {problem.pointer for problem in told} == {"/nodes/g/repeat/until"}


@pytest.mark.parametrize(
    ("repeat", "pointer"),
    [
        ({"times": 2, "until": "dnoe"}, "/nodes/g/repeat/until"),
        ({"times": 2, "feed": {"valu": "value"}}, "/nodes/g/repeat/feed/valu"),
        ({"times": 2, "feed": {"value": "valu"}}, "/nodes/g/repeat/feed/value"),
    ],
)
def test_a_repeat_that_names_what_its_group_lacks_is_told(problems, repeat, pointer):
    (problem,) = problems({"g": node("group:sum") | {"repeat": repeat}}, {"sum": SUM})
    assert (problem.code, problem.pointer) == ("wrong_repeat", pointer)
    assert problem.way_out.startswith("Did you mean")


def test_what_saves_in_every_round_cannot_repeat_until(problems):
    group = {
        "nodes": {
            "in": node("load", file="cat.png"),
            "save": node("save", image=link("in.picture")),
            "done": node("keep", value=1),
        },
        "outputs": {"done": link("done")},
    }
    (problem,) = problems(
        {"g": node("group:s") | {"repeat": {"times": 2, "until": "done"}}}, {"s": group}
    )
    assert (problem.code, problem.pointer) == ("wrong_repeat", "/nodes/g/repeat/until")
    assert not problems({"g": node("group:s") | {"repeat": {"times": 2}}}, {"s": group})


def test_a_group_in_itself_is_told_with_its_path(problems):
    groups = {"a": {"nodes": {"x": node("group:b")}}, "b": {"nodes": {"y": node("group:a")}}}
    (problem,) = problems({"g": node("group:a")}, groups)
    assert problem.code == "group_recursion"
    assert "a -> b -> a" in problem.sentence
    assert problem.pointer == "/groups/b/nodes/y/type"


def test_groups_nested_too_deep_are_told(problems):
    groups = {f"g{i}": {"nodes": {"x": node(f"group:g{i + 1}")}} for i in range(40)}
    groups["g40"] = {"nodes": {"n": node("number")}}
    (problem,) = problems({"g": node("group:g0")}, groups)
    assert problem.code == "group_recursion"
    assert "deeper than 30" in problem.sentence


def test_groups_of_groups_that_explode_are_told_at_once(problems):
    groups = {
        f"g{i}": {"nodes": {"x": node(f"group:g{i + 1}"), "y": node(f"group:g{i + 1}")}}
        for i in range(28)
    }
    groups["g28"] = {"nodes": {}}
    told = problems({"g": node("group:g0")}, groups)
    assert {problem.code for problem in told} == {"too_many_nodes"}
    assert str(MAX_NODES) in told[0].sentence


def test_a_repeat_of_too_many_nodes_is_told_once(problems):
    group = {"nodes": {f"n{i}": node("number") for i in range(100)}}
    (problem,) = problems({"g": node("group:big") | {"repeat": {"times": 10_000}}}, {"big": group})
    assert problem.code == "too_many_nodes"


def test_what_a_call_gives_or_takes_that_is_not_there_is_told(problems):
    nodes = {
        "g": node("group:step", valeu=1),
        "x": node("half", value=link("g.reslt")),
        "y": node("half", value=link("h")),
        "h": node("group:sum"),
    }
    told = {
        (problem.node, problem.code): problem
        for problem in problems(nodes, {"step": STEP, "sum": SUM})
    }
    assert told.keys() == {("g", "unknown_input"), ("x", "dangling_link"), ("y", "dangling_link")}
    assert told["g", "unknown_input"].way_out == "Did you mean 'value'?"
    assert told["x", "dangling_link"].way_out == "Did you mean 'result'?"
    assert told["y", "dangling_link"].way_out == "There is: value, done."


def test_a_group_output_from_nothing_is_told_in_the_group_alone(problems):
    group = {"nodes": {"n": node("number")}, "outputs": {"o": link("m.int")}}
    nodes = {"g": node("group:odd"), "x": node("half", value=link("g"))}
    (problem,) = problems(nodes, {"odd": group}, outputs={"o": link("g.o")})
    assert (problem.code, problem.pointer) == ("dangling_link", "/groups/odd/outputs/o")


def test_a_bypassed_node_hands_its_first_fitting_input_through(flat):
    nodes = {
        "in": node("load", file="cat.png"),
        "a": node("blur", image=link("in.image")) | {"mode": "bypass"},
        "b": node("blur", image=link("a")) | {"mode": "bypass"},
        "c": node("sheet", images=[link("b.image"), link("in.picture")]),
    }
    found = flat(nodes, outputs={"o": link("b")})
    assert set(found.nodes) == {"in", "c"}
    assert found.nodes["c"].inputs == {"images": (Link("in", "image"), Link("in", "picture"))}
    assert found.outputs == {"o": Link("in", "image")}


def test_a_bypassed_node_may_hand_a_literal_through(flat, problems):
    nodes = {
        "n": node("number", value=3) | {"mode": "bypass"},
        "h": node("half", value=link("n")),
    }
    assert flat(nodes).nodes["h"].inputs == {"value": Value(3)}
    (problem,) = problems(nodes, outputs={"o": link("n")})
    assert "is a literal" in problem.sentence


def test_a_bypassed_node_must_only_stand_in_for_outputs_that_are_taken(problems):
    nodes = {
        "load": node("load", file="cat.png") | {"mode": "bypass"},
        "n": node("number"),
    }
    assert problems(nodes) == []
    taken = nodes | {"b": node("blur", image=link("load.picture"))}
    assert [(item.code, item.node) for item in problems(taken)] == [("bypass_impossible", "load")]
    exposed = problems(nodes, outputs={"o": link("load.picture")})
    assert [(item.code, item.node) for item in exposed] == [("bypass_impossible", "load")]


def test_bypassed_nodes_in_a_ring_are_a_cycle(problems):
    nodes = {
        "a": node("blur", image=link("b")) | {"mode": "bypass"},
        "b": node("blur", image=link("a")) | {"mode": "bypass"},
        "c": node("blur", image=link("a")),
    }
    told = problems(nodes)
    assert {problem.code for problem in told} == {"cycle"}
    assert {problem.node for problem in told} == {"a", "b"}


def test_the_mode_of_a_call_holds_for_all_that_is_in_it_and_mute_wins(flat):
    group = {
        "nodes": {
            "a": node("blur"),
            "b": node("blur", image=link("a")) | {"mode": "mute"},
        },
        "inputs": {"image": place("a.image")},
        "outputs": {"image": link("a")},
    }
    nodes = {
        "in": node("load", file="cat.png"),
        "g": node("group:two", image=link("in.picture")) | {"mode": "bypass"},
        "h": node("group:two", image=link("in.picture")) | {"mode": "mute"},
        "x": node("blur", image=link("g")),
    }
    found = flat(nodes, {"two": group})
    assert found.nodes["x"].inputs == {"image": Link("in", "picture")}
    assert {name: item.mode for name, item in found.nodes.items() if item.mode} == {
        "g/b": "mute",
        "h/a": "mute",
        "h/b": "mute",
    }
