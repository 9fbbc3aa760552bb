"""When frames go out."""

from __future__ import annotations

import pytest

from nodeflow.server.pace import DEAREST_SECONDS, PASSING_SECONDS, Pace, Urgency


@pytest.mark.parametrize("urgency", Urgency)
def test_at_once_when_nothing_went_on(urgency: Urgency) -> None:
    assert Pace().due(urgency, 100.0) == 100.0


def test_progress_waits_and_kept_events_do_not_when_frames_are_cheap() -> None:
    pace = Pace()
    pace.took(100.0, 0.0001)
    assert pace.due(Urgency.PASSING, 100.001) == 100.0 + PASSING_SECONDS
    assert pace.due(Urgency.KEPT, 100.001) == 100.001
    assert pace.due(Urgency.LAST, 100.001) == 100.001


def test_dear_frames_leave_the_loop_two_thirds_of_its_time() -> None:
    pace, now, busy = Pace(), 100.0, 0.0
    for _ in range(100):
        now = pace.due(Urgency.KEPT, now) + 0.01
        busy += 0.01
        pace.took(now, 0.01)
    assert busy / (now - 100.0) <= 0.34


def test_the_end_of_a_job_waits_less_than_what_leads_to_it() -> None:
    pace = Pace()
    pace.took(100.0, 0.01)
    assert pace.due(Urgency.LAST, 100.001) == pytest.approx(100.01)
    assert pace.due(Urgency.KEPT, 100.001) == pytest.approx(100.031)
    assert pace.due(Urgency.LAST, 100.5) == 100.5


def test_no_event_waits_long_after_a_broadcast_that_took_seconds() -> None:
    pace = Pace()
    pace.took(100.0, 9.0)
    assert pace.due(Urgency.KEPT, 100.0) <= 100.0 + 3 * DEAREST_SECONDS
