from __future__ import annotations

import re
import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nodeflow_nodes.diffusion.prompts import Call, WeightedText, parse_weights, split_calls

from nodeflow import InputError


def pairs(prompt: str) -> list[tuple[str, Any]]:
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
        (r"\(((a))\)", [("(", 1), ("a", 1.21), (")", 1)]),
        (r"\\(a)", [(r"\(a)", 1)]),
        ("no partner (", [("no partner ", 1), ("(", 1)]),
        ("no partner ) here", [("no partner ) here", 1)]),
        ("(word", [("(word", 1)]),
        ("(a (b:1.5) c", [("(a (b:1.5) c", 1)]),
        ("((half)", [("(half", 1.1)]),
        ("(a (b:1.5)", [("a ", 1.5), ("(b", 1.5)]),
        (r"(a \)", [("(a )", 1)]),
        ("a) (b:2) c", [("a) (b:2) c", 1)]),
        ("a) ((b:2) c", [("a) (", 1), ("b", 2), (" c", 1)]),
        ("(", [("(", 1)]),
        (")", [(")", 1)]),
        (")(", [(")(", 1)]),
        ("(a:1.2", [("(a:1.2", 1)]),
        ("(a:b:1.1)", [("a:b", 1.1)]),
        ("(a:)", [("a:", 1.1)]),
        ("(:2)", [(":2", 1.1)]),
        ("(a:1_0)", [("a", 10)]),
        ("(a:1e1)", [("a", 10)]),
        ("(a:\n2\t)", [("a", 2)]),
        ("(a:1,2)", [("a:1,2", 1.1)]),
        ("(猫:1.5)と犬", [("猫", 1.5), ("と犬", 1)]),
        ("rain(bow:1)s", [("rain", 1), ("bow", 1), ("s", 1)]),
        ("time 10:30", [("time 10:30", 1)]),
        ("(half past 10:b)", [("half past 10:b", 1.1)]),
        ("end:1.2)", [("end:1.2)", 1)]),
        ("()", []),
        (r"back\slash", [(r"back\slash", 1)]),
    ],
)
def test_weights_are_read(prompt: str, expected: list[tuple[str, float]]) -> None:
    assert pairs(prompt) == expected


def read_by_the_rules(prompt: str, weight: float = 1.0) -> list[tuple[str, float]]:
    """ComfyUI's rules, one after the other: the prompt falls apart where the nesting leaves 0
    upwards or comes back to 0 from above; a piece within parentheses is read again without them,
    by the number behind its last colon, or else by 1.1 times the weight around it.

    `[` and `]` stand for escaped parentheses.
    """
    cuts, depth = [0], 0
    for place, letter in enumerate(prompt):
        before = depth
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if (before, depth) == (0, 1):
            cuts.append(place)
        elif (before, depth) == (1, 0):
            cuts.append(place + 1)
    read: list[tuple[str, float]] = []
    for start, end in zip(cuts, [*cuts[1:], len(prompt)], strict=True):
        piece = prompt[start:end]
        if re.fullmatch(r"\(.*\)", piece, re.DOTALL) is None:
            read += [(piece.translate({91: 40, 93: 41}), weight)] if piece else []
            continue
        text, colon, number = piece[1:-1].rpartition(":")
        try:
            inner = (text, float(number)) if colon and text else None
        except ValueError:
            inner = None
        read += read_by_the_rules(*(inner or (piece[1:-1], weight * 1.1)))
    return read


@settings(max_examples=1000)
@given(st.lists(st.sampled_from([*"ab ().:1-", r"\(", r"\)", "(", ")", ":1.5)"])).map("".join))
@example("))(((a:1.5):2)")
def test_any_prompt_is_read_by_the_rules(prompt: str) -> None:
    escaped = prompt.replace(r"\)", "]").replace(r"\(", "[")
    assert [(p.text, p.weight) for p in parse_weights(prompt)] == read_by_the_rules(escaped)


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


def test_a_weight_that_is_no_number_is_refused() -> None:
    with pytest.raises(InputError, match=r"weight of 'a' .* no number; write one such as 1.2"):
        parse_weights("(a:nan)")


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
