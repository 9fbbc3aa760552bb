"""The node API: every way to declare a node, and what is said of a declaration that cannot work."""

from pathlib import Path

import pytest

from nodeflow.registry import Registry

HEAD = """
from __future__ import annotations
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar
from pydantic import Field, JsonValue
from nodeflow import *
T = TypeVar("T")
class Size(Enum):
    SMALL = "small"
    LARGE = "large"
"""


@pytest.fixture
def spec(shelf):
    def read(source: str):
        shelf.write("declared", nodes=HEAD + source)
        registry = shelf.registry()
        assert not registry.errors, registry.errors[0].trace or registry.errors[0].sentence
        (found,) = (item for item in registry.specs.values() if item.pack == "declared")
        return found

    return read


def test_limits_of_field_become_a_json_schema(spec):
    (port,) = spec("@node()\ndef f(x: Annotated[int, Field(ge=1, lt=9)] = 3) -> int: ...").inputs
    assert port.json_schema == {"type": "integer", "minimum": 1, "exclusiveMaximum": 9}
    assert (port.type, port.default, port.required) == ("int", 3, False)


def test_literals_and_enums_are_choices(spec):
    method, size = spec(
        "@node()\ndef f(method: Literal['a', 'b'], size: Size = Size.LARGE) -> int: ..."
    ).inputs
    assert method.json_schema["enum"] == ["a", "b"]
    assert (method.type, method.required) == ("str", True)
    assert size.json_schema["enum"] == ["small", "large"]
    assert (size.type, size.default) == ("str", "large")


def test_seeds_and_prompts_say_how_they_are_edited(spec):
    seed, prompt = spec("@node()\ndef f(seed: Seed = 0, text: Prompt = '') -> int: ...").inputs
    assert (seed.widget, prompt.widget) == ("seed", "prompt")
    assert seed.json_schema["maximum"] == 2**53 - 1


def test_file_inputs_name_their_root(spec):
    source = """
@node()
def f(file: Annotated[Path, File("checkpoints", folder=True)],
      other: Annotated[Path, File("inputs")] | None = None,
      third: Annotated[Path, File("inputs")] = Path("a/b.png")) -> int: ...
"""
    file, other, third = spec(source).inputs
    assert (file.file.root, file.file.folder, file.required) == ("checkpoints", True, True)
    assert (other.optional, other.default) == (True, None)
    assert third.default == "a/b.png"


def test_what_stands_after_the_star_is_a_service(spec):
    found = spec(
        "@node()\ndef f(a: int, *, p: Progress, d: Device, m: ModelMemory, "
        "o: OutputFiles) -> None: ..."
    )
    assert found.services == {"p": "progress", "d": "device", "m": "models", "o": "files"}
    assert [port.name for port in found.inputs] == ["a"]
    assert found.end


def test_a_named_tuple_names_and_describes_the_outputs(spec):
    source = '''
class Loaded(NamedTuple):
    """What is loaded.

    Attributes:
        model: The network.
    """
    model: Model
    vae: Annotated[Vae, Was("autoencoder")]

@node()
def f() -> Loaded: ...
'''
    model, vae = spec(source).outputs
    assert (model.name, model.type, model.description) == ("model", "Model", "The network.")
    assert vae.was == ("autoencoder",)


@pytest.mark.parametrize(
    ("returned", "name"),
    [
        ("Image", "image"),
        ("TextEncoder", "text_encoder"),
        ("int", "int"),
        ("list[Image]", "images"),
        ("object", "value"),
    ],
)
def test_a_single_output_is_named_by_its_type(spec, returned, name):
    (output,) = spec(f"@node()\ndef f() -> {returned}: ...").outputs
    assert output.name == name


def test_a_single_output_of_a_type_variable_is_value_unless_named(spec):
    (output,) = spec("@node()\ndef f(a: T) -> T: ...").outputs
    assert (output.name, output.type) == ("value", "~T")


