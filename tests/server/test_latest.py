"""Only the newest word of each node, in the order in which they came."""

from __future__ import annotations

from nodeflow.server.latest import Latest


def test_only_the_newest_of_a_node_is_known() -> None:
    latest = Latest[int]()
    latest.put("a", "n", 1)
    latest.put("a", "m", 2)
    latest.put("a", "n", 3)
    assert [news.value for news in latest.newer(0)] == [2, 3]
    assert len(latest) == 2


def test_what_is_newer_than_a_stamp_comes_oldest_first() -> None:
    latest = Latest[int]()
    latest.put("a", "n", 1)
    stamp = latest.stamp
    assert latest.newer(stamp) == []
    latest.put("b", "n", 2)
    latest.put("a", "m", 3)
    assert [(news.job, news.value) for news in latest.newer(stamp)] == [("b", 2), ("a", 3)]


def test_nodes_that_are_done_and_jobs_that_are_over_are_dropped() -> None:
    latest = Latest[int]()
    for job in "ab":
        for node in "nm":
            latest.put(job, node, 1)
    latest.drop("a", "n")
    latest.drop("a", "unknown")
    latest.forget("b")
    assert [(news.job, news.stamp) for news in latest.newer(0)] == [("a", 2)]
