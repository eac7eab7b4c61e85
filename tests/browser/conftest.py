"""A real server with a small town, and a real browser that tells what it does not like."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from hanse.app import templating
from hanse.app.house import House
from hanse.app.settings import Settings
from hanse.people.members import service as members
from hanse.people.vault import Address
from tests.app.http.town import PEOPLE, do, furnish

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)
READY_S = 30
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
# What a browser says about its own drawing, and about the pages that are refused on purpose.
NOT_OURS = ("GPU stall", "WebGL", "Automatic fallback")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running server."""
    if not (templating.BUILT / "manifest.json").exists():
        pytest.skip("the browser files are not built")
    data = tmp_path_factory.mktemp("browser")
    _furnish(data)
    port = _free_port()
    start = "from hanse.app.cli import main; main()"
    command = [sys.executable, "-c", start, "up", "--data", str(data), "--port", str(port)]
    environment = os.environ | {"HANSE_DEMO": "1", "HANSE_NAME": "Testtown"}
    log = (data / "server.log").open("w")
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(url, process)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0, (data / "server.log").read_text()
        log.close()


# Playwright keeps an event loop running in its thread: it has to be gone before another module's tests.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser; the test is left out where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM:
        pytest.skip("there is no chromium on this machine")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser did not like; empty at the end of a good test."""
    return []


@pytest.fixture
def opens(chromium: Any, server: str, complaints: list[str]) -> Iterator[Callable[..., Any]]:
    """Opens a page in a window of its own; what it complains of is collected."""
    contexts = []

    def open_(viewport: dict[str, int] = DESKTOP, **options: Any) -> Any:
        context = chromium.new_context(viewport=viewport, base_url=server, **({"locale": "en-GB"} | options))
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: _hear(complaints, message))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("request", lambda request: _watch(complaints, request.url, server))
        return page

    yield open_
    for context in contexts:
        context.close()


def _hear(complaints: list[str], message: Any) -> None:
    if message.type in ("error", "warning") and not any(word in message.text for word in NOT_OURS):
        complaints.append(f"{message.type}: {message.text}")


def _watch(complaints: list[str], url: str, server: str) -> None:
    if not url.startswith((server, "data:", "blob:")):
        complaints.append(f"a request to another host: {url}")


def _furnish(data: Path) -> None:
    house = House(Settings(folder=data))
    furnish(house)
    for number, person_id in enumerate(PEOPLE):
        home = Address("Test Person", f"Testikatu {number}", "00100", "Helsinki", 60.171, 24.945)
        house.vault.put(person_id, {f"adr_{number}": home})
        do(house.writer, members.keep_address, person_id, f"adr_{number}")
    house.journal.close()
    house.vault.close()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait(url: str, process: "subprocess.Popen[bytes]") -> None:
    """Until the server answers; fails when it ends or takes too long."""
    until = time.monotonic() + READY_S
    while time.monotonic() < until:
        assert process.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(f"{url}/terms", timeout=1):
                return
        except OSError:
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
    raise AssertionError("the server did not answer in time")