def test_a_single_output_takes_the_name_it_is_given(spec):
    (output,) = spec("@node(output='sum')\ndef f(a: int) -> Annotated[int, Was('x')]: ...").outputs
    assert (output.name, output.was) == ("sum", ("x",))


def test_lazy_growing_and_variable_inputs_are_told_apart(spec):
    source = """
@node()
async def f(a: Lazy[T], b: Annotated[Lazy[int], Field(ge=2)], *, progress: Progress) -> T: ...
"""
    found = spec(source)
    a, b = found.inputs
    assert found.is_async
    assert (a.lazy, a.type, b.lazy, b.type) == (True, "~T", True, "int")
    assert b.json_schema == {"type": "integer", "minimum": 2}


def test_a_growing_input_holds_the_type_of_one_link(spec):
    (port,) = spec("@node()\ndef f(images: tuple[Image, ...]) -> Image: ...").inputs
    assert (port.type, port.grows, port.required, port.json_schema) == ("Image", True, False, None)


def test_lists_objects_and_json_values_are_inputs_too(spec):
    a, b, c, d = spec(
        "@node()\ndef f(a: list[int], b: object, c: JsonValue, d: dict[str, int]) -> int: ..."
    ).inputs
    assert [port.type for port in (a, b, c, d)] == ["list[int]", "any", "json", "json"]
    assert a.json_schema == {"type": "array", "items": {"type": "integer"}}
    assert d.json_schema == {"type": "object", "additionalProperties": {"type": "integer"}}


def test_the_options_of_a_node_are_data(spec):
    source = '''
def look(a: int) -> None: ...
def known(a: int) -> dict[str, dict[str, JsonValue]]: ...

@node(title="T", category="x/y", version="2", on="device", cache="never", was=["old.f"],
      deprecated="Use g.", check=look, facts=known)
def f(a: Annotated[int, Was("b", "c")] = 1) -> int:
    """Short.

    Longer.

    Args:
        a: A
            number.
    """
'''
    found = spec(source)
    assert (found.id, found.title, found.category) == ("declared.f", "T", "x/y")
    assert (found.on, found.cache, found.identity) == ("device", "never", "version:2")
    assert (found.was, found.deprecated) == (("old.f",), "Use g.")
    assert (found.check, found.facts) == ("declared.nodes:look", "declared.nodes:known")
    assert found.description == "Short.\n\nLonger."
    assert found.inputs[0].was == ("b", "c")
    assert found.inputs[0].description == "A number."


def test_a_description_may_stand_in_the_field(spec):
    (port,) = spec(
        "@node()\ndef f(a: Annotated[int, Field(description='How many.')]) -> int: ..."
    ).inputs
    assert port.description == "How many."


def test_another_name_for_a_node_is_no_second_node(spec):
    assert spec("@node()\ndef f() -> int: ...\ng = f").id == "declared.f"


