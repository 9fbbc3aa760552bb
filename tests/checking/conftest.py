"""Workflows of the toy pack, checked against a folder of inputs."""

import pytest

from nodeflow.checking.checker import check
from nodeflow.roots import Roots
from nodeflow.workflow import Workflow
from tests.checking.documents import resolve


@pytest.fixture
def roots(tmp_path):
    (tmp_path / "cat.png").write_text("")
    return Roots.of([], tmp_path, [], anywhere=False)


@pytest.fixture
def checked(toys, roots):
    def run(nodes=None, **others):
        document = {"nodeflow": 1, "nodes": nodes or {}, **others}
        workflow = Workflow.from_data(document)
        found = check(workflow, toys, roots)
        data = workflow.model_dump()
        for problem in found.problems:
            resolve(data, problem.pointer)
            assert problem.sentence.endswith((".", "]", "}")), problem
            assert problem.way_out or problem.code in ("missing_file", "check_failed"), problem
        return found

    return run
