"""Older formats of the document become today's."""

import pytest

from nodeflow.errors import WorkflowError
from nodeflow.migrations import FORMAT, STEPS
from nodeflow.workflow import Workflow

OLD = {
    "nodeflow": 0,
    "name": "Prototype",
    "nodes": [
        {"id": "load", "type": "image.load", "inputs": {"file": "a.png"}, "note": "kept"},
        {"id": "blur", "type": "image.blur", "inputs": {"image": {"link": ["load", "image"]}}},
    ],
}


def test_every_older_format_has_a_step():
    assert sorted(STEPS) == list(range(FORMAT))


def test_format_0_becomes_todays():
    flow = Workflow.from_data(OLD)
    assert flow.nodeflow == FORMAT
    assert flow.nodes["blur"].inputs["image"] == {"node": "load", "output": "image"}
    assert flow.nodes["load"].inputs == {"file": "a.png"}
    assert flow.name == "Prototype"
    assert '"note": "kept"' in flow.dumps()
    assert Workflow.parse(flow.dumps()) == flow


@pytest.mark.parametrize(
    "nodes",
    [3, [1], [{}], {"a": {}}, [{"id": []}], [{"id": "a", "inputs": 1}],
     [{"id": "a", "inputs": {"x": {"link": []}}}], [OLD["nodes"][0], OLD["nodes"][0]]],
)  # fmt: skip
def test_what_is_no_format_0_is_refused(nodes):
    with pytest.raises(WorkflowError) as caught:
        Workflow.from_data(OLD | {"nodes": nodes})
    assert caught.value.problems[0].code == "invalid_document"


@pytest.mark.parametrize("version", [-1, FORMAT + 1, 10**9, True])
def test_other_formats_are_refused(version):
    with pytest.raises(WorkflowError) as caught:
        Workflow.from_data({"nodeflow": version})
    assert caught.value.problems[0].pointer == "/nodeflow"
