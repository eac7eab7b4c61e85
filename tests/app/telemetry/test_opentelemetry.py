"""Traces and metrics reach a receiver of OTLP, and hold what they should and nothing else."""

import io
import logging
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from hanse.app.auth import issue_token
from hanse.app.build import create_app, in_front
from hanse.app.house import House, now_us
from hanse.app.settings import Settings
from hanse.app.telemetry import logs
from hanse.kernel.errors import Unavailable
from hanse.kernel.principal import Principal
from tests.app.http.town import furnish
from tests.app.telemetry.receiver import Received, receiving

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
WORDS = ("Xanthippe", "Zebulon", "4711", "tok_secret", "key-secret", "bearer-secret", "query-secret", "path-secret")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def visit(folder: Path, received: Received, monkeypatch: pytest.MonkeyPatch) -> tuple[str, bytes]:
    """Order, join, and get everything wrong; the order's id and the page of metrics."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", received.url)
    house = House(Settings(folder=folder, metrics="loopback", demo=True))
    furnish(house)
    app = create_app(house)
    front = in_front(app)
    me = {"Authorization": f"Bearer {issue_token(house.secret, Principal('shopper', 'per_ada'), now_us=now_us())}"}
    lines = [{"offer_id": "shp_1:prd_1", "quantity": 1}]
    order = {"lines": lines, "fulfilment": "pickup", "payment": "card", "card_token": "tok_secret"}
    traced = {**me, "traceparent": f"00-{TRACE}-{PARENT}-01", "Idempotency-Key": "key-secret"}
    address = {"name": "Xanthippe", "street": "4711", "postcode": "1", "city": "Q", "lat": 60.1, "lon": 24.9}
    transport = httpx.ASGITransport(front, client=("127.0.0.1", 1), raise_app_exceptions=False)
    async with app.lifespan(), httpx.AsyncClient(transport=transport, base_url="http://town") as client:
        placed = await client.post("/api/orders", json=order, headers=traced)
        assert placed.status_code == 202, placed.text
        await client.post("/api/members", json={"name": "Xanthippe", "phone": "4711"})
        await client.post("/api/addresses", json={**address, "note": "Zebulon"}, headers=me)
        await client.post("/api/addresses", json={**address, "Zebulon": 1}, headers=me)
        await client.post("/api/orders", content=b'{"lines": "Xanthippe', headers=me)
        await client.post("/api/orders", json={**order, "payment": "card", "card_token": "tok_secret"}, headers=me)
        await client.get("/api/orders", params={"cursor": "query-secret"}, headers=me)
        await client.get("/path-secret?q=query-secret", headers={"Authorization": "Bearer bearer-secret"})
        await client.get("/path-secret", headers={"Accept": "text/html"})
        # Bugs in a hot route, in a route, in a page, in a command; each with words in its text.
        monkeypatch.setattr("hanse.app.http.hot.order_job", _fail)
        assert (await client.post("/api/orders", json=order, headers=me)).status_code == 500
        monkeypatch.setattr("hanse.app.http.placing.orders_of_shopper", _fail)
        assert (await client.get("/api/orders", headers=me)).status_code == 500
        assert (await client.get("/orders", headers=me)).status_code < 600
        metrics = (await client.get("/metrics")).content
    return placed.json()["order_id"], metrics


def _fail(*_: Any, **__: Any) -> None:
    hidden = WORDS  # noqa: F841 - what a dump of locals would show
    raise RuntimeError(" ".join(WORDS))


@pytest.mark.anyio
async def test_a_request_is_a_span_with_what_its_command_came_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, anyio_backend: str
) -> None:
    stream = io.StringIO()
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook)
    before = root.handlers[:], root.level
    logs.begin("json", stream)
    try:
        with receiving() as received:
            order_id, page = await visit(tmp_path, received, monkeypatch)
    finally:
        root.handlers, (sys.excepthook, threading.excepthook) = before[0], hooks
        root.setLevel(before[1])

    span = next(span for span in received.spans() if span.trace_id.hex() == TRACE)
    said = {a.key: a.value.string_value or a.value.int_value for a in span.attributes}
    assert (span.name, span.parent_span_id.hex()) == ("POST /api/orders", PARENT)
    assert said.pop("hanse.turn") > 0
    assert said.pop("hanse.position") > 0
    assert said == {
        "http.request.method": "POST",
        "http.route": "/api/orders",
        "http.response.status_code": 202,
        "hanse.origin": "flows.order.place",
        "hanse.outcome": "ok",
        "hanse.story": order_id,
        "hanse.commands": 1,
    }

    # The same numbers by both ways.
    metrics = received.metrics()
    placed = [p.as_double for p in metrics["hanse_events"].sum.data_points if _label(p) == "market.order_placed"]
    assert placed == [2.0]
    assert b'hanse_events_total{name="market.order_placed"} 2.0' in page
    commits = metrics["hanse_turn_commit_seconds"].histogram.data_points[0]
    assert sum(commits.bucket_counts) == commits.count > 0
    assert len(commits.bucket_counts) == len(commits.explicit_bounds) + 1
    assert metrics["hanse_journal_position"].gauge.data_points[0].as_int > 0

    # Nobody's words, in none of the three.
    everything = b"\n".join(
        [page, stream.getvalue().encode(), *(b for bodies in received.bodies.values() for b in bodies)]
    )
    assert [word for word in WORDS if word.encode() in everything] == []
    events = stream.getvalue()
    assert '"event":"request_failed","method":"POST","route":"/api/orders","trace":"' in events
    assert '"error":"RuntimeError"' in events


def _label(point: Any) -> str:
    label: str = point.attributes[0].value.string_value
    return label


def test_who_asks_for_opentelemetry_without_having_it_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(Unavailable, match=r"install it: pip install 'hanse\[telemetry\]'"):
        House(Settings(folder=tmp_path))


def test_nothing_is_sent_where_nobody_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    house = House(Settings(folder=tmp_path))
    assert (house.watch.meters, house.watch.spans) == (None, None)
    house.journal.close()
    house.vault.close()
