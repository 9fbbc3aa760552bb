"""The document: read strictly, written canonically, nothing lost in between."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodeflow.errors import WorkflowError
from nodeflow.workflow import Link, Value, Workflow, json_schema, read_input

FULL = {
    "nodeflow": 1,
    "name": "Äpfel ✓",
    "nodes": {
        "b": {
            "type": "no.such_node",
            "inputs": {
                "z": {"node": "a", "output": "image"},
                "list": [{"node": "a", "output": "x"}, {"node": "a", "output": "y"}],
                "object": {"value": {"node": "not a link"}},
                "nothing": None,
                "half": 0.5,
            },
            "mode": "bypass",
            "colour": None,
            "tags": {},
        },
        "a": {"type": "group:g", "repeat": {"times": 3, "feed": {"o": "i"}, "note": []}},
    },
    "inputs": {"p": {"node": "a", "input": "i", "note": 1}, "q": [{"node": "a", "input": "j"}]},
    "outputs": {"image": {"node": "b", "output": ""}},
    "groups": {"g": {"nodes": {"n": {"type": "x.y"}}, "future": {"deep": [None]}}},
    "layout": {"nodes": {"b": {"at": [0, 0]}}},
    "later": None,
}


def _problems(text):
    with pytest.raises(WorkflowError) as caught:
        Workflow.parse(text)
    return caught.value.problems


names = st.text(max_size=8)
literals = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
_KNOWN = {
    "type", "inputs", "outputs", "mode", "repeat", "nodes", "layout", "groups", "nodeflow",
    "name", "node", "input", "output", "times", "until", "feed",
}  # fmt: skip
unknown = st.dictionaries(names.filter(lambda name: name not in _KNOWN), literals, max_size=2)


def _shape(required, optional=None):
    fixed = st.fixed_dictionaries(required, optional=optional or {})
    return st.builds(lambda known, extra: extra | known, fixed, unknown)


repeats = _shape(
    {"times": st.integers(1, 10_000)},
    {"until": st.none() | names, "feed": st.dictionaries(names, names, max_size=2)},
)
nodes = _shape(
    {"type": names},
    {
        "inputs": st.dictionaries(names, literals, max_size=3),
        "mode": st.sampled_from([None, "bypass", "mute"]),
        "repeat": st.none() | repeats,
    },
)
places = _shape({"node": names, "input": names})
graph = {
    "nodes": st.dictionaries(names, nodes, max_size=3),
    "inputs": st.dictionaries(names, places | st.lists(places, max_size=2), max_size=2),
    "outputs": st.dictionaries(names, _shape({"node": names}, {"output": names}), max_size=2),
    "layout": st.dictionaries(names, literals, max_size=2),
}
documents = _shape(
    {"nodeflow": st.just(1)},
    graph | {"name": st.text(), "groups": st.dictionaries(names, _shape({}, graph), max_size=2)},
)


@given(documents)
def test_what_is_saved_and_loaded_is_equal_and_its_text_is_a_fixed_point(document):
    workflow = Workflow.from_data(copy.deepcopy(document))
    text = workflow.dumps()
    again = Workflow.parse(text)
    assert again == workflow
    assert again.dumps() == text
    assert Workflow.parse(json.dumps(document)) == workflow


def _holds(saved, given):
    """Whether all that the document said is in what was saved."""
    if isinstance(given, dict):
        silent = {"mode": None, "repeat": None, "inputs": {}, "until": None}
        return all(
            (name in silent and value == silent[name] and name not in saved)
            or _holds(saved[name], value)
            for name, value in given.items()
        )
    return saved == given


@given(documents)
def test_unknown_keys_types_and_nulls_survive(document):
    assert _holds(json.loads(Workflow.from_data(document).dumps()), document)


def test_the_canonical_text_does_not_depend_on_the_order_of_keys():
    turned = json.loads(json.dumps(FULL), object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    text = Workflow.from_data(copy.deepcopy(FULL)).dumps()
    assert Workflow.from_data(turned).dumps() == text
    assert list(json.loads(text)) == [
        "nodeflow", "name", "nodes", "inputs", "outputs", "groups", "layout", "later",
    ]  # fmt: skip
    assert list(json.loads(text)["nodes"]) == ["a", "b"]
    assert '"at": [\n' in text
    assert "Äpfel ✓" in text


def test_the_canonical_text_is_pinned():
    flow = Workflow.from_data(
        {"nodeflow": 1, "nodes": {"n": {"inputs": {"b": 1, "a": [1.5]}, "type": "x.y"}}}
    )
    assert flow.dumps() == (
        '{\n  "nodeflow": 1,\n  "name": "",\n  "nodes": {\n    "n": {\n      "inputs": {\n'
        '        "a": [\n          1.5\n        ],\n        "b": 1\n      },\n'
        '      "type": "x.y"\n    }\n  },\n  "inputs": {},\n  "outputs": {},\n'
        '  "groups": {},\n  "layout": {}\n}\n'
    )


def test_a_saved_file_is_whole_and_leaves_nothing_beside_it(tmp_path):
    file = tmp_path / "flow.json"
    file.write_text("what was there")
    flow = Workflow.from_data(copy.deepcopy(FULL))
    flow.save(file)
    assert Workflow.load(file) == flow
    assert list(tmp_path.iterdir()) == [file]


def test_a_failed_save_leaves_the_old_file(tmp_path):
    file = tmp_path / "flow.json"
    Workflow(name="old").save(file)
    with pytest.raises(ValueError, match="JSON compliant"):
        Workflow(name="new", layout={"x": float("nan")}).save(file)
    assert Workflow.load(file).name == "old"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("", "not_json", "line 1, column 1"),
        ('{"nodeflow": 1,\n "nodes": {', "not_json", "line 2"),
        (b"\xff\xfe\xfd", "not_json", "It is no JSON"),
        ('{"nodeflow": 1, "nodeflow": 1}', "not_json", "'nodeflow' stands twice"),
        ('{"nodeflow": 1, "nodes": {"a": {"x": 1, "x": 2}}}', "not_json", "'x' stands twice"),
        ('{"nodeflow": 1, "x": NaN}', "not_json", "NaN is no JSON number"),
        ('{"nodeflow": 1, "x": -Infinity}', "not_json", "-Infinity is no JSON number"),
        ('{"nodeflow": 1, "x": 1e999}', "not_json", "1e999 is no JSON number"),
        ('{"nodeflow": 1, "x": "\\ud800"}', "not_json", "half a character"),
        (f'{{"nodeflow": 1, "x": {"9" * 5000}}}', "not_json", "4300 digits"),
        ("[" * 100_000, "too_deep", "100 levels"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "too_deep", "100 levels"),
        ('{"nodeflow": 1, "x": %s}' % ("[" * 200 + "]" * 200), "too_deep", "100 levels"),
        ("[]", "not_a_workflow", '"nodeflow"'),
        ("3", "not_a_workflow", '"nodeflow"'),
        ('{"nodes": {}}', "not_a_workflow", '"nodeflow"'),
        ('{"nodeflow": "1"}', "not_a_workflow", '"nodeflow"'),
        ('{"last_node_id": 3, "nodes": []}', "not_a_workflow", "ComfyUI"),
        ('{"nodeflow": 2}', "newer_format", "format 2; this nodeflow reads up to 1"),
        ('{"nodeflow": 1, "nodes": []}', "invalid_document", "an object"),
    ],
)
def test_what_is_no_workflow_is_refused_with_a_sentence(text, code, says):
    (problem,) = _problems(text)
    assert problem.code == code
    assert says in f"{problem.sentence} {problem.way_out}"


def test_a_whole_pair_of_surrogates_is_one_character():
    assert Workflow.parse('{"nodeflow": 1, "name": "\\ud83d\\ude00"}').name == "\U0001f600"


def test_every_fault_of_shape_is_told_at_its_place():
    document = {
        "nodeflow": 1,
        "nodes": {"a/b": {"type": 1}, "c": {"inputs": {}}, "d": {"type": "t", "mode": "off"}},
        "inputs": {"x": 3, "y": [{"node": "n"}], "InputPlace": {"node": 1, "input": "i"}},
        "outputs": {"o": {"node": "n", "output": None}},
        "groups": {"g": {"nodes": {"n": {"type": "t", "repeat": {"times": 0}}}}},
    }
    problems = _problems(json.dumps(document))
    places = {problem.pointer for problem in problems}
    assert {problem.code for problem in problems} == {"invalid_document"}
    assert places >= {
        "/nodes/a~1b/type",
        "/nodes/c",
        "/nodes/d/mode",
        "/inputs/x",
        "/inputs/y/0",
        "/inputs/InputPlace/node",
        "/outputs/o/output",
        "/groups/g/nodes/n/repeat/times",
    }
    assert len({(problem.pointer, problem.sentence) for problem in problems}) == len(problems)
    missing = next(problem for problem in problems if problem.pointer == "/nodes/c")
    assert "'type' is missing" in missing.sentence
    assert missing.node == "c"


def test_a_document_of_a_few_megabytes_survives():
    nodes = {
        f"n{i}": {"type": "a.b", "inputs": {"x": i * 0.1, "in": {"node": f"n{i - 1}"}}}
        for i in range(20_000)
    }
    workflow = Workflow.from_data({"nodeflow": 1, "nodes": nodes})
    text = workflow.dumps()
    assert len(text) > 2_000_000
    assert Workflow.parse(text) == workflow


def test_a_doubled_key_among_very_many_is_found_at_once():
    keys = ",".join(f'"k{i}": 0' for i in range(200_000))
    (problem,) = _problems(f'{{"nodeflow": 1, {keys}, "k199999": 1}}')
    assert "'k199999' stands twice" in problem.sentence


def test_files_that_cannot_be_read_say_why(tmp_path):
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(WorkflowError, match="cannot be read") as caught:
            Workflow.load(path)
        assert caught.value.source == str(path)


def test_a_file_above_the_limit_is_refused_unread(tmp_path):
    file = tmp_path / "big.json"
    with file.open("wb") as handle:
        handle.truncate((64 << 20) + 1)
    with pytest.raises(WorkflowError, match="too_large"):
        Workflow.load(file)


@pytest.mark.parametrize(
    ("raw", "meant"),
    [
        ({"node": "a", "output": "b"}, Link("a", "b")),
        ({"node": "a"}, Link("a", "")),
        ({"value": {"node": "a"}}, Value({"node": "a"})),
        ({"value": [{"a": 1}]}, Value([{"a": 1}])),
        ([1, 2], Value([1, 2])),
        ([], Value([])),
        ([{"node": "a"}, {"node": "b", "output": "c"}], (Link("a", ""), Link("b", "c"))),
        ("text", Value("text")),
        (None, Value(None)),
    ],
)
def test_an_object_is_a_link_and_everything_else_a_literal(raw, meant):
    assert read_input(raw) == meant


@pytest.mark.parametrize("raw", [{}, {"a": 1}, {"node": 1}, {"node": "a", "output": 2}, [{}, 1]])
def test_an_object_that_is_neither_is_refused(raw):
    with pytest.raises(ValueError, match="is no link"):
        read_input(raw)


def test_values_are_put_into_a_copy():
    flow = Workflow.from_data({"nodeflow": 1, "nodes": {"n": {"type": "t", "inputs": {"x": 1}}}})
    changed = flow.with_values({("n", "x"): 2, ("n", "y"): {"a": 1}})
    assert changed.nodes["n"].inputs == {"x": 2, "y": {"value": {"a": 1}}}
    assert flow.nodes["n"].inputs == {"x": 1}


def _fits(value, schema, root):
    """A validator for as much of JSON Schema as pydantic writes for these models."""
    if "$ref" in schema:
        return _fits(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema:
        return any(_fits(value, part, root) for part in schema["anyOf"])
    if "enum" in schema and value not in schema["enum"]:
        return False
    kinds = {
        "object": dict, "array": list, "string": str, "integer": int, "null": type(None),
    }  # fmt: skip
    if "type" in schema and not isinstance(value, kinds[schema["type"]]):
        return False
    if isinstance(value, list):
        return all(_fits(item, schema.get("items", {}), root) for item in value)
    if isinstance(value, dict):
        known = schema.get("properties", {})
        other = schema.get("additionalProperties", {})
        return set(schema.get("required", ())) <= value.keys() and all(
            _fits(item, known.get(name, other if isinstance(other, dict) else {}), root)
            for name, item in value.items()
        )
    return schema.get("minimum", value) <= value if isinstance(value, int) else True


@given(documents)
def test_every_saved_document_fits_the_published_schema(document):
    schema = json_schema()
    assert _fits(json.loads(Workflow.from_data(document).dumps()), schema, schema)


def test_the_published_schema_refuses_what_the_reader_refuses():
    schema = json_schema()
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert _fits(FULL, schema, schema)
    assert not _fits(FULL | {"nodes": {"a": {"inputs": {}}}}, schema, schema)
    assert not _fits(FULL | {"outputs": {"o": 3}}, schema, schema)
    assert not _fits({"nodes": {}}, schema, schema)
