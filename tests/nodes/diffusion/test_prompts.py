from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nodeflow_nodes.diffusion.prompts import Call, WeightedText, parse_weights, split_calls

from nodeflow import InputError


def pairs(prompt: str) -> list[tuple[str, float]]:
    return [(piece.text, pytest.approx(piece.weight)) for piece in parse_weights(prompt)]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("", []),
        ("a red apple", [("a red apple", 1)]),
        ("a (red) apple", [("a ", 1), ("red", 1.1), (" apple", 1)]),
        ("a (red:1.5) apple", [("a ", 1), ("red", 1.5), (" apple", 1)]),
        ("(red: .5 )", [("red", 0.5)]),
        ("(red:-1)", [("red", -1)]),
        ("((red))", [("red", 1.21)]),
        ("(a (b:2) c:1.5)", [("a ", 1.5), ("b", 2), (" c", 1.5)]),
        ("(a (b) c:1.5)", [("a ", 1.5), ("b", 1.65), (" c", 1.5)]),
        ("((b:1.2))", [("b", 1.2)]),
        (r"smile \(:\)", [("smile (:)", 1)]),
        (r"(a \(b\):1.2)", [("a (b)", 1.2)]),
        ("no partner (", [("no partner (", 1)]),
        ("no partner ) here", [("no partner ) here", 1)]),
        ("((half)", [("(", 1), ("half", 1.1)]),
        ("time 10:30", [("time 10:30", 1)]),
        ("(half past 10:b)", [("half past 10:b", 1.1)]),
        ("end:1.2)", [("end:1.2)", 1)]),
        ("()", []),
        (r"back\slash", [(r"back\slash", 1)]),
    ],
)
def test_weights_are_read(prompt: str, expected: list[tuple[str, float]]) -> None:
    assert pairs(prompt) == expected


@given(st.text(alphabet="ab ().:1\\"))
def test_no_letter_is_lost_and_none_invented(prompt: str) -> None:
    text = "".join(piece.text for piece in parse_weights(prompt))
    assert [c for c in text if c in "ab"] == [c for c in prompt if c in "ab"]


@given(st.text(alphabet="ab .,:1"))
def test_a_prompt_without_parentheses_is_itself(prompt: str) -> None:
    assert parse_weights(prompt) == ([WeightedText(prompt, 1.0)] if prompt else [])


def test_deep_nesting_is_read_in_linear_time() -> None:
    start = time.perf_counter()
    pieces = parse_weights("(" * 5_000 + "deep" + ")" * 5_000)
    assert [piece.text for piece in pieces] == ["deep"]
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize("prompt", ["(" * 9000 + "a" + ")" * 9000, f"(a:{'9' * 400})"])
def test_a_weight_beyond_all_numbers_is_refused(prompt: str) -> None:
    with pytest.raises(InputError, match=r"weight of 'a' .* too large"):
        parse_weights(prompt)


@pytest.mark.parametrize(
    ("prompt", "pieces"),
    [
        ("a embedding:cat, red", ["a ", Call("cat"), ", red"]),
        ("embedding:cat.safetensors", [Call("cat")]),
        ("embedding:v1.5. And", [Call("v1.5"), ". And"]),
        ("a <cat><cat> and <dog>", ["a ", Call("cat"), Call("cat"), " and <dog>"]),
        ("a < b > c", ["a < b > c"]),
    ],
)
def test_calls_of_learned_words(prompt: str, pieces: list[str | Call]) -> None:
    assert split_calls(prompt, ["cat", "v1.5"]) == pieces
