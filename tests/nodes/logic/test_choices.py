"""The switch awaits the branch it takes and leaves the other alone."""

from __future__ import annotations

import pytest
from nodeflow_nodes.logic.choices import switch

from nodeflow import Lazy


class Branch:
    """A value that notes when it is computed."""

    def __init__(self, value: str) -> None:
        self.value = value
        self.computed = 0

    def __await__(self):
        self.computed += 1
        yield from ()
        return self.value


@pytest.mark.parametrize(("condition", "wanted"), [(True, "yes"), (False, "no")])
async def test_only_the_branch_that_is_taken_is_computed(condition: bool, wanted: str) -> None:
    yes, no = Branch("yes"), Branch("no")
    assert await switch(condition, Lazy(yes), Lazy(no)) == wanted
    assert (yes.computed, no.computed) == (int(condition), int(not condition))
