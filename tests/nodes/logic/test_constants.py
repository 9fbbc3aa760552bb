"""Constants give what they were given, and their limits hold."""

from __future__ import annotations

import pytest
from nodeflow_nodes.logic.constants import boolean, integer, number, text
from pydantic import ValidationError

from nodeflow.declaration import read_node
from nodeflow.literals import literal_adapter


def test_each_gives_its_value() -> None:
    assert (integer(7), number(0.5), text("a\nb"), boolean(True)) == (7, 0.5, "a\nb", True)


def test_whole_numbers_stay_exact_in_the_editor() -> None:
    spec = read_node(integer, "logic", {int: "int"})
    adapter = literal_adapter(spec.inputs[0].json_schema or {})
    assert adapter.validate_python(2**53 - 1) == 2**53 - 1
    for refused in (2**53, -(2**53), 1.0, True):
        with pytest.raises(ValidationError):
            adapter.validate_python(refused)


def test_a_number_is_finite() -> None:
    spec = read_node(number, "logic", {float: "float"})
    with pytest.raises(ValidationError):
        literal_adapter(spec.inputs[0].json_schema or {}).validate_python(float("inf"))
