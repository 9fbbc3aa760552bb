"""The checker: every problem at once, each with code, place, sentence and way out."""

import pytest

from nodeflow.checking.checker import check
from nodeflow.workflow import Workflow
from tests.checking.documents import FINE, LOAD, link, node

BAD = {
    # code: nodes, (node, input, pointer), what the sentence and the way out say
    "unknown_type": ({"x": node("sampel")}, ("x", None, "/nodes/x/type"), "'toy.sample'?"),
    "missing_input": ({"x": node("decode")}, ("x", "latent", "/nodes/x"), "Link an output of type"),
    "wrong_type": (
        {"x": node("decode", latent=link("in.picture"))},
        ("x", "latent", "/nodes/x/inputs/latent"),
        "takes Latent, but 'in.picture' is Image. Link an output of type Latent",
    ),
    "out_of_limits": (
        {"x": node("sample", latent=link("in.latent"), steps=101)},
        ("x", "steps", "/nodes/x/inputs/steps"),
        "Give a whole number, at least 1, at most 100",
    ),
    "not_a_choice": (
        {"x": node("sample", latent=link("in.latent"), method="eular")},
        ("x", "method", "/nodes/x/inputs/method"),
        "Did you mean 'euler'?",
    ),
    "wrong_value": (
        {"x": node("sample", latent=link("in.latent"), exact=1)},
        ("x", "exact", "/nodes/x/inputs/exact"),
        "Give true or false",
    ),
    "missing_file": (
        {"x": node("load", file="cta.png")},
        ("x", "file", "/nodes/x/inputs/file"),
        "the nearest is 'cat.png'",
    ),
    "dangling_link": (
        {"x": node("blur", image=link("inn.picture"))},
        ("x", "image", "/nodes/x/inputs/image"),
        "Did you mean 'in'?",
    ),
    "unknown_input": (
        {"x": node("blur", image=link("in.picture"), amuont=1.0)},
        ("x", "amuont", "/nodes/x/inputs/amuont"),
        "Did you mean 'amount'?",
    ),
    "cycle": (
        {"x": node("blur", image=link("y")), "y": node("blur", image=link("x"))},
        ("x", None, "/nodes/x"),
        "x -> y -> x",
    ),
    "unknown_group": ({"x": node("group:gg")}, ("x", None, "/nodes/x/type"), "'gg'"),
    "wrong_repeat": (
        {"x": node("number") | {"repeat": {"times": 2}}},
        ("x", None, "/nodes/x/repeat"),
        "only groups can",
    ),
    "wrong_id": ({"a/b": node("number")}, ("a/b", None, "/nodes/a~1b"), "another id"),
    "bypass_impossible": (
        {"x": LOAD | {"mode": "bypass"}, "y": node("blur", image=link("x.picture"))},
        ("x", None, "/nodes/x"),
        "Mute it",
    ),
    "check_failed": (
        {"x": node("patch", base=link("in.picture"), family="sdxl")},
        ("x", None, "/nodes/x"),
        "the picture is of the family cat, not sdxl.",
    ),
    "broken_pack": (
        {"x": {"type": "shaky.fragile", "inputs": {}}},
        ("x", None, "/nodes/x"),
        "KeyError: 'nobody thought of this'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("code", BAD)
def test_every_fault_has_its_code_place_and_way_out(checked, code):
    nodes, (node_id, name, pointer), says = BAD[code]
    found = checked(FINE | nodes)
    assert found.errors, found.problems
    problem = found.errors[0]
    assert {item.code for item in found.errors} == {code}
    assert (problem.node, problem.input, problem.pointer) == (node_id, name, pointer)
    assert says in f"{problem.sentence} {problem.way_out}"
    assert problem.line("f.json").startswith(f"f.json#{pointer}: {code}: ")


def test_a_sound_workflow_has_no_problem(checked):
    found = checked(FINE, outputs={"picture": link("in.picture")})
    assert not found.problems
    assert list(found.nodes) == ["in", "save"]
    assert found.outputs["picture"].output == "picture"
    assert found.nodes["in"].files["file"].name == "cat.png"


def test_all_problems_are_found_at_once(checked):
    nodes = {}
    for number, (others, _, _) in enumerate(BAD.values()):
        for name, entry in others.items():
            renamed = {
                key: link(f"{value['node']}{number}.{value.get('output', '')}".rstrip("."))
                if isinstance(value, dict) and value["node"] in others
                else value
                for key, value in entry["inputs"].items()
            }
            nodes[f"{name}{number}"] = entry | {"inputs": renamed}
    assert {problem.code for problem in checked(FINE | nodes).errors} == set(BAD)


@pytest.mark.parametrize(
    ("entry", "code", "says"),
    [
        (node("sample", latent=link("in.latent"), steps=True), "wrong_value", "True"),
        (node("sample", latent=link("in.latent"), steps=20.0), "wrong_value", "20.0"),
        (node("sample", latent=link("in.latent"), steps="20"), "wrong_value", "'20'"),
        (node("sample", latent=link("in.latent"), guidance=True), "wrong_value", "number"),
        (node("sample", latent=link("in.latent"), seed=-1), "out_of_limits", "at least 0"),
        (node("sample", latent=link("in.latent"), seed=2**53), "out_of_limits", "at most"),
        (node("sample", latent=link("in.latent"), size="huge"), "not_a_choice", '"large"'),
        (node("sample", latent=link("in.latent"), text=None), "wrong_value", "text"),
        (node("sample", latent=3), "wrong_type", "not the value 3"),
        (node("blur", image=[link("in.picture")]), "wrong_type", "takes one link"),
        (node("blur", image={"nod": "in"}), "wrong_value", "is no link"),
        (node("blur", image=link("in.pictures")), "dangling_link", "'picture'?"),
        (node("blur", image=link("in")), "dangling_link", "picture, latent"),
        (node("blur", image=link("save.x")), "dangling_link", "There is: none"),
        (node("load", file="../cat.png"), "missing_file", "lies outside"),
        (node("load", file="/etc/passwd"), "missing_file", "lies outside"),
        (node("load", file=""), "out_of_limits", "at least 1 character"),
        (node("same", a=1, b="x"), "wrong_type", "takes int"),
        (node("half", value=link("text")), "wrong_type", "takes float"),
        (node("zzz"), "unknown_type", "The pack 'toy' has no such node"),
        ({"type": "other_pack.f"}, "unknown_type", "Install the pack 'other_pack'"),
    ],
)
def test_one_wrong_input_is_one_problem_that_says_what_is_wanted(checked, entry, code, says):
    nodes = {"x": entry, "text": node("first", items=link("words")), "words": node("words")}
    (problem,) = checked(FINE | nodes).errors
    assert problem.code == code
    assert says in f"{problem.sentence} {problem.way_out}"


def test_an_exposed_input_that_feeds_nothing_is_told(checked):
    found = checked(
        FINE,
        inputs={
            "a": {"node": "inn", "input": "file"},
            "b/c": [{"node": "in", "input": "file"}, {"node": "in", "input": "fiel"}],
            "fine": {"node": "save", "input": "image"},
        },
    )
    assert [(problem.code, problem.pointer) for problem in found.errors] == [
        ("unknown_exposed", "/inputs/a"),
        ("unknown_exposed", "/inputs/b~1c"),
    ]
    assert "'in'?" in found.errors[0].way_out
    assert "'file'?" in found.errors[1].way_out


def test_an_output_that_comes_from_nothing_is_told(checked):
    found = checked(
        FINE,
        outputs={"a/b": link("inn.picture"), "b": link("in.pictur"), "c": link("in")},
    )
    assert [(problem.code, problem.pointer) for problem in found.errors] == [
        ("dangling_link", "/outputs/a~1b"),
        ("dangling_link", "/outputs/b"),
        ("dangling_link", "/outputs/c"),
    ]


def test_warnings_are_no_errors_and_come_last(checked):
    nodes = {
        "old": node("smear", image=link("in.picture")),
        "save": node("save", image=link("old")),
        "idle": node("number"),
    }
    found = checked({"in": LOAD} | nodes)
    assert not found.errors
    told = [(problem.code, problem.node, problem.severity) for problem in found.problems]
    assert told == [("deprecated", "old", "warning"), ("unused_node", "idle", "warning")]
    assert found.problems[0].way_out == "Use toy.blur."
    both = checked({"in": LOAD} | nodes | {"x": node("decode")})
    assert [problem.severity for problem in both.problems] == ["error"] + ["warning"] * 3


def test_of_many_nodes_that_nobody_needs_a_few_are_named_and_the_rest_counted(checked):
    idle = {f"idle{number}": node("number") for number in range(500)}
    told = checked(FINE | idle).problems
    assert [problem.code for problem in told] == ["unused_node"] * 5 + ["unused_nodes"]
    assert told[-1].sentence == "Nor does anything need 495 more nodes."


def test_a_graph_of_which_nothing_is_wanted_has_one_warning(checked):
    (problem,) = checked({f"idle{number}": node("number") for number in range(500)}).problems
    assert (problem.code, problem.severity) == ("nothing_wanted", "warning")
    assert "nothing to run" in problem.sentence
    assert not checked({}).problems


def test_faults_in_and_behind_a_cycle_are_found_too(checked):
    nodes = {
        "x": node("blur", image=link("y"), amount="much"),
        "y": node("blur", image=link("x")),
        "z": node("blur", image=link("y"), amount="little"),
        "self": node("blur", image=link("self")),
    }
    told = sorted((problem.code, problem.node) for problem in checked(nodes).errors)
    cycles = [node for code, node in told if code == "cycle"]
    assert len(cycles) == 2
    assert "self" in cycles
    assert [item for item in told if item[0] != "cycle"] == [
        ("wrong_value", "x"),
        ("wrong_value", "z"),
    ]


def test_a_cycle_through_ten_thousand_nodes_is_told_in_a_short_sentence(checked):
    count = 10_000
    nodes = {f"n{i}": node("blur", image=link(f"n{(i - 1) % count}")) for i in range(count)}
    (problem,) = checked(nodes).errors
    assert problem.code == "cycle"
    assert len(problem.sentence) < 300


def test_thousands_of_faults_are_told_in_seconds(checked):
    nodes = {f"n{i}": node("blur", image=link(f"m{i}")) for i in range(3_000)}
    assert len(checked(nodes).errors) == 3_000


def test_what_hangs_on_a_broken_node_is_not_blamed(checked):
    nodes = {
        "x": {"type": "gone.f", "inputs": {}},
        "y": node("blur", image=link("x")),
        "g": {"type": "group:gone"},
        "z": node("blur", image=link("g.out")),
    }
    told = [(problem.code, problem.node) for problem in checked(nodes).errors]
    assert sorted(told) == [("unknown_group", "g"), ("unknown_type", "x")]


def test_a_broken_pack_is_named_as_the_reason(shelf, roots):
    shelf.write("sick", nodes="from nodeflow import node\nraise RuntimeError('fever')")
    workflow = Workflow.from_data({"nodeflow": 1, "nodes": {"x": {"type": "sick.f"}}})
    (problem,) = check(workflow, shelf.registry(), roots).errors
    assert "Its pack does not work" in problem.way_out
    assert "fever" in problem.way_out
