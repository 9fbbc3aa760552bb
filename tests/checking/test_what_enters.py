"""What enters a node that is sound: defaults, earlier names, lists, types, facts."""

from tests.checking.documents import LOAD, link, node


def test_defaults_stand_in_for_what_is_not_given(checked):
    found = checked({"in": LOAD, "x": node("sample", latent=link("in.latent"), guidance=3)})
    assert found.nodes["x"].literals == {
        "seed": 0, "steps": 20, "guidance": 3.0, "method": "euler", "size": "small",
        "text": "", "exact": False,
    }  # fmt: skip
    assert isinstance(found.nodes["x"].literals["guidance"], float)


def test_files_may_be_optional_or_have_a_default(checked):
    found = checked({"a": node("optional_file"), "b": node("optional_file", file=None)})
    assert found.nodes["a"].literals == found.nodes["b"].literals == {"file": None}
    (problem,) = checked({"c": node("default_file")}).errors
    assert (problem.code, problem.pointer) == ("missing_file", "/nodes/c")


def test_earlier_names_of_types_inputs_and_outputs_still_load(checked):
    nodes = {
        "in": {"type": "old.load", "inputs": {"file": "cat.png"}},
        "x": node("sample", latent=link("in.latent"), cfg=3.5),
        "save": node("save", image=link("in.image")),
    }
    found = checked(
        nodes, outputs={"p": link("in.image")}, inputs={"g": {"node": "x", "input": "cfg"}}
    )
    assert not found.errors
    assert found.nodes["in"].spec.id == "toy.load"
    assert found.nodes["x"].literals["guidance"] == 3.5
    assert found.nodes["save"].links["image"].output == "picture"
    assert found.outputs["p"].output == "picture"


def test_a_fault_in_a_renamed_input_points_at_its_earlier_name(checked):
    (problem,) = checked({"in": LOAD, "x": node("sample", latent=link("in.latent"), cfg=99)}).errors
    assert problem.pointer == "/nodes/x/inputs/cfg"
    assert problem.input == "guidance"


def test_two_names_of_one_input_are_a_problem(checked):
    nodes = {"in": LOAD, "x": node("sample", latent=link("in.latent"), cfg=1.0, guidance=2.0)}
    (problem,) = checked(nodes).errors
    assert (problem.code, problem.input) == ("unknown_input", "cfg")


def test_a_list_into_a_single_input_maps_the_node_and_what_follows(checked):
    nodes = {
        "n": node("numbers"),
        "half": node("half", value=link("n")),
        "sum": node("total", numbers=[1, 2]),
        "one": node("total", numbers=link("sum")),
        "all": node("total", numbers=link("n")),
    }
    found = checked(nodes)
    assert not found.errors
    assert (found.nodes["half"].joins["value"], found.nodes["half"].mapped) == ("each", True)
    assert found.nodes["half"].types == {"float": "list[float]"}
    assert found.nodes["half"].enters == {"value": "int"}
    assert found.nodes["one"].joins["numbers"] == "wrap"
    assert found.nodes["all"].joins["numbers"] == "direct"
    assert found.nodes["all"].types == {"int": "int"}


def test_two_lists_into_one_node_are_zipped(checked):
    found = checked({"n": node("numbers"), "x": node("same", a=link("n"), b=link("n"))})
    assert not found.errors
    assert found.nodes["x"].joins == {"a": "each", "b": "each"}
    assert found.nodes["x"].types == {"value": "list[int]"}


def test_a_list_of_lists_does_not_enter_where_one_item_is_wanted(checked):
    nodes = {
        "n": node("numbers"),
        "lists": node("same", a=link("n"), b=link("n")),
        "keep": node("first", items=link("lists")),
        "nested": node("switch", condition=True, yes=link("lists"), no=link("lists")),
        "half": node("half", value=link("nested")),
    }
    found = checked(nodes)
    assert found.nodes["keep"].types == {"value": "int"}
    assert found.nodes["nested"].types == {"value": "list[int]"}
    assert not found.errors


def test_a_growing_input_takes_links_lists_and_nothing(checked):
    nodes = {
        "in": LOAD,
        "none": node("sheet"),
        "empty": node("sheet", images=[]),
        "one": node("sheet", images=link("in.picture")),
        "two": node("sheet", images=[link("in.picture"), link("one")]),
    }
    found = checked(nodes)
    assert not found.errors
    assert found.nodes["two"].joins["images"] == ("direct", "direct")
    assert found.nodes["two"].enters == {"images": "Image"}
    assert [item.node for item in found.nodes["one"].links["images"]] == ["in"]
    (problem,) = checked({"x": node("sheet", images=[link("gone")])}).errors
    assert problem.code == "dangling_link"


def test_type_variables_are_bound_by_what_enters(checked):
    nodes = {
        "in": LOAD,
        "pick": node("switch", condition=True, yes=link("in.picture"), no=link("in.picture")),
        "blur": node("blur", image=link("pick")),
        "mixed": node("same", a=1, b=2.5),
        "half": node("half", value=link("mixed")),
        "any": node("keep", value=link("in.latent")),
    }
    found = checked(nodes)
    assert not found.errors
    assert found.nodes["pick"].types == {"value": "Image"}
    assert found.nodes["mixed"].types == {"value": "float"}
    assert found.nodes["any"].enters == {"value": "Latent"}
    nodes["pick"]["inputs"]["no"] = link("in.latent")
    (problem,) = checked(nodes).errors
    assert (problem.code, problem.node, problem.input) == ("wrong_type", "pick", "no")


def test_facts_reach_the_check_of_what_follows(checked):
    nodes = {
        "in": LOAD,
        "a": node("patch", base=link("in.picture"), family="cat"),
        "b": node("patch", base=link("a"), family="whatever"),
    }
    assert not checked(nodes).errors  # `patch` says no facts, so nothing is known behind it


def test_hooks_are_not_asked_about_nodes_that_are_wrong_anyway(checked):
    nodes = {"in": LOAD, "x": node("patch", base=link("in.picture"), family=3)}
    (problem,) = checked(nodes).errors
    assert problem.code == "wrong_value"


def test_mute_takes_out_what_depends_on_a_node(checked):
    nodes = {
        "in": LOAD,
        "a": node("blur", image=link("in.picture")) | {"mode": "mute"},
        "b": node("blur", image=link("a")),
        "sheet": node("sheet", images=[link("in.picture"), link("b")]),
        "note": node("keep", value=1, note=link("c")),
        "c": node("number") | {"mode": "mute"},
    }
    found = checked(nodes, outputs={"s": link("sheet"), "n": link("note")})
    assert not found.problems
    assert {item.id for item in found.nodes.values() if item.muted} == {"a", "b", "c", "note"}
    assert [item.node for item in found.nodes["sheet"].links["images"]] == ["in"]
