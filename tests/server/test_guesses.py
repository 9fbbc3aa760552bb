from __future__ import annotations

import pytest

from nodeflow.server.guesses import Guesses
from nodeflow.server.problems import HttpError


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_each_wrong_token_takes_longer_than_the_one_before() -> None:
    guesses = Guesses(pause=0.25)
    assert [guesses.count("a") for _ in range(6)] == [0.25, 0.5, 1.0, 2.0, 2.0, 2.0]
    assert guesses.count("b") == 0.25


def test_who_guesses_on_is_refused_for_a_minute_and_others_are_not() -> None:
    clock = Clock()
    guesses = Guesses(allowed=3, clock=clock)
    for _ in range(3):
        guesses.refuse_eager("a")
        guesses.count("a")
        clock.now += 5
    with pytest.raises(HttpError, match=r"3 wrong tokens from a within a minute; .* in 45 s") as no:
        guesses.refuse_eager("a")
    assert (no.value.status, no.value.headers) == (429, {"Retry-After": "45"})
    guesses.refuse_eager("b")
    clock.now += 45.1
    guesses.refuse_eager("a")


def test_many_clients_do_not_fill_the_memory() -> None:
    guesses = Guesses()
    for number in range(5000):
        guesses.count(str(number))
    assert len(guesses._wrong) <= 1024
