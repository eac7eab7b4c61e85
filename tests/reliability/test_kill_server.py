"""kill -9 of the real server under load over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from hanse.app.house import now_us
from hanse.kernel.principal import Principal
from tests.reliability.conftest import audit, found_town, open_writer
from tests.reliability.serving import Server, serving

BODY = {"lines": [{"offer_id": "off_mill_tea", "quantity": 1}], "fulfilment": "pickup", "payment": "wallet"}
CLIENTS = 4
ORDERS_BEFORE_THE_KILL = 40


@pytest.mark.slow
def test_what_was_acknowledged_over_http_survives_three_kills(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    found_town(data, now_us)
    acknowledged: dict[str, str] = {}
    for number in range(3):
        with serving(data) as server:
            for key, order_id in acknowledged.items():
                assert _place(server, key) == order_id
            acknowledged |= _load_until_killed(server, number)
    journal, writer = open_writer(data, now_us)
    writer.run()
    books = audit(journal, writer)
    keys = [key for _, _, key in journal.answers_since(0) if key[:1] == "k"]
    journal.close()
    assert set(acknowledged.values()) <= books.stories.all.keys()
    assert len(set(keys)) == len(keys) == len(books.stories.all)


def _load_until_killed(server: Server, number: int) -> dict[str, str]:
    acknowledged: dict[str, str] = {}

    def shop(client: int) -> None:
        count = 0
        while True:
            key = f"k{number}-{client}-{count}"
            count += 1
            try:
                acknowledged[key] = _place(server, key)
            except httpx.HTTPError:
                return
            if len(acknowledged) >= ORDERS_BEFORE_THE_KILL:
                server.process.kill()

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(shop, range(CLIENTS)))
    assert len(acknowledged) >= ORDERS_BEFORE_THE_KILL
    return acknowledged


def _place(server: Server, key: str) -> str:
    headers = {**server.bearer(Principal("shopper", "per_ada")), "Idempotency-Key": key}
    answer = server.client.post("/api/orders", json=BODY, headers=headers)
    assert answer.status_code == 201, answer.text
    order_id: str = answer.json()["order_id"]
    return order_id
