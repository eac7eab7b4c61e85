"""The registry of `meters.py`, sent by OTLP: the same numbers as under /metrics, counted once."""

import logging
import time
from collections.abc import Iterable, Mapping
from itertools import pairwise
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric, Sample

from hanse.app.telemetry.logs import say
from hanse.app.telemetry.tracing import is_wanted, no_extra

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricExporter, MetricsData

__all__ = ["Sender", "as_otlp", "sender_by"]

DEFAULT_INTERVAL_MS = 60_000


class Sender:
    """Sends a registry in a thread of its own, every so often and once more at the end."""

    def __init__(
        self, registry: CollectorRegistry, exporter: "MetricExporter", *, interval_s: float, resource: Mapping[str, str]
    ) -> None:
        self._registry = registry
        self._exporter = exporter
        self._interval_s = interval_s
        self._resource = resource
        self._since_ns = time.time_ns()
        self._over = Event()
        self._thread = Thread(target=self._run, name="metrics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Send a last time, and end."""
        self._over.set()
        self._thread.join()
        self._exporter.shutdown()

    def send(self) -> None:
        """Send everything now."""
        try:
            self._exporter.export(as_otlp(self._registry.collect(), resource=self._resource, since_ns=self._since_ns))
        except Exception as error:  # a number that cannot be sent must not end the sending
            say(logging.WARNING, "metrics_not_sent", error=error)

    def _run(self) -> None:
        while not self._over.wait(self._interval_s):
            self.send()
        self.send()


def sender_by(environment: Mapping[str, str], registry: CollectorRegistry, *, district: str) -> Sender | None:
    """What sends a registry, as the standard variables say; None for nobody.

    Raises
    ------
    Unavailable
        They name somebody, and what speaks to them is not installed.
    """
    if not is_wanted(environment) or environment.get("OTEL_METRICS_EXPORTER") == "none":
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    except ImportError as error:
        raise no_extra() from error
    interval_ms = float(environment.get("OTEL_METRIC_EXPORT_INTERVAL", DEFAULT_INTERVAL_MS))
    named = {"service.name": environment.get("OTEL_SERVICE_NAME", "hanse"), "hanse.district": district}
    return Sender(registry, OTLPMetricExporter(), interval_s=interval_ms / 1_000, resource=named)


def as_otlp(metrics: Iterable[Metric], *, resource: Mapping[str, str], since_ns: int) -> "MetricsData":
    """Metrics of Prometheus in the form of OpenTelemetry: counters as sums, gauges as gauges, histograms as such."""
    from opentelemetry.sdk.metrics import export
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    now_ns, total = time.time_ns(), export.AggregationTemporality.CUMULATIVE
    found = []
    for metric in metrics:
        data: Any
        if metric.type == "histogram":
            data = export.Histogram([_histogram(one, since_ns, now_ns) for one in _by_labels(metric)], total)
        else:
            points = [export.NumberDataPoint(s.labels, since_ns, now_ns, s.value) for s in metric.samples]
            data = export.Sum(points, total, True) if metric.type == "counter" else export.Gauge(points)
        found.append(export.Metric(metric.name, metric.documentation, "", data))
    scope = export.ScopeMetrics(InstrumentationScope("hanse"), found, "")
    return export.MetricsData([export.ResourceMetrics(Resource.create(dict(resource)), [scope], "")])


def _by_labels(metric: Metric) -> Iterable[list[Sample]]:
    """The samples of each series of a histogram."""
    series: dict[tuple[tuple[str, str], ...], list[Sample]] = {}
    for sample in metric.samples:
        labels = tuple(sorted((name, value) for name, value in sample.labels.items() if name != "le"))
        series.setdefault(labels, []).append(sample)
    return series.values()


def _histogram(samples: list[Sample], since_ns: int, now_ns: int) -> Any:
    from opentelemetry.sdk.metrics.export import HistogramDataPoint

    buckets = [sample for sample in samples if sample.name.endswith("_bucket")]
    up_to = [0.0, *(sample.value for sample in buckets)]
    rest = {sample.name.rpartition("_")[2]: sample for sample in samples if sample not in buckets}
    return HistogramDataPoint(
        attributes=dict(rest["count"].labels),
        start_time_unix_nano=since_ns,
        time_unix_nano=now_ns,
        count=int(rest["count"].value),
        sum=rest["sum"].value,
        # Prometheus counts what is below each bound, OpenTelemetry what is between two.
        bucket_counts=[int(high - low) for low, high in pairwise(up_to)],
        explicit_bounds=[float(sample.labels["le"]) for sample in buckets[:-1]],
        min=float("nan"),
        max=float("nan"),
    )
