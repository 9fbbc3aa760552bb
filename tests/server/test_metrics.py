"""Numbers for Prometheus, read back with its own parser."""

from __future__ import annotations

import json
import threading

import pytest
from prometheus_client.parser import text_string_to_metric_families

from nodeflow.journal.records import Kept
from nodeflow.server.metrics import METRICS, Metrics
from nodeflow.server.worker_process import WorkerProcess
from tests.server.parts import parts, settings_of


def samples(text):
    """Every sample as name and labels."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def kept(event, **body):
    return Kept(1, 0.0, event, "j", json.dumps({"event": event, "job": "j", **body}))


@pytest.fixture
async def server(tmp_path):
    async with parts(settings_of(tmp_path), WorkerProcess("cpu")) as server:
        yield server


async def scrape(server):
    answer = await server.client.get("/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return samples(await answer.text())


async def test_jobs_and_workers_are_told_of(server):
    server.save(server.state.outputs / "a.png", b"x")
    found = await scrape(server)
    assert found["nodeflow_jobs", ("status", "done")] == 1
    assert found["nodeflow_queue_length",] == 0
    assert found["nodeflow_worker_ready", ("worker", "cpu")] == 0
    assert found["nodeflow_worker_resident_bytes", ("worker", "cpu")] == 0
    assert found["nodeflow_worker_deaths_total",] == 0
    assert found["nodeflow_server_resident_bytes",] > 10_000_000


async def test_requests_are_counted_by_route_so_that_there_are_only_so_many(server):
    for number in range(20):
        assert (await server.client.get(f"/api/results/{number}")).status == 404
        assert (await server.client.get(f"/nothing/{number}")).status == 404
        await server.client.request("PROPFIND", "/metrics")
    found = await scrape(server)
    requests = {labels: value for labels, value in found.items() if "http_requests_t" in labels[0]}
    assert {
        tuple(value for _, value in labels[1:]): count for labels, count in requests.items()
    } == {
        ("GET", "/api/results/{digest}", "404"): 20,
        ("GET", "unknown", "404"): 20,
        ("other", "unknown", "405"): 20,
    }
    assert found["nodeflow_http_request_seconds_count",] == 60


def test_events_are_counted_and_finished_jobs_looked_into():
    metrics = Metrics()
    metrics.on_events(
        [
            kept("job_started"),
            kept("node_finished", outcome="ran"),
            kept("job_finished", status="done", seconds=3.0, counts={"ran": 2, "disk": 5}),
        ]
    )
    metrics.on_events([kept("job_finished", status="failed", seconds=0.02, counts={"ran": 1})])
    found = samples(metrics.text().decode())
    assert found["nodeflow_events_total", ("event", "job_started")] == 1
    assert found["nodeflow_events_total", ("event", "job_finished")] == 2
    assert found["nodeflow_jobs_finished_total", ("status", "done")] == 1
    assert found["nodeflow_nodes_total", ("outcome", "ran")] == 3
    assert found["nodeflow_nodes_total", ("outcome", "disk")] == 5
    assert found["nodeflow_job_seconds_sum", ("status", "done")] == 3.0
    assert found["nodeflow_job_seconds_bucket", ("le", "5.0"), ("status", "done")] == 1
    assert found["nodeflow_job_seconds_bucket", ("le", "1.0"), ("status", "done")] == 0


def test_commits_are_counted_from_any_thread():
    metrics = Metrics()
    threads = [threading.Thread(target=metrics.on_commit, args=(0.003,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = samples(metrics.text().decode())
    assert found["nodeflow_journal_commit_seconds_count",] == 8
    assert found["nodeflow_journal_commit_seconds_bucket", ("le", "0.005")] == 8
    assert found["nodeflow_journal_commit_seconds_bucket", ("le", "0.002")] == 0


def test_two_servers_in_one_process_count_apart():
    one, two = Metrics(), Metrics()
    one.on_events([kept("job_started")])
    assert ("nodeflow_events_total", ("event", "job_started")) not in samples(two.text().decode())


async def test_the_journal_says_how_long_its_commits_take(server):
    metrics = server.client.app[METRICS]
    server.state.journal.timed = metrics.on_commit
    server.save(server.state.outputs / "a.png", b"x")
    found = await scrape(server)
    assert found["nodeflow_journal_commit_seconds_count",] == 3
    assert 0 < found["nodeflow_journal_commit_seconds_sum",] < 60


async def test_watchers_are_those_that_watch_now(server):
    metrics = server.client.app[METRICS]
    metrics.on_stream(1)
    metrics.on_stream(1)
    metrics.on_stream(-1)
    assert (await scrape(server))["nodeflow_watchers",] == 1
