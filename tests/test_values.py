"""Values: fingerprinted, measured, verified and stored by their declared type."""

import math
from pathlib import Path

import pytest

from nodeflow.errors import InputError
from nodeflow.sockets import Patch, Recipe
from nodeflow.values import JSON, PATH, RECIPE, Codec, Codecs, Payload, canonical_json, load_codec

CODECS = Codecs({"int": "nodeflow.values:JSON", "str": "nodeflow.values:JSON"})


@pytest.mark.parametrize("value", [None, True, 0, -1.5, "ü", [], {"a": [1, {"b": None}]}])
def test_json_comes_back_as_it_was(value):
    JSON.verify(value)
    assert JSON.decode(JSON.encode(value)) == value
    assert JSON.size(value) > 0


def test_equal_json_has_equal_fingerprints_and_other_json_has_others():
    assert JSON.fingerprint({"a": 1, "b": 2}) == JSON.fingerprint({"b": 2, "a": 1})
    values = [1, 1.0, True, "1", [1], {"a": 1}, None]
    assert len({JSON.fingerprint(value) for value in values}) == len(values)


def test_the_fingerprint_of_json_is_pinned():
    assert canonical_json({"b": 1, "a": "ü"}) == '{"a":"ü","b":1}'.encode()
    assert JSON.fingerprint({"b": 1, "a": "ü"}) == "61fc9d9b04295f9e9e8f43f5569fd88b"


@pytest.mark.parametrize("value", [math.nan, [math.inf], {1: 2}, {"a": object()}, b"x"])
def test_what_is_no_json_is_refused(value):
    with pytest.raises(InputError):
        JSON.verify(value)


def test_lists_are_stored_item_by_item():
    codec = CODECS.of("list[list[int]]")
    values = [[1, 2], [], [3]]
    codec.verify(values)
    assert codec.decode(codec.encode(values)) == values
    assert codec.fingerprint([[1], [2]]) != codec.fingerprint([[1, 2]])
    assert codec.size(values) > codec.size([])
    with pytest.raises(InputError, match="is not a list"):
        codec.verify([1])
    assert CODECS.of("list[int]").move([1], "cpu") == [1]
    assert CODECS.of("list[int]").place([]) == "cpu"


def test_a_recipe_is_known_by_its_content_and_not_by_its_place():
    one = Recipe("/a", "d", "vae", "sd")
    assert RECIPE.fingerprint(one) == RECIPE.fingerprint(Recipe("/b", "d", "vae", "sd"))
    several = Recipe("/a", "d", "vae", "sd", files=("/c",))
    assert RECIPE.fingerprint(one) == RECIPE.fingerprint(several)
    patched, elsewhere, weaker = (
        Recipe("/a", "d", "vae", "sd", (Patch("lora", amount, "l", path=path),))
        for amount, path in ((0.5, "/l"), (0.5, "/m"), (0.4, "/l"))
    )
    assert patched == elsewhere
    assert RECIPE.fingerprint(patched) == RECIPE.fingerprint(elsewhere)
    assert len({RECIPE.fingerprint(recipe) for recipe in (one, patched, weaker)}) == 3
    assert RECIPE.encode is None
    with pytest.raises(InputError, match=r"not a nodeflow\.Recipe"):
        RECIPE.verify("a")


def test_paths_are_values_that_are_never_stored():
    PATH.verify(Path("a"))
    assert PATH.encode is None
    assert PATH.fingerprint(Path("a")) != PATH.fingerprint(Path("b"))
    with pytest.raises(InputError, match=r"pathlib\.Path"):
        PATH.verify("a")


@pytest.mark.parametrize("reference", ["no.such.module:X", "nodeflow.values:NONE", "math:pi"])
def test_a_codec_that_cannot_be_loaded_is_named(reference):
    with pytest.raises(InputError, match=reference):
        load_codec(reference)


def test_an_unknown_socket_type_is_named():
    with pytest.raises(InputError, match=r"'paint\.Palette'"):
        CODECS.of("list[paint.Palette]")


def test_a_list_of_things_that_are_not_stored_is_not_stored():
    codec = Codecs({"Model": "nodeflow.values:RECIPE"}).of("list[Model]")
    assert isinstance(codec, Codec)
    assert codec.encode is codec.decode is codec.show is None
    assert Payload("json", b"1") == Payload("json", b"1")
