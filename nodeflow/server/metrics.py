"""`/metrics`: what Prometheus reads: jobs, nodes, workers, events, requests, commits."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

import psutil
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from nodeflow.journal.records import Kept
from nodeflow.server.operation import Answer, operation
from nodeflow.server.state import STATE, State

routes = web.RouteTableDef()

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_JOB_SECONDS = (0.01, 0.05, 0.2, 1, 5, 15, 60, 300, 1800, 7200)
_REQUEST_SECONDS = (0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60)
_COMMIT_SECONDS = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.2, 1)
_STREAM = "/api/events"
_METHODS = frozenset(("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"))


class Metrics(Collector):
    """The numbers of one server, in a registry of their own."""

    def __init__(self) -> None:
        self._state: State | None = None
        self._watchers = 0
        self._events: Counter[str] = Counter()
        self._ended: Counter[str] = Counter()
        self._nodes: Counter[str] = Counter()
        self._requests: Counter[tuple[str, str, str]] = Counter()
        self._registry = registry = CollectorRegistry()
        self._job_seconds = Histogram(
            "nodeflow_job_seconds",
            "How long jobs ran.",
            ["status"],
            buckets=_JOB_SECONDS,
            registry=registry,
        )
        self._request_seconds = Histogram(
            "nodeflow_http_request_seconds",
            "How long handlers took, without streams of events.",
            buckets=_REQUEST_SECONDS,
            registry=registry,
        )
        self._commit_seconds = Histogram(
            "nodeflow_journal_commit_seconds",
            "How long commits of the journal took.",
            buckets=_COMMIT_SECONDS,
            registry=registry,
        )
        registry.register(self)

    def read_from(self, state: State | None) -> None:
        """Tell from now on of the jobs and workers of a server, too."""
        self._state = state

    def on_events(self, events: Sequence[Kept]) -> None:
        """Count events of the journal."""
        for kept in events:
            self._events[kept.event] += 1
            if kept.event == "job_finished":
                self._on_finished(kept.text)

    def _on_finished(self, text: str) -> None:
        body = json.loads(text)
        status = str(body["status"])
        self._ended[status] += 1
        self._job_seconds.labels(status).observe(float(body.get("seconds", 0.0)))
        self._nodes.update(body.get("counts", {}))

    def on_commit(self, seconds: float) -> None:
        """Count a commit of the journal; may be called from its thread."""
        self._commit_seconds.observe(seconds)

    def on_request(self, request: web.Request, status: int, seconds: float) -> None:
        """Count a request by its route's template, so that there are only so many."""
        route = _route(request)
        method = request.method if request.method in _METHODS else "other"
        self._requests[route, method, str(status)] += 1
        if route != _STREAM:  # which takes as long as its client likes
            self._request_seconds.observe(seconds)

    def on_stream(self, change: int) -> None:
        """A client has begun, or ended, to watch events."""
        self._watchers += change

    def text(self) -> bytes:
        """All numbers in Prometheus' format; reads the journal, so not on the loop."""
        return generate_latest(self._registry)

    def collect(self) -> Iterable[Metric]:
        """What is not kept in histograms; called by the registry."""
        yield from self._counters()
        yield GaugeMetricFamily(
            "nodeflow_watchers", "Clients that watch events.", value=self._watchers
        )
        yield GaugeMetricFamily(
            "nodeflow_server_resident_bytes",
            "Memory that the server itself occupies.",
            value=psutil.Process().memory_info().rss,
        )
        if self._state is not None:
            yield from _gauges(self._state)

    def _counters(self) -> Iterator[Metric]:
        for name, says, label, counts in (
            ("nodeflow_events", "Events in the journal's order.", "event", self._events),
            ("nodeflow_jobs_finished", "Jobs that are over.", "status", self._ended),
            ("nodeflow_nodes", "Nodes of finished jobs.", "outcome", self._nodes),
        ):
            family = CounterMetricFamily(name, says, labels=[label])
            for value, count in sorted(counts.items()):
                family.add_metric([value], count)
            yield family
        requests = CounterMetricFamily(
            "nodeflow_http_requests", "Requests.", labels=["route", "method", "status"]
        )
        for labels, count in sorted(self._requests.items()):
            requests.add_metric(list(labels), count)
        yield requests


def _gauges(state: State) -> Iterator[Metric]:
    jobs = GaugeMetricFamily("nodeflow_jobs", "Jobs in the journal.", labels=["status"])
    counts = state.journal.counts()
    for status, count in sorted(counts.items()):
        jobs.add_metric([status], count)
    yield jobs
    yield GaugeMetricFamily(
        "nodeflow_queue_length", "Jobs that wait.", value=counts.get("queued", 0)
    )
    ready = GaugeMetricFamily("nodeflow_worker_ready", "1 if it takes jobs.", labels=["worker"])
    rss = GaugeMetricFamily(
        "nodeflow_worker_resident_bytes", "Memory that it occupies.", labels=["worker"]
    )
    for name, worker in sorted(state.queue.workers.items()):
        ready.add_metric([name], float(worker.ready))
        rss.add_metric([name], worker.rss)
    yield ready
    yield rss
    yield CounterMetricFamily(
        "nodeflow_worker_deaths",
        "Workers that ended unasked, and were started again.",
        value=state.queue.deaths,
    )


METRICS = web.AppKey("metrics", Metrics)


async def metrics_context(app: web.Application) -> AsyncIterator[None]:
    """For `app.cleanup_ctx`, after the state: tells of jobs and workers while the server runs."""
    app[METRICS].read_from(app[STATE])
    yield
    app[METRICS].read_from(None)


def metrics_middleware(metrics: Metrics) -> Middleware:
    """Counts requests; put it around the others, so that it sees what problems became."""

    @web.middleware
    async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
        started = time.perf_counter()
        watches = _route(request) == _STREAM
        metrics.on_stream(int(watches))
        status = 500
        try:
            response = await handler(request)
            status = response.status
            return response
        except web.HTTPException as error:
            status = error.status
            raise
        except (ConnectionError, asyncio.CancelledError):
            status = 499  # the client has gone
            raise
        finally:
            metrics.on_stream(-int(watches))
            metrics.on_request(request, status, time.perf_counter() - started)

    return count


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unknown"


@routes.get("/metrics")
@operation(
    "Numbers for Prometheus",
    tag="system",
    answers={200: Answer("In Prometheus' text format.", media_type="text/plain")},
)
async def show_metrics(request: web.Request) -> web.StreamResponse:
    """Jobs, nodes, workers, events, requests and commits."""
    text = await asyncio.to_thread(request.app[METRICS].text)
    return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE})
