"""Inputs set from outside."""

from __future__ import annotations

import pytest

from nodeflow.errors import WorkflowError
from nodeflow.overrides import override
from nodeflow.workflow import Workflow


def test_a_problem_points_into_the_document_whatever_the_id_is(toys):
    flow = Workflow.from_data({"nodeflow": 1, "nodes": {"a~b": {"type": "toy.number"}}})
    with pytest.raises(WorkflowError) as caught:
        override(flow, {"a~b.nothing": "1"}, toys, typed=True)
    assert [problem.pointer for problem in caught.value.problems] == ["/nodes/a~0b/inputs/nothing"]