WRONG = [
    ("@node()\ndef f(a) -> int: ...", "'a'", "no type annotation"),
    ("@node()\ndef f(a: int): ...", "'return'", "no type annotation"),
    ("@node()\ndef f(a: Unknown) -> int: ...", "", "cannot be resolved"),
    ("@node()\ndef f(a: set[int]) -> int: ...", "'a'", "is no socket type"),
    ("@node()\ndef f(a: int | str) -> int: ...", "'a'", "is no socket type"),
    ("@node()\ndef f(a: int = True) -> int: ...", "'a'", "default True is not acceptable"),
    ("@node()\ndef f(a: int = 1.0) -> int: ...", "'a'", "default 1.0 is not acceptable"),
    ("@node()\ndef f(a: float = float('nan')) -> int: ...", "'a'", "finite"),
    ("@node()\ndef f(a: float = float('inf')) -> int: ...", "'a'", "finite"),
    ("@node()\ndef f(a: Annotated[int, Field(ge=2)] = 1) -> int: ...", "'a'", "equal to 2"),
    ("@node()\ndef f(a: Literal['x'] = 'y') -> int: ...", "'a'", "not acceptable"),
    ("@node()\ndef f(a: int = None) -> int: ...", "'a'", "write `... | None`"),
    ("@node()\ndef f(a: Image = None) -> int: ...", "'a'", "write `... | None`"),
    ("@node()\ndef f(a: Image = 3) -> int: ...", "'a'", "only None can stand here"),
    ("@node()\ndef f(a: int = Field(3, ge=1)) -> int: ...", "'a'", "Annotated[TYPE, Field"),
    ("@node()\ndef f(a: Literal[1, 'x']) -> int: ...", "'a'", "not all text or all int"),
    ("@node()\ndef f(a: Annotated[str, File('inputs')]) -> int: ...", "'a'", "goes on a `Path`"),
    ("@node()\ndef f(*a: int) -> int: ...", "'a'", "cannot be an input"),
    ("@node()\ndef f(a: int, /) -> int: ...", "'a'", "cannot be an input"),
    ("@node()\ndef f(a: tuple[int, int]) -> int: ...", "'a'", "tuple[T, ...]"),
    ("@node()\ndef f(a: Lazy[int]) -> int: ...", "'a'", "async def"),
    ("@node()\ndef f(*, a: int) -> int: ...", "'a'", "is no service"),
    ("@node()\ndef f() -> tuple[int, int]: ...", "'return'", "NamedTuple"),
    ("@node()\ndef f() -> int | None: ...", "'return'", "neither None nor Lazy"),
    ("@node(output='x')\ndef f() -> None: ...", "'return'", "has no output"),
    ("@node(output='no name')\ndef f() -> int: ...", "", "is no name"),
    ("@node(on='gpu')\ndef f() -> int: ...", "", "'cpu', 'device', 'io'"),
    ("@node(cache='maybe')\ndef f() -> int: ...", "", "'auto', 'never'"),
    ("@node(check=lambda a: None)\ndef f(a: int) -> int: ...", "", "top-level function"),
    ("def c(z: int): ...\n@node(check=c)\ndef f(a: int) -> int: ...", "", "no input of the node"),
    ("@node()\ndef f() -> int:\n    '''Do.\n\n    Args:\n        b: No.\n    '''", "'b'", "no su"),
    ("def m():\n    @node()\n    def f() -> int: ...\n    return f\nf = m()", "", "top-level"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "parameter", "says"), WRONG)
def test_a_wrong_declaration_is_refused_with_file_line_and_parameter(
    shelf, source, parameter, says
):
    package = shelf.write("wrong", nodes=HEAD + source)
    (error,) = shelf.registry().errors
    text = HEAD + source
    line = 1 + next(number for number, row in enumerate(text.splitlines()) if "@node" in row)
    assert f"{package / 'nodes.py'}:{line}, f()" in error.sentence
    assert says in error.sentence
    assert f"parameter {parameter}" in error.sentence if parameter else True
    assert error.pack == "wrong"


def test_a_marked_class_is_refused(shelf):
    shelf.write("wrong", nodes=HEAD + "@node()\nclass F: ...\ninstance = F()")
    (error,) = shelf.registry().errors
    assert "@node stands before 'F', which is no function" in error.sentence


def test_two_nodes_of_one_name_in_a_pack_are_refused(shelf):
    one = HEAD + "@node()\ndef f() -> int: ..."
    shelf.write("wrong", first=one, second=one)
    (error,) = shelf.registry().errors
    assert "already has a node of this name in 'wrong.first'" in error.sentence


def test_marking_changes_nothing_about_the_function():
    from nodeflow import node

    @node(category="x")
    def double(value: int) -> int:
        return value * 2

    assert double(21) == 42


def test_every_toy_is_described_as_data_that_survives_json(toys: Registry):
    for spec in toys.specs.values():
        assert type(spec).model_validate_json(spec.model_dump_json()) == spec
    assert toys.as_json()["nodes"].keys() == toys.specs.keys()
    assert Path(toys.packs[0].folder).is_dir()
