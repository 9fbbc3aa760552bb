import io
import json
import threading
from collections.abc import Sequence

import pytest
from rich.console import Console

from nodeflow.cli.display import (
    Bars,
    Display,
    JsonLines,
    Lines,
    choose_display,
    duration,
    explanation,
    summary,
)
from nodeflow.cli.terminal import Terminal
from nodeflow.events import (
    Event,
    NodeFailed,
    NodeFinished,
    NodeLog,
    NodeProgress,
    NodeReport,
    NodeStarted,
    RunFinished,
    RunStarted,
)
from nodeflow.job_events import JobFinished, JobQueued, JobStarted

REPORTS = {
    "load": NodeReport("disk", 0.0, "the disk store has it"),
    "sample": NodeReport("ran", 3.2, "its input 'seed' is new"),
    "save": NodeReport("ran", 0.01, "new", ("outputs/a.png",)),
}
RUN: list[Event] = [
    RunStarted("r", "flow", 3),
    NodeFinished("r", "load", "disk", 0.0),
    NodeStarted("r", "sample", "diffusion.sample", "its input 'seed' is new"),
    NodeProgress("r", "sample", 1, 20),
    NodeProgress("r", "sample", 11, 20),
    NodeFinished("r", "sample", "ran", 3.2),
    NodeFinished("r", "save", "ran", 0.01),
    RunFinished("r", "done", 3.4, REPORTS, {"image": {"files": ["outputs/a.png"]}}),
]


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def text_console(terminal: bool = False) -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, width=100, force_terminal=terminal, color_system=None), out


def show(display: Display, events: Sequence[Event]) -> None:
    with display:
        for event in events:
            display(event)


def drawn(bars: Bars) -> str:
    console, out = text_console()
    console.print(bars.draw())
    return out.getvalue()


def test_json_lines_are_the_events_in_order_and_the_last_is_run_finished():
    out = io.StringIO()

    show(JsonLines(out), RUN)

    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert lines == [event.as_json() for event in RUN]
    assert lines[-1]["event"] == "run_finished"
    assert lines[-1]["nodes"]["save"]["files"] == ["outputs/a.png"]


def test_a_reader_who_leaves_does_not_stop_the_run():
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    display = JsonLines(Gone())

    show(display, RUN)

    assert display.reader_left


def test_lines_and_bars_fall_silent_when_their_reader_leaves():
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    for console in (Terminal(file=Gone()), Terminal(file=Gone(), force_terminal=True)):
        display = choose_display(False, Gone(), console)
        with display:
            show(display, RUN)
        assert console.quiet


def test_lines_say_what_became_of_each_node_and_of_the_run():
    console, out = text_console()

    show(Lines(console, Clock()), RUN)

    assert out.getvalue().splitlines() == [
        "load: from disk",
        "sample: ran in 3.20 s",
        "save: ran in 0.01 s",
        "Done in 3.40 s: 2 ran, 1 from disk.",
    ]


def test_lines_about_a_slow_node_come_every_two_seconds_with_the_time_left():
    console, out = text_console()
    clock = Clock()
    display = Lines(console, clock)

    display(NodeStarted("r", "sample", "diffusion.sample", ""))
    for step in range(1, 11):
        clock.now = step * 0.5
        display(NodeProgress("r", "sample", step, 20))

    assert out.getvalue().splitlines() == [
        "sample: step 4 of 20, 8.00 s left",
        "sample: step 8 of 20, 6.00 s left",
    ]


def test_a_failed_node_has_one_line():
    console, out = text_console()

    show(
        Lines(console, Clock()),
        [
            NodeStarted("r", "n", "p.n", ""),
            NodeFailed("r", "n", "p.n", "It broke."),
            NodeFinished("r", "n", "failed", 0.1),
        ],
    )

    assert out.getvalue().splitlines() == ["n: failed"]


def test_what_a_node_logs_is_shown_as_it_is():
    console, out = text_console()

    show(Lines(console, Clock()), [NodeLog("r", "n", "[bold] a damaged entry was dropped")])

    assert out.getvalue() == "n: [bold] a damaged entry was dropped\n"


def test_a_bar_shows_steps_and_time_left_once_a_node_takes_time():
    clock = Clock()
    bars = Bars(text_console()[0], clock)
    bars(RunStarted("r", "flow", 3))
    bars(NodeStarted("r", "sample", "diffusion.sample", ""))
    bars(NodeProgress("r", "sample", 0, 20))

    assert "sample" not in drawn(bars)
    clock.now = 2.0
    bars(NodeProgress("r", "sample", 5, 20))

    assert "0 of 3 nodes" in drawn(bars)
    assert "step 5 of 20, 6.00 s left" in drawn(bars)


