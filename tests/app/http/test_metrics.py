"""Who may read /metrics, and what stands there: numbers by short lists, never by anybody's id."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from hanse.app.build import create_app, in_front
from hanse.app.house import House
from hanse.app.http.metrics import READINGS
from hanse.app.settings import Settings
from tests.app.http.town import furnish

ORDER = {"lines": [{"offer_id": "off_nix", "quantity": 1}], "fulfilment": "pickup", "payment": "wallet"}


class Open:
    """A house with its application, asked from an address."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.house = House(Settings(folder=folder, **settings))  # type: ignore[arg-type]
        furnish(self.house)
        self.app = create_app(self.house, pages=())
        self.front = in_front(self.app)

    def client(self, host: str = "127.0.0.1") -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.front, client=(host, 1))
        return httpx.AsyncClient(transport=transport, base_url="http://town")


@pytest.fixture
async def counted(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Open]:
    opened = Open(tmp_path, metrics="loopback")
    async with opened.app.lifespan():
        yield opened


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("settings", "host", "headers", "status"),
    [
        ({}, "127.0.0.1", {}, 404),
        ({"metrics": "loopback"}, "127.0.0.1", {}, 200),
        ({"metrics": "loopback"}, "::1", {}, 200),
        ({"metrics": "loopback"}, "192.0.2.7", {}, 403),
        ({"metrics": "loopback"}, "127.0.0.1", {"X-Forwarded-For": "192.0.2.7"}, 403),
        ({"metrics": "token", "metrics_token": "tide"}, "127.0.0.1", {}, 401),
        ({"metrics": "token", "metrics_token": "tide"}, "192.0.2.7", {"Authorization": "Bearer ebb"}, 401),
        ({"metrics": "token", "metrics_token": "tide"}, "192.0.2.7", {"Authorization": "Bearer tide"}, 200),
        ({"metrics": "token"}, "127.0.0.1", {"Authorization": "Bearer "}, 401),
    ],
)
async def test_only_whom_the_setting_names_may_read(
    settings: dict[str, object], host: str, headers: dict[str, str], status: int, tmp_path: Path
) -> None:
    opened = Open(tmp_path, **settings)
    async with opened.app.lifespan(), opened.client(host) as client:
        assert (await client.get("/metrics", headers=headers)).status_code == status


@pytest.mark.anyio
async def test_requests_are_counted_by_template_and_what_has_none_as_other(counted: Open) -> None:
    async with counted.client() as client:
        for path in ("/api/orders/ord_secret", "/secret/path?name=Xanthippe", "/health/live"):
            await client.get(path)
        await client.post("/api/orders", json=ORDER)
        text = (await client.get("/metrics")).text
    rows = {
        (s.labels["method"], s.labels["route"], s.labels["status"]): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
        if s.name == "hanse_http_requests_total"
    }
    assert rows == {
        ("GET", "/api/orders/{order_id}", "401"): 1,
        ("GET", "other", "404"): 1,
        ("GET", "/health/live", "200"): 1,
        ("POST", "/api/orders", "401"): 1,
    }
    assert "secret" not in text
    assert "Xanthippe" not in text


@pytest.mark.anyio
async def test_every_reading_is_there(counted: Open) -> None:
    async with counted.client() as client:
        text = (await client.get("/metrics")).text
    families = {family.name: family.samples for family in text_string_to_metric_families(text)}
    assert [reading.name for reading in READINGS if reading.name not in families] == []
    assert families["hanse_journal_position"][0].value == counted.house.district.position
    assert families["hanse_disk_free_bytes"][0].value > 0
    assert families["process_resident_memory_bytes"][0].value > 0
    assert families["hanse_streams_open"][0].value == 0


def test_nothing_is_wrapped_where_nobody_counts(tmp_path: Path) -> None:
    opened = Open(tmp_path)
    assert type(opened.front).__name__ == "Front"
    assert opened.house.watch.meters is None
    opened.house.journal.close()
    opened.house.vault.close()
