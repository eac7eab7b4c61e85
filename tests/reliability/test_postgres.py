"""PostgreSQL killed, stopped and started again: clear refusals meanwhile, nothing lost, nothing twice, no restart."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event, Timer

import httpx
import msgspec
import pytest

from hanse.app.house import now_us
from hanse.district.jobs import Answer
from hanse.district.writer import Writer
from hanse.journal.check import verify
from hanse.journal.memory import MemoryJournal
from hanse.journal.postgres import PostgresJournal
from hanse.kernel.errors import Unavailable
from hanse.kernel.principal import Principal
from hanse.testing.postgres import PostgresServer, why_no_postgres
from hanse.world.simulation.life import Life
from tests.reliability.conftest import audit, found_town, open_writer
from tests.reliability.serving import Server, serving
from tests.reliability.zygote import ORDERS_PER_TURN, order_job

ORDERS_BETWEEN = 40
BODY = {"lines": [{"offer_id": "off_mill_tea", "quantity": 1}], "fulfilment": "pickup", "payment": "wallet"}


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """One of its own, to be killed."""
    if why_no_postgres():
        pytest.skip(why_no_postgres())
    server = PostgresServer()
    server.start()
    yield server
    server.remove()


def test_a_town_lives_in_postgresql_as_in_memory(postgres: str, tmp_path: Path) -> None:
    in_database = Life(7, tmp_path / "a", PostgresJournal(postgres, district="0")).run(300)
    assert in_database == Life(7, tmp_path / "b", MemoryJournal()).run(300)


@pytest.mark.parametrize("kills", [3, pytest.param(30, marks=pytest.mark.slow)])
def test_kills_of_the_server_under_load_lose_nothing_and_double_nothing(server: PostgresServer, kills: int) -> None:
    url, chance = server.new_database(), random.Random(kills)
    found_town(url, now_us)
    journal, writer = open_writer(url, now_us)
    acknowledged: dict[str, str] = {}
    unsure: list[str] = []
    for number in range(kills):
        # The clock decides where in a commit the server dies; what has to hold, holds wherever that is.
        killing = Timer(chance.uniform(0.0, 0.06), server.kill)
        killing.start()
        unsure += _order_until_down(writer, number, acknowledged)
        killing.join()
        with pytest.raises(Unavailable):
            writer.submit(order_job("too late"), lambda _: None)
        assert not writer.come_back()
        server.start()
        while not writer.come_back():
            pass
        for key in unsure:
            (acknowledged[key],) = _place(writer, [key])
        unsure.clear()
    for key, order_id in acknowledged.items():
        assert _place(writer, [key]) == [order_id]
    assert len(set(acknowledged.values())) == len(acknowledged)
    books = audit(journal, writer)
    assert set(acknowledged.values()) == books.stories.all.keys()
    journal.close()


def _order_until_down(writer: Writer, number: int, acknowledged: dict[str, str]) -> list[str]:
    """Order turn by turn until the journal is gone; the keys that were refused then."""
    count = 0
    while True:
        keys = [f"{number}-{count + n}" for n in range(ORDERS_PER_TURN)]
        count += ORDERS_PER_TURN
        answers: list[Answer] = []
        for key in keys:
            writer.submit(order_job(key), answers.append)
        writer.turn()
        if writer.is_down:
            assert {answer.kind for answer in answers} == {"Unavailable"}
            return keys
        if answers[0].kind == "Unavailable":
            # The connection was lost, but the server was not gone yet when the writer looked again.
            for key in keys:
                (acknowledged[key],) = _place(writer, [key])
            continue
        acknowledged.update(zip(keys, map(_order_id, answers), strict=True))


def _place(writer: Writer, keys: list[str]) -> list[str]:
    answers: list[Answer] = []
    for key in keys:
        writer.submit(order_job(key), answers.append)
    writer.run()
    return [_order_id(answer) for answer in answers]


def _order_id(answer: Answer) -> str:
    return str(msgspec.json.decode(answer.body)["order_id"])


def test_a_dump_that_is_taken_while_orders_come_in_holds_whole_commits(server: PostgresServer) -> None:
    url, dump = server.new_database(), str(server.folder / "hanse.dump")
    found_town(url, now_us)
    journal, writer = open_writer(url, now_us)
    _place(writer, [f"before-{n}" for n in range(20)])
    before = journal.head().position
    with ThreadPoolExecutor(1) as pool:
        dumping = pool.submit(server.run, "pg_dump", "--format=custom", f"--file={dump}", url)
        rounds = 0
        while not dumping.done():
            rounds += 1
            _place(writer, [f"{rounds}-{n}" for n in range(ORDERS_PER_TURN)])
        dumping.result()
    restored = server.new_database()
    server.run("pg_restore", f"--dbname={restored}", dump)
    with closing(PostgresJournal(restored, district="0", read_only=True)) as copy:
        assert verify(copy).fault == ""
        position = copy.head().position
        assert before <= position <= journal.head().position
        assert list(copy.read()) == list(journal.read(limit=position))
    journal.close()


@pytest.mark.slow
def test_a_served_district_outlives_its_database(server: PostgresServer, tmp_path: Path) -> None:
    url, data = server.new_database(), tmp_path / "data"
    data.mkdir()
    found_town(url, now_us)
    with serving(data, journal=url) as hanse:
        done, refused = Event(), Event()
        acknowledged: dict[str, str] = {}
        with ThreadPoolExecutor(4) as pool:
            clients = [pool.submit(_shop, hanse, client, acknowledged, done, refused) for client in range(4)]
            for end in (server.stop, server.kill, server.stop):
                enough = len(acknowledged) + ORDERS_BETWEEN
                while len(acknowledged) < enough:
                    assert hanse.client.get("/health/ready").status_code == 200
                refused.clear()
                end()
                assert refused.wait(30)
                ready = hanse.client.get("/health/ready")
                assert (ready.status_code, "out of reach" in ready.text) == (503, True)
                assert hanse.client.get("/health/live").status_code == 200
                server.start()
                while hanse.client.get("/health/ready").status_code == 503:
                    pass
            done.set()
            for client in clients:
                client.result()
        assert hanse.process.poll() is None
    journal, writer = open_writer(url, now_us)
    writer.run()
    books = audit(journal, writer)
    assert set(acknowledged.values()) == books.stories.all.keys()
    assert len(set(acknowledged.values())) == len(acknowledged) >= 3 * ORDERS_BETWEEN
    journal.close()


def _shop(server: Server, client: int, acknowledged: dict[str, str], done: Event, refused: Event) -> None:
    """Order one after the other, each until it is taken, with one key."""
    count = 0
    bearer = server.bearer(Principal("shopper", "per_ada"))
    with httpx.Client(base_url=server.client.base_url, timeout=30.0) as http:
        while not done.is_set():
            key, count = f"{client}-{count}", count + 1
            while key not in acknowledged:
                answer = http.post("/api/orders", json=BODY, headers={**bearer, "Idempotency-Key": key})
                if answer.status_code == 503:
                    assert answer.headers["retry-after"]
                    refused.set()
                else:
                    assert answer.status_code == 201, answer.text
                    acknowledged[key] = answer.json()["order_id"]
