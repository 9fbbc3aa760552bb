"""What nodes print: whole lines, progress bars in moderation, each told of the right node."""

from __future__ import annotations

import asyncio
import io
import sys
import threading

import pytest

from nodeflow.events import NodeFinished, NodeLog
from nodeflow.runs import console
from nodeflow.runs.console import MOST_CHARACTERS, MOST_LINES, captured, silent, speaking


@pytest.fixture
def streams(monkeypatch):
    """Puts standard streams in place that do not belong to pytest, which sets its own late."""

    def replace() -> tuple[io.StringIO, io.StringIO]:
        out, err = io.StringIO(), io.StringIO()
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        return out, err

    return replace


def test_lines_of_a_node_are_told_whole_and_others_pass_through(streams):
    out, err = streams()
    lines: list[str] = []
    with captured():
        print("before")
        with speaking(lines.append):
            print("one", end="")
            assert lines == []
            print(" line", 2)
            print("a warning", file=sys.stderr)
            sys.stdout.write("three\r\nfour\n\nunfinished")
        print("after", file=sys.stderr)
    assert lines == ["one line 2", "a warning", "three", "four", "unfinished"]
    assert out.getvalue() == "before\n"
    assert err.getvalue() == "after\n"
    assert sys.stdout is out


def test_without_a_listener_nodes_print_as_ever(streams):
    out, _ = streams()
    lines: list[str] = []
    with speaking(lines.append):
        print("to the terminal")
    assert lines == []
    assert out.getvalue() == "to the terminal\n"


def test_of_a_progress_bar_the_newest_line_is_told_now_and_then(streams, monkeypatch):
    streams()
    now = [100.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: now[0])
    lines: list[str] = []
    with captured(), speaking(lines.append):
        for step in range(100):
            sys.stderr.write(f"\r\x1b[32m{step}%\x1b[0m")
            now[0] += 0.05
        sys.stderr.write("\r100%\n")
    assert lines[0] == "0%"
    assert lines[-1] == "100%"
    assert 4 <= len(lines) <= 8
    assert lines == sorted(lines, key=lambda line: int(line[:-1]))


def test_a_node_that_prints_without_end_is_cut_off_with_a_sentence(streams):
    streams()
    lines: list[str] = []
    with captured(), speaking(lines.append):
        print("x" * (2 * MOST_CHARACTERS + 1))
        for number in range(2 * MOST_LINES):
            print(number)
    assert [len(line) for line in lines[:3]] == [MOST_CHARACTERS, MOST_CHARACTERS, 1]
    assert len(lines) == MOST_LINES + 1
    assert lines[-1] == f"It printed more than {MOST_LINES} lines; the rest is not shown."


def test_threads_and_tasks_speak_for_themselves(streams):
    streams()
    said: dict[str, list[str]] = {name: [] for name in "abcd"}
    turn = threading.Barrier(2)

    def thread(name: str) -> None:
        with speaking(said[name].append):
            for part in range(3):
                turn.wait(10)
                print(name, part)

    async def task(name: str) -> None:
        with speaking(said[name].append):
            for part in range(3):
                print(name, end=" ")
                await asyncio.sleep(0)
                print(part)

    async def both() -> None:
        await asyncio.gather(task("c"), task("d"))

    with captured():
        threads = [threading.Thread(target=thread, args=(name,)) for name in "ab"]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        asyncio.run(both())
    assert said == {name: [f"{name} {part}" for part in range(3)] for name in "abcd"}


def test_whoever_listens_may_print(streams):
    out, _ = streams()

    def say(line: str) -> None:
        with silent():
            print(f"heard {line}")

    with captured(), speaking(say):
        print("this")
    assert out.getvalue() == "heard this\n"


def test_a_stream_is_as_good_as_the_one_it_stands_for(streams):
    out, _ = streams()
    with captured():
        assert sys.stdout.encoding == out.encoding
        assert sys.stdout.writable()
        assert not sys.stdout.isatty()
        assert sys.stdout.getvalue() == ""
        sys.stdout.flush()
        with pytest.raises(io.UnsupportedOperation):
            sys.stdout.fileno()


def test_what_a_node_of_a_run_prints_is_a_log_of_it_before_it_is_finished(house, flow, streams):
    out, _ = streams()

    def emit(event):
        print("an event came")  # what listens is no node, and must not wait for itself
        events.append(event)

    events = []
    with captured():
        flown = flow(
            {"s": ("say", {"text": "hello\nwithout an end"}), "n": ("number", {})}, {"s": "s"}
        )
        house.open().run(flown, out=house.folder / "out", emit=emit)
    logs = [(event.node, event.text) for event in events if isinstance(event, NodeLog)]
    assert logs == [("s", "hello"), ("s", "without an end")]
    kinds = [type(event) for event in events if getattr(event, "node", "") == "s"]
    assert kinds.index(NodeFinished) > kinds.index(NodeLog)
    assert set(out.getvalue().splitlines()) == {"an event came"}
