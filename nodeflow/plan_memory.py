"""PlanMemory: a workflow that did not change since it was planned is not planned again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from blake3 import blake3

from nodeflow.errors import InputError
from nodeflow.keys import FileDigests
from nodeflow.plan import Plan
from nodeflow.roots import Roots
from nodeflow.workflow import Workflow

KEPT = 4


def question_of(workflow: Workflow, out: str, only: Sequence[str]) -> str | None:
    """Digest of all that a plan depends on, files and packs apart; None if it has no JSON form."""
    try:
        document = workflow.model_dump_json()
    except ValueError:  # half a character, in a workflow made in Python
        return None
    return blake3("\0".join([document, out, *only]).encode()).hexdigest(16)


class PlanMemory:
    """The last few plans of an engine.

    Args:
        roots: Where the files that a plan names are looked up again.
        digests: Tells whether they are the same still.
    """

    def __init__(self, roots: Roots, digests: FileDigests) -> None:
        self._roots = roots
        self._digests = digests
        self._plans: OrderedDict[str, Plan] = OrderedDict()

    def recall(self, question: str | None) -> Plan | None:
        """The plan for a question, unless a file that it names is another one now."""
        plan = self._plans.get(question or "")
        if plan is None or question is None:
            return None
        if not self._holds(plan):
            del self._plans[question]
            return None
        self._plans.move_to_end(question)
        return plan

    def _holds(self, plan: Plan) -> bool:
        try:
            return all(
                self._roots.resolve(root, name) == node.files[port]
                and self._digests.digest(node.files[port]) == node.digests[port]
                for node in plan.nodes.values()
                for port, (root, name) in node.named.items()
            ) and all(
                self._digests.digest(path) == node.digests[f"reads {path.name}"]
                for node in plan.nodes.values()
                for path in node.reads
            )
        except InputError:  # it is gone: the check that follows says so
            return False

    def clear(self) -> None:
        """Forget all plans."""
        self._plans.clear()

    def remember(self, question: str | None, plan: Plan) -> None:
        """Keep a plan; the one that was longest not asked for leaves."""
        if question is None:
            return
        self._plans[question] = plan
        while len(self._plans) > KEPT:
            self._plans.popitem(last=False)
