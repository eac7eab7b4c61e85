"""Traces by OpenTelemetry: one span a request, with what its command came to. Switched on by OTEL_… variables.

A span names the route, the command's origin, its turn, the journal's position and the story (ord_…): with the last two
`hanse trace` and SQL find the rest. Nothing of the request itself is in it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from hanse.app.telemetry.logs import TRACE
from hanse.district.jobs import Answer, Job, origin_of
from hanse.district.observing import Turned
from hanse.kernel.errors import Unavailable

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

__all__ = ["Spans", "is_wanted", "spans_by"]

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")
_CARRIED = {b"traceparent": "traceparent", b"tracestate": "tracestate"}


class _Under:
    """A request under way: its span, and the commands that it waits for."""

    def __init__(self, span: "Span") -> None:
        self.span = span
        self.jobs: list[int] = []


_current: ContextVar[_Under | None] = ContextVar("_current", default=None)


class Spans:
    """Begins and ends the spans of requests, and writes down what their commands came to."""

    def __init__(self, provider: "TracerProvider") -> None:
        from opentelemetry.trace import SpanKind, StatusCode
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider = provider
        self._tracer = provider.get_tracer("hanse")
        self._server = SpanKind.SERVER
        self.failed = StatusCode.ERROR
        self._propagator = TraceContextTextMapPropagator()
        self._waiting: dict[int, _Under] = {}
        self._turns = 0

    @contextmanager
    def request(self, scope: Any) -> Iterator["Span"]:
        """The span of a request, until the block ends; part of its caller's trace, if the caller says so."""
        carrier = {_CARRIED[name]: value.decode("latin-1") for name, value in scope["headers"] if name in _CARRIED}
        context = self._propagator.extract(carrier) if carrier else None
        span = self._tracer.start_span(scope["method"], context=context, kind=self._server)
        under = _Under(span)
        here, trace = _current.set(under), TRACE.set(f"{span.get_span_context().trace_id:032x}")
        try:
            yield span
        finally:
            _current.reset(here)
            TRACE.reset(trace)
            for job in under.jobs:
                self._waiting.pop(job, None)
            span.end()

    def follow(self, job: Job) -> None:
        """Note that the request under way waits for a command."""
        under = _current.get()
        if under is not None and under.span.is_recording():
            under.jobs.append(id(job))
            self._waiting[id(job)] = under

    def turned(self, turned: Turned) -> None:
        """Write into the spans what their commands came to; of several the last one, and how many."""
        self._turns += 1
        if not self._waiting:
            return
        first = turned.entries[0][0] if turned.entries else 0
        for job, answer in zip(turned.jobs, turned.answers, strict=True):
            under = self._waiting.pop(id(job), None)
            if under is not None:
                under.span.set_attributes(
                    {
                        "hanse.origin": origin_of(job.command),
                        "hanse.outcome": answer.kind,
                        "hanse.turn": self._turns,
                        "hanse.position": answer.position,
                        "hanse.story": _story(job, answer, turned, first),
                        "hanse.commands": len(under.jobs),
                    }
                )

    def close(self) -> None:
        """Send what waits to be sent; takes as long as the collector does."""
        self._provider.shutdown()


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Whether the standard variables name somebody to send to."""
    off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return not off and any(environment.get(name) for name in ENDPOINTS)


def spans_by(environment: Mapping[str, str], *, district: str) -> Spans | None:
    """What traces, as the standard variables say: to whom, how much, under which name; None for nobody.

    Raises
    ------
    Unavailable
        They name somebody, and what speaks to them is not installed.
    """
    if not is_wanted(environment) or environment.get("OTEL_TRACES_EXPORTER") == "none":
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise no_extra() from error
    named = {"service.name": environment.get("OTEL_SERVICE_NAME", "hanse"), "hanse.district": district}
    provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Spans(provider)


def no_extra() -> Unavailable:
    """What to say where OpenTelemetry is asked for and not there."""
    return Unavailable(
        "app.no_opentelemetry", "OTEL_… asks for OpenTelemetry, an extra; install it: pip install 'hanse[telemetry]'."
    )


def _story(job: Job, answer: Answer, turned: Turned, first: int) -> str:
    """What the last entry of a command is about; empty if it recorded nothing."""
    at = answer.position - first
    if not 0 <= at < len(turned.entries):
        return ""
    entry = turned.entries[at]
    return entry[4] if entry[5] == origin_of(job.command) and not entry[6] else ""