def test_a_bar_goes_when_its_node_is_over():
    clock = Clock()
    bars = Bars(text_console()[0], clock)
    bars(RunStarted("r", "flow", 1))
    bars(NodeStarted("r", "decode", "diffusion.decode", ""))
    clock.now = 1.0
    assert "decode" in drawn(bars)

    bars(NodeFinished("r", "decode", "ran", 1.0))

    assert "decode" not in drawn(bars)
    assert "1 of 1 nodes" in drawn(bars)


def test_many_bars_do_not_fill_the_terminal():
    clock = Clock()
    bars = Bars(text_console()[0], clock)
    for index in range(100):
        bars(NodeStarted("r", f"node{index}", "p.n", ""))
    clock.now = 1.0

    assert len(drawn(bars).splitlines()) <= 9


def test_a_terminal_keeps_only_lines_worth_keeping():
    console, out = text_console(terminal=True)

    show(Bars(console), RUN)

    assert "sample: ran in 3.20 s" in out.getvalue()
    assert "save: ran" not in out.getvalue()
    assert "Done in 3.40 s: 2 ran, 1 from disk." in out.getvalue()
    assert "[dim]" not in out.getvalue()


def test_bars_are_drawn_while_nodes_come_and_go():
    bars = Bars(text_console()[0])
    stop = threading.Event()

    def come_and_go() -> None:
        while not stop.is_set():
            for index in range(50):
                bars(NodeStarted("r", f"node{index}", "p.n", ""))
            for index in range(50):
                bars(NodeFinished("r", f"node{index}", "ran", 0.0))

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        pictures = [drawn(bars) for _ in range(50)]
    finally:
        stop.set()
        thread.join()

    assert all("nodes" in picture for picture in pictures)


def test_the_time_left_begins_anew_with_the_next_item_of_a_list():
    clock = Clock()
    bars = Bars(text_console()[0], clock)
    bars(NodeStarted("r", "n", "p.n", ""))
    for now, step in [(1.0, 1), (10.0, 10), (11.0, 0), (13.0, 1)]:
        clock.now = now
        bars(NodeProgress("r", "n", step, 10))

    assert "step 1 of 10, 18 s left" in drawn(bars)


@pytest.mark.parametrize(
    ("as_json", "terminal", "kind"),
    [(True, True, JsonLines), (False, True, Bars), (False, False, Lines)],
)
def test_the_display_fits_its_reader(as_json: bool, terminal: bool, kind: type[Display]):
    assert type(choose_display(as_json, io.StringIO(), text_console(terminal)[0])) is kind


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.314, "0.31 s"), (12.4, "12 s"), (59.7, "1 min 0 s"), (200, "3 min 20 s"), (9.999, "10 s")],
)
def test_durations_are_said_as_people_say_them(seconds: float, text: str):
    assert duration(seconds) == text


def test_the_summary_of_an_empty_run_counts_nothing():
    assert summary(RunFinished("r", "cancelled", 0.0, {}, {})) == "Cancelled in 0.00 s."


def test_the_explanation_has_a_row_for_each_node():
    console, out = text_console()

    console.print(explanation(REPORTS))

    header, *rows = [line.split() for line in out.getvalue().splitlines()]
    assert header == ["node", "outcome", "seconds", "why"]
    assert rows[1] == ["sample", "ran", "3.200", "its", "input", "'seed'", "is", "new"]
    assert len(rows) == 3


JOB: list[Event] = [
    JobQueued("r", "Cat", 0, 1.0),
    JobStarted("r", "cpu"),
    NodeFinished("r", "load", "disk", 0.0),
    JobQueued("r", "Cat", 0, 1.0, reason="the worker died"),
    JobStarted("r", "cpu", 2),
    NodeFinished("r", "load", "disk", 0.0),
    JobFinished("r", "done", 3.4, counts={"ran": 2, "disk": 5}),
]


def test_a_job_of_a_server_is_shown_as_a_run_with_its_waiting():
    console, out = text_console()

    show(Lines(console, Clock(), prefix="5f0c "), JOB)

    assert out.getvalue().splitlines() == [
        "5f0c queued",
        "5f0c load: from disk",
        "5f0c queued again: the worker died",
        "5f0c load: from disk",
        "5f0c Done in 3.40 s: 2 ran, 5 from disk.",
    ]


def test_bars_of_a_job_say_that_it_waits_and_count_anew_when_it_is_tried_again():
    console, _ = text_console(terminal=True)
    bars = Bars(console, Clock())
    said = []

    for event in JOB[:-1]:
        bars(event)
        said.append(drawn(bars).splitlines()[0].strip())

    waits, none, one = "waits for its turn", "0 nodes", "1 nodes"
    assert said == [waits, none, one, waits, none, one]
