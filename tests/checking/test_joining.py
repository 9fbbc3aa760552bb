"""Which output may enter which input, and what type variables stand for."""

import pytest

from nodeflow.checking.joining import Bindings, literal_type
from nodeflow.sockets import join


@pytest.mark.parametrize(
    ("source", "target", "how"),
    [
        ("Image", "Image", "direct"),
        ("Image", "Latent", None),
        ("int", "float", "direct"),
        ("float", "int", None),
        ("bool", "int", None),
        ("int", "any", "direct"),
        ("any", "Image", "direct"),
        ("str", "json", "direct"),
        ("json", "str", None),
        ("list[int]", "int", "each"),
        ("list[int]", "float", "each"),
        ("list[int]", "list[float]", "direct"),
        ("int", "list[int]", "wrap"),
        ("Latent", "list[Image]", None),
        ("list[list[int]]", "int", None),
        ("list[list[int]]", "list[list[int]]", "direct"),
        ("list[list[int]]", "~T", "each"),
        ("list[Image]", "~T", "each"),
        ("Image", "~T", "direct"),
        ("list[Image]", "list[~T]", "direct"),
        ("Image", "list[~T]", "wrap"),
    ],
)
def test_types_join_in_one_way_or_not_at_all(source, target, how):
    assert join(source, target) == how


def test_a_variable_stands_for_the_first_type_it_meets():
    bindings = Bindings()
    assert bindings.apply("list[~T]") == "list[any]"
    assert bindings.bind("~T", "Image")
    assert bindings.bind("list[~T]", "list[Image]")
    assert not bindings.bind("~T", "Latent")
    assert bindings.bind("~S", "Latent")
    assert (bindings.apply("~T"), bindings.apply("list[~S]")) == ("Image", "list[Latent]")


@pytest.mark.parametrize("order", [("int", "float"), ("float", "int")])
def test_an_int_and_a_float_together_are_float(order):
    bindings = Bindings()
    assert all(bindings.bind("~T", kind) for kind in order)
    assert bindings.apply("~T") == "float"


def test_literals_have_types():
    assert [literal_type(item) for item in (True, 1, 1.0, "x", [1], None)] == [
        "bool", "int", "float", "str", "json", "json",
    ]  # fmt: skip
