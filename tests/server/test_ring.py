"""The newest events stay, in order, within count and size."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nodeflow.server.frames import Entry
from nodeflow.server.ring import Ring, within


def entry(seq: int, size: int = 10) -> Entry:
    return Entry(seq, "node_log", "", b"x" * size)


@given(
    gaps=st.lists(st.integers(1, 3), max_size=60),
    count=st.integers(1, 20),
    after=st.integers(0, 150),
    upto=st.integers(0, 150),
)
def test_a_ring_gives_all_events_of_a_span_that_it_covers(
    gaps: list[int], count: int, after: int, upto: int
) -> None:
    ring, seqs = Ring(5, count), []
    for gap in gaps:
        seqs.append((seqs[-1] if seqs else 5) + gap)
        ring.extend([entry(seqs[-1])])
    assert ring.last == (seqs[-1] if seqs else 5)
    if ring.covers(after):
        found = [item.seq for item in ring.between(after, upto, 1000, 1 << 20)]
        assert found == [seq for seq in seqs if after < seq <= upto]
    else:
        assert after < ring.floor


@given(sizes=st.lists(st.integers(0, 50), max_size=60), count=st.integers(1, 9))
def test_a_ring_stays_within_its_count_and_size(sizes: list[int], count: int) -> None:
    ring = Ring(0, count, 100)
    for seq, size in enumerate(sizes, 1):
        ring.extend([entry(seq, size)])
        held = ring.between(0, seq, 1000, 1 << 20)
        assert len(held) <= count
        assert sum(len(item.data) for item in held) <= 100


def test_an_event_larger_than_the_ring_is_left_to_the_journal() -> None:
    ring = Ring(0, 10, 100)
    ring.extend([entry(1), entry(2, 500)])
    assert ring.last == 2
    assert not ring.covers(1)
    assert ring.covers(2)


def test_a_span_is_cut_at_its_limit_and_size_but_never_to_nothing() -> None:
    ring = Ring(0)
    ring.extend(entry(seq, 100) for seq in range(1, 10))
    assert [item.seq for item in ring.between(2, 9, 3, 10_000)] == [3, 4, 5]
    assert [item.seq for item in ring.between(2, 9, 9, 250)] == [3, 4]
    assert [item.seq for item in ring.between(2, 9, 9, 1)] == [3]
    assert within([], 1) == []
