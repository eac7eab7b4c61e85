"""Numbers for an operator, in the form of Prometheus. What can be read when asked for is read then (`scrape.py`).

Labels come from short lists that the code knows: kinds of answers, names of events, templates of routes. So the
number of series is bounded, and none of them names anybody.
"""

import gc
import time
from collections import Counter as Tally
from operator import attrgetter, itemgetter

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from hanse.district.jobs import Answer
from hanse.district.observing import Turned

__all__ = ["CONTENT_TYPE", "Meters"]

CONTENT_TYPE = "text/plain; version=0.0.4"

_FAST_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
_HTTP_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_REFUSED = {b'{"result":"sold_out"': "sold_out", b'{"result":"funds_sho': "funds_short"}
_REFUSED_LENGTH = 20
"""The first bytes of an order's answer tell a refusal; reading the whole of each would cost ten times as much."""

# Twice the series to say when each began; a restart shows anyway.
disable_created_metrics()  # type: ignore[no-untyped-call]

_KIND, _NAME = attrgetter("kind"), itemgetter(2)


class Meters:
    """All that is counted in one process."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)
        self._commands = Counter(
            "hanse_commands", "Commands that were answered, by kind of answer.", ["outcome"], registry=registry
        )
        self._refused = Counter(
            "hanse_orders_refused", "Orders that were refused for a reason.", ["reason"], registry=registry
        )
        self._events = Counter("hanse_events", "Events that were recorded, by name.", ["name"], registry=registry)
        self._folding = Histogram(
            "hanse_turn_folding_seconds", "Commands, steps and folds of a turn.", buckets=_FAST_S, registry=registry
        )
        self._commit = Histogram(
            "hanse_turn_commit_seconds", "The commit of a turn.", buckets=_FAST_S, registry=registry
        )
        self._restarts = Counter(
            "hanse_writer_restarts", "Times that memory was made anew from the journal.", ["reason"], registry=registry
        )
        self._slow = Counter(
            "hanse_slow", "Commands, steps, deadlines and turns beyond the limit.", ["kind"], registry=registry
        )
        self._requests = Counter(
            "hanse_http_requests", "HTTP requests.", ["method", "route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "hanse_http_request_seconds",
            "HTTP requests, streams left out.",
            ["route"],
            buckets=_HTTP_S,
            registry=registry,
        )
        self._pauses = Histogram(
            "hanse_gc_pause_seconds", "Pauses for collecting garbage.", buckets=_FAST_S, registry=registry
        )
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._paused = 0.0
        gc.callbacks.append(self._collected)

    def close(self) -> None:
        """Count no more pauses."""
        gc.callbacks.remove(self._collected)

    def page(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self.registry)

    def turned(self, turned: Turned) -> None:
        """Count a turn."""
        self._folding.observe(turned.folding_s)
        self._commit.observe(turned.commit_s)
        for kind, count in Tally(map(_KIND, turned.answers)).items():
            self._commands.labels(kind).inc(count)
        for name, count in Tally(map(_NAME, turned.entries)).items():
            self._events.labels(name).inc(count)
        for reason, count in Tally(map(_start, turned.answers)).items():
            if reason in _REFUSED:
                self._refused.labels(_REFUSED[reason]).inc(count)

    def restarted(self, reason: str) -> None:
        """Count a restart of the writer."""
        self._restarts.labels(reason).inc()

    def slow(self, kind: str) -> None:
        """Count something slow."""
        self._slow.labels(kind).inc()

    def request(self, method: str, route: str, status: int, seconds: float | None) -> None:
        """Count a request; no seconds for a stream, whose length says nothing."""
        found = self._known.get((method, route, status))
        if found is None:
            counter = self._requests.labels(method if method in _METHODS else "other", route, str(status))
            found = counter, self._seconds.labels(route)
            if method in _METHODS:
                # Looking a series up by its labels takes longer than counting.
                self._known[method, route, status] = found
        found[0].inc()
        if seconds is not None:
            found[1].observe(seconds)

    def _collected(self, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            self._paused = time.perf_counter()
        else:
            self._pauses.observe(time.perf_counter() - self._paused)


def _start(answer: Answer) -> bytes:
    return answer.body[:_REFUSED_LENGTH]
