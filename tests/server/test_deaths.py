"""How deaths are told."""

from __future__ import annotations

import signal

import pytest

from nodeflow.server.deaths import (
    KEPT_CHARACTERS,
    KEPT_LINES,
    LastWords,
    describe_death,
    describe_silence,
    human_size,
)

CRASH = b"""Fatal Python error: Segmentation fault

Stack (most recent call first):
  File "/home/ada/packs/apples/nodes.py", line 12 in bite
  File "/home/ada/nodeflow/runs/calls.py", line 110 in call

Extension modules: numpy (total: 1)
"""


def words(text: bytes) -> LastWords:
    found = LastWords()
    found.feed(text)
    return found


@pytest.mark.parametrize(
    ("code", "said", "rss", "sentence"),
    [
        (
            -signal.SIGKILL,
            b"",
            3_200_000_000,
            "The worker was killed by the system, probably out of memory: "
            "it held 3.2 GB when it was last heard of.",
        ),
        (
            -signal.SIGKILL,
            b"",
            0,
            "The worker was killed by the system, probably out of memory.",
        ),
        (
            -signal.SIGSEGV,
            CRASH,
            1,
            "The worker crashed (Segmentation fault) at apples/nodes.py, line 12, in bite.",
        ),
        (-signal.SIGABRT, b"free(): invalid pointer\n", 1, "The worker crashed (Aborted)."),
        (-signal.SIGTERM, b"", 1, "The worker was ended from outside by SIGTERM."),
        (-40, b"", 1, "The worker was ended from outside by signal 40."),
        (
            1,
            b"Traceback:\nValueError: no apples.\n\n",
            1,
            "The worker ended by itself with exit code 1; "
            "the last it said is: ValueError: no apples.",
        ),
        (0, b"", 1, "The worker ended by itself with exit code 0."),
        (None, b"", 1, "The worker closed its pipe to the server."),
    ],
)
def test_a_death_is_one_sentence(code, said, rss, sentence):
    assert describe_death(code, words(said), rss) == sentence


def test_silence_is_told_with_its_length():
    assert describe_silence(2.5) == "The worker was killed since it did not answer for 2.5 seconds."


def test_the_place_of_a_crash_is_known_however_much_follows():
    found = words(CRASH + b"noise\n" * 100)
    assert found.place == "apples/nodes.py, line 12, in bite"
    assert len(found.lines) == KEPT_LINES


def test_a_frame_that_somebody_printed_is_no_crash():
    assert words(CRASH.split(b"\n", 1)[1]).place == ""


def test_lines_come_whole_whatever_the_pieces():
    found = LastWords()
    lines = [line for byte in "wörm\nin\n".encode() for line in found.feed(bytes([byte]))]
    assert lines == ["wörm", "in"]
    found.feed(b"half")
    found.end()
    assert found.last == "half"


def test_a_line_that_never_ends_is_cut():
    found = LastWords()
    for _ in range(50):
        found.feed(b"x" * 1000)
    found.end()
    assert len(found.last) == KEPT_CHARACTERS


@pytest.mark.parametrize(
    ("size", "text"),
    [(512, "1 kB"), (30_000, "30 kB"), (123_400_000, "123 MB"), (3_249_000_000, "3.2 GB")],
)
def test_sizes_are_for_people(size, text):
    assert human_size(size) == text
