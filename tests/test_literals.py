"""Literals: strict validators from JSON Schemas, lenient reading at a command line."""

import math

import pytest
from pydantic import ValidationError

from nodeflow.errors import InputError
from nodeflow.literals import choices, from_text, literal_adapter, reason, wanted

INT = {"type": "integer", "minimum": 1, "maximum": 10}
FLOAT = {"type": "number"}
CHOICE = {"enum": ["euler", "heun"], "type": "string"}
MAYBE = {"anyOf": [INT, {"type": "null"}]}


@pytest.mark.parametrize(
    ("schema", "value", "says"),
    [
        (INT, True, "valid integer"),
        (INT, 1.0, "valid integer"),
        (INT, "1", "valid integer"),
        (INT, 11, "less than or equal to 10"),
        (INT, None, "valid integer"),
        (FLOAT, True, "valid number"),
        (FLOAT, math.nan, "finite"),
        (FLOAT, math.inf, "finite"),
        (FLOAT, 10**400, "valid number"),
        (FLOAT, "1.5", "valid number"),
        ({"type": "boolean"}, 1, "valid boolean"),
        ({"type": "string"}, 1, "valid string"),
        ({"type": "string", "maxLength": 2}, "abc", "at most 2"),
        (CHOICE, "eular", "'euler' or 'heun'"),
        ({"enum": [1, 2]}, True, "not one of 1, 2"),
        ({"enum": [1, 2]}, [1], "not one of 1, 2"),
        ({"type": "array", "items": {"type": "integer"}}, [1, True], "item [1]"),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, {"a": "b"}, "integer"),
        ({"type": "object"}, [], "dictionary"),
        ({}, {"deep": [math.nan]}, "not finite"),
        (MAYBE, 0, "greater than or equal to 1"),
    ],
)
def test_a_wrong_literal_is_refused_with_a_reason(schema, value, says):
    with pytest.raises(ValidationError) as caught:
        literal_adapter(schema).validate_python(value)
    assert says in reason(caught.value)


@pytest.mark.parametrize(
    ("schema", "value", "read"),
    [
        (INT, 10, 10),
        (FLOAT, 7, 7.0),
        (CHOICE, "heun", "heun"),
        ({"const": True}, True, True),
        (MAYBE, None, None),
        ({"type": "array", "items": FLOAT}, [1, 2.5], [1.0, 2.5]),
        ({"type": "object", "additionalProperties": INT}, {"a": 3}, {"a": 3}),
        ({}, {"a": [None, True]}, {"a": [None, True]}),
    ],
)
def test_a_right_literal_is_given_back_in_its_own_type(schema, value, read):
    validated = literal_adapter(schema).validate_python(value)
    assert validated == read
    assert type(validated) is type(read)


def test_a_schema_that_has_no_strict_validator_is_refused():
    with pytest.raises(InputError, match="'uniqueItems' is not supported"):
        literal_adapter({"type": "array", "uniqueItems": True})


@pytest.mark.parametrize(
    ("schema", "text", "read"),
    [
        ({"type": "string"}, "7", "7"),
        (INT, "7", 7),
        (FLOAT, "7", 7.0),
        ({"type": "boolean"}, "yes", True),
        ({"type": "boolean"}, "Off", False),
        (CHOICE, "heun", "heun"),
        ({"enum": ["1", "2"]}, "2", "2"),
        (MAYBE, "null", None),
        ({"type": "array", "items": INT}, "[1, 2]", [1, 2]),
    ],
)
def test_text_from_a_command_line_is_read_as_the_schema_wants(schema, text, read):
    assert from_text(text, schema) == read


@pytest.mark.parametrize("text", ["seven", "11", "NaN", "9" * 5000, "[" * 100_000])
def test_text_that_is_no_such_value_is_refused(text):
    with pytest.raises(InputError):
        from_text(text, INT)


def test_what_is_wanted_is_said_in_words():
    assert wanted(INT) == "a whole number, at least 1, at most 10"
    assert wanted(CHOICE) == 'one of "euler", "heun"'
    assert wanted(MAYBE) == "a whole number, at least 1, at most 10 or null"
    assert wanted({}) == "a JSON value"
    assert choices({"anyOf": [CHOICE, {"type": "null"}]}) == ["euler", "heun"]
