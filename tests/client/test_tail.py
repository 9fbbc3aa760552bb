"""Events come in order, each once, whatever the connections do."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from nodeflow.client.tail import Tail
from tests.client.speaker import sse

KEPT: list[dict[str, Any]] = [
    {"seq": number, "event": "node_finished", "job": "a", "text": "\u2028 \x85 é"}
    for number in range(1, 13)
]


def served(tail: Tail, until: int) -> str:
    """What a server that keeps events 1 to `until` sends to this request."""
    after = tail.connect().query.get("after", 0)
    assert isinstance(after, int)
    events = [event for event in KEPT if after < event["seq"] <= until]
    return sse(*events, after=after, last=until)


@given(st.lists(st.integers(0, 3000), max_size=8), st.integers(1, 50))
def test_any_point_of_disconnection_gives_the_same_sequence(cuts: list[int], size: int) -> None:
    tail = Tail(after=0)
    seen = []

    for number, cut in enumerate([*cuts, None]):
        text = served(tail, len(KEPT) if cut is None else min(len(KEPT), 3 + 2 * number))[:cut]
        for start in range(0, len(text), size):
            seen += tail.feed(text[start : start + size])

    assert seen == KEPT


def test_what_was_read_is_not_read_again() -> None:
    tail = Tail(after=4)

    assert tail.feed(sse(*KEPT[:6])) == KEPT[4:6]


def test_without_a_place_to_begin_it_goes_on_from_where_the_server_was() -> None:
    tail = Tail()
    assert "after" not in tail.connect().query

    assert tail.feed(sse(after=7, last=7)) == []

    assert tail.connect().query == {"after": 7}


def test_progress_has_no_number_and_passes() -> None:
    progress = {"event": "node_progress", "job": "a", "node": "n", "step": 1, "total": 2}
    tail = Tail(after=3)

    assert tail.feed(sse(progress, after=3, last=3)) == [progress]
    assert tail.after == 3


def test_the_last_event_of_the_job_ends_it_and_those_of_others_do_not() -> None:
    other = {"seq": 1, "event": "job_finished", "job": "b"}
    end = {"seq": 2, "event": "job_finished", "job": "a"}
    late = {"seq": 3, "event": "job_removed", "job": "a"}
    tail = Tail(0, "a")

    assert tail.connect().query == {"after": 0, "job": "a"}
    assert tail.feed(sse(other)) == [other]
    assert not tail.over
    assert tail.feed(sse(end, late)) == [end]
    assert tail.over


def test_events_that_the_server_no_longer_keeps_are_told_of() -> None:
    tail = Tail(after=1)

    found = tail.feed(sse(KEPT[8], after=1, last=9, gap=True))

    assert [event["event"] for event in found] == ["gap", "node_finished"]
    assert tail.after == 9


def test_a_server_whose_journal_is_new_is_read_from_its_own_numbers() -> None:
    tail = Tail(after=500)

    tail.feed(sse(after=500, last=2, gap=True))

    assert tail.feed(sse(KEPT[2])) == [KEPT[2]]


def test_half_an_event_is_forgotten_with_its_connection() -> None:
    tail = Tail(after=0)
    tail.feed(sse(KEPT[0])[:-10])

    tail.connect()

    assert tail.feed(sse(*KEPT[:2])) == KEPT[:2]
