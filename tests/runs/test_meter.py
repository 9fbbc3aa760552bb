"""The meter: peaks of long nodes, next to nothing for short ones, no thread that stays awake."""

from __future__ import annotations

import threading
import time

import numpy as np
import psutil

from nodeflow.runs.meter import REST_SAMPLES, SAMPLE_SECONDS, Meter

MB = 1 << 20


def test_memory_that_was_let_go_before_the_end_counts():
    meter = Meter()
    reading = meter.begin()
    block = np.ones(300 * MB, dtype=np.uint8)
    time.sleep(4 * SAMPLE_SECONDS)
    del block
    after = psutil.Process().memory_info().rss
    peak = meter.end(reading)
    assert peak > after + 200 * MB
    assert meter.end(reading) == peak
    meter.close()


def test_what_a_node_holds_at_its_end_counts_without_a_sample():
    meter = Meter()
    reading = meter.begin()
    block = np.ones(200 * MB, dtype=np.uint8)
    assert meter.end(reading) > block.nbytes
    meter.close()


def test_the_sampler_sleeps_while_nothing_runs_and_wakes_for_the_next_node():
    before = set(threading.enumerate())
    meter = Meter()
    assert set(threading.enumerate()) == before
    meter.end(meter.begin())
    (sampler,) = set(threading.enumerate()) - before
    deadline = time.monotonic() + 20
    while not meter._asleep and time.monotonic() < deadline:
        time.sleep(SAMPLE_SECONDS * REST_SAMPLES / 4)
    assert meter._asleep
    reading = meter.begin()
    block = np.ones(300 * MB, dtype=np.uint8)
    time.sleep(4 * SAMPLE_SECONDS)
    held = block.nbytes
    del block
    assert meter.end(reading) > held
    meter.close()
    sampler.join(10)
    assert not sampler.is_alive()


def test_a_node_in_no_time_costs_next_to_nothing():
    meter = Meter()
    meter.end(meter.begin())
    costs = []
    for _ in range(20):
        started = time.thread_time()
        for _ in range(200):
            meter.end(meter.begin())
        costs.append((time.thread_time() - started) / 200)
    assert min(costs) < 20e-6
    meter.close()


def test_reports_and_events_tell_the_peak_of_what_ran_and_of_nothing_else(house, flow):
    nodes = {"a": ("number", {}), "b": ("add", {"a": "@a"}), "bad": ("fail", {})}
    first = house.run(flow(nodes, {"n": "b"}))
    finished = {event.node: event for event in house.events if event.event == "node_finished"}
    for name in ("a", "b"):
        assert first.nodes[name].memory > 10 * MB
        assert finished[name].memory == first.nodes[name].memory
    assert first.nodes["b"].as_json()["memory"] == first.nodes["b"].memory
    again = house.run(flow({name: nodes[name] for name in "ab"}, {"n": "b"}))
    assert {report.memory for report in again.nodes.values()} == {0}
    assert {event.memory for event in house.events if event.event == "node_finished"} == {0}
    assert "memory" not in again.nodes["a"].as_json()
