"""What a worker says that it holds."""

from __future__ import annotations

import time

from nodeflow.worker.gauge import Gauge


def test_before_there_is_an_engine_nothing_is_held():
    gauge = Gauge()
    assert gauge() == {}
    gauge.watch(lambda: {"models": 1})
    assert gauge() == {"models": 1}


def test_what_takes_long_to_look_up_is_looked_up_seldom():
    looks = []

    def slow() -> dict[str, int]:
        looks.append(1)
        time.sleep(0.02)
        return {"looks": len(looks)}

    gauge = Gauge()
    gauge.watch(slow)
    assert [gauge()["looks"] for _ in range(50)] == [1] * 50


def test_a_fault_is_logged_and_the_last_answer_stands(caplog):
    answers = iter([{"models": 1}])
    gauge = Gauge()
    gauge.watch(lambda: next(answers))
    assert gauge() == {"models": 1}
    time.sleep(0.01)
    assert gauge() == {"models": 1}
    assert "cannot be told" in caplog.text
