"""A district says whether it takes orders, and if not, what keeps it from it."""

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path

import httpx
import msgspec
import pytest

from hanse.app import condition as conditions
from hanse.app.build import create_app
from hanse.app.condition import condition
from hanse.app.house import House
from hanse.app.server import serve_house
from hanse.app.settings import Settings
from hanse.app.supervisor import notify, stay_alive
from hanse.district.jobs import Job
from hanse.journal.faulty import FaultyJournal
from tests.app.conftest import join

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(Settings(folder=tmp_path / "data", port=0))


def bad(house: House) -> list[str]:
    return [check.name for check in condition(house).checks if not check.ok]


def close(house: House) -> None:
    house.journal.close()
    house.vault.close()


def test_a_district_at_rest_is_well(house: House) -> None:
    assert condition(house).status == "ok"
    assert [check.name for check in condition(house).checks] == ["journal", "commands", "disk"]
    close(house)


def test_after_a_failed_commit_it_is_not_ready_until_one_succeeds(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = FaultyJournal(house.journal)
    house.writer._journal = failing

    def ask() -> str:
        kinds: list[str] = []
        house.writer.submit(Job(join, (), "test"), lambda answer: kinds.append(answer.kind))
        house.writer.run()
        return kinds[0]

    failing.next_fault = "full_before"
    assert ask() == "Unavailable"
    assert bad(house) == ["journal"]
    # Somebody has to try again in the end.
    monkeypatch.setattr(conditions, "TRY_AGAIN_S", 0.0)
    assert bad(house) == []
    monkeypatch.undo()
    assert ask() == "ok"
    assert bad(house) == []
    close(house)


def test_a_journal_out_of_reach_a_full_queue_and_a_full_disk_are_told_apart(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conditions, "BUSY_FROM", 0)
    assert bad(house) == ["commands"]
    monkeypatch.undo()
    house.settings = msgspec.structs.replace(house.settings, disk_reserve_mb=10**9)
    assert bad(house) == ["disk"]
    monkeypatch.setattr(type(house), "is_down", True, raising=False)
    assert bad(house) == ["journal", "disk"]
    close(house)


@pytest.mark.anyio
async def test_who_is_not_ready_says_why_and_when_to_come_back(house: House, anyio_backend: str) -> None:
    app = create_app(house, pages=())
    async with (
        app.lifespan(),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://town") as client,
    ):
        assert (await client.get("/health/ready")).json()["status"] == "ok"
        house.settings = msgspec.structs.replace(house.settings, disk_reserve_mb=10**9)
        refused = await client.get("/health/ready")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert refused.json()["status"] == "not_ready"
        assert [check["ok"] for check in refused.json()["checks"]] == [True, True, False]
        assert (await client.get("/health/live")).json() == {"status": "ok", "position": 1}


@pytest.mark.anyio
async def test_status_finds_the_server_by_its_folder_and_systemd_hears_of_it(
    house: House, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, anyio_backend: str
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        listening, stop = asyncio.Event(), asyncio.Event()
        ports: list[int] = []
        serving = asyncio.create_task(
            serve_house(house, ready=lambda port: (ports.append(port), listening.set()), stop=stop)  # type: ignore[func-returns-value]
        )
        await listening.wait()
        assert systemd.recv(100) == b"READY=1"
        code, out, _ = await asyncio.to_thread(run, "status", house.settings.folder)
        assert (code, out.splitlines()[0]) == (0, f"http://127.0.0.1:{ports[0]} takes orders, at position 1")
        house.settings = msgspec.structs.replace(house.settings, disk_reserve_mb=10**9)
        code, out, _ = await asyncio.to_thread(run, "status", f"http://127.0.0.1:{ports[0]}/")
        assert (code, out.splitlines()[0]) == (7, f"http://127.0.0.1:{ports[0]} takes no orders, at position 1")
        assert "disk      BAD" in out
        stop.set()
        await serving
        assert systemd.recv(100) == b"STOPPING=1"
    code, _, err = run("status", house.settings.folder)
    assert (code, "[app.not_running]" in err) == (7, True)


@pytest.mark.anyio
async def test_systemd_hears_that_the_loop_turns_if_it_waits_for_us(tmp_path: Path, anyio_backend: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(10)
        said = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "2000"}
        await stay_alive({**said, "WATCHDOG_PID": "1"})  # for somebody else
        await stay_alive({"NOTIFY_SOCKET": said["NOTIFY_SOCKET"]})
        alive = asyncio.create_task(stay_alive({**said, "WATCHDOG_PID": str(os.getpid())}))
        for _ in range(2):
            assert await asyncio.to_thread(systemd.recv, 100) == b"WATCHDOG=1"
        alive.cancel()


def test_nobody_is_told_where_nobody_asked() -> None:
    notify("READY=1", {})


def test_a_name_with_an_at_sign_is_one_of_linux_own_name_space() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        try:
            systemd.bind(f"\0hanse-test-{os.getpid()}")
        except OSError:
            pytest.skip("only Linux has names that are no files")
        notify("READY=1", {"NOTIFY_SOCKET": f"@hanse-test-{os.getpid()}"})
        assert systemd.recv(100) == b"READY=1"
