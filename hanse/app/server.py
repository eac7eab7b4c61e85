"""Serving a district over HTTP: Granian inside the very event loop that the writer turns on.

Its HTTP work is done in a thread of its own outside of Python; only the application runs on the loop. So
one process is server, writer and views in one, and no request is handed between processes.
"""

import asyncio
import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.embed import Server
from litestar import Litestar

import hanse
from hanse.app.address import announced
from hanse.app.build import create_app, in_front
from hanse.app.followers import Followers
from hanse.app.house import House
from hanse.app.http.forward import Forward
from hanse.app.outpost import Outpost
from hanse.app.relay import Line
from hanse.app.settings import Settings, from_environment
from hanse.app.supervisor import notify, stay_alive
from hanse.app.telemetry import logs
from hanse.app.telemetry.logs import say
from hanse.app.worlds import World
from hanse.kernel.errors import Unavailable

__all__ = ["serve", "serve_app", "serve_house", "serve_outpost"]

BACKLOG = 2_048
AT_ONCE_MAX = 4_096
"""Requests at the same time, streams included; more wait unread."""

HEADER_TIMEOUT_MS = 10_000
REPORT_EVERY_S = 0.25


def serve(settings: Settings, *, world: World | None = None, ready: Callable[[int], None] | None = None) -> None:
    """Serve a district until SIGTERM or SIGINT; the writer then finishes its turn and the journal is closed.

    Parameters
    ----------
    settings
        What the operator set.
    world
        The simulated town that lives in the district, if there is one.
    ready
        Told the port once requests are taken.
    """
    logs.begin(settings.log)
    say(logging.INFO, "starting", version=hanse.__version__)
    _run(serve_house(House(settings, world=world), ready=ready))


def serve_outpost(descriptor: int) -> None:
    """Serve as a follower until the writer's process, at the other end of a socket, is gone."""
    logs.begin(from_environment().log)
    _run(_serve_outpost(descriptor))


def _run(serving: Coroutine[Any, Any, None]) -> None:
    if sys.platform == "win32":
        asyncio.run(serving)
    else:
        import uvloop

        uvloop.run(serving)


async def serve_house(
    house: House, *, ready: Callable[[int], None] | None = None, stop: asyncio.Event | None = None
) -> None:
    """Serve on the running loop until a signal comes, or `stop` is set; with as many followers as are set."""
    stop = stop or asyncio.Event()
    app = create_app(house)
    front = in_front(app)
    port = _free_port(house.settings.host, house.settings.port)
    async with app.lifespan():
        followers = Followers(house, front, port) if house.settings.followers else None
        app.state.followers = followers
        if followers is not None:
            followers.start()
        alive = asyncio.create_task(stay_alive())

        def is_ready(port: int) -> None:
            notify("READY=1")
            if ready is not None:
                ready(port)

        try:
            with announced(house.settings, port):
                await serve_app(app, front, house.settings.host, port, ready=is_ready, stop=stop)
        finally:
            notify("STOPPING=1")
            alive.cancel()
            if followers is not None:
                await followers.stop()
    say(logging.INFO, "stopped", position=house.position)


async def _serve_outpost(descriptor: int) -> None:
    line = Line(*await asyncio.open_connection(sock=socket.socket(fileno=descriptor)))
    welcome = await line.welcome()
    settings = from_environment()
    outpost, stop = Outpost(settings, writes_snapshots=welcome.writes_snapshots), asyncio.Event()
    listening = asyncio.create_task(line.listen(outpost.hear))
    listening.add_done_callback(lambda _: stop.set())
    app = create_app(outpost)
    async with app.lifespan():
        reporting = asyncio.create_task(_report(line, outpost))
        while outpost.is_behind and not stop.is_set():
            await asyncio.sleep(REPORT_EVERY_S / 10)
        if not stop.is_set():
            await serve_app(app, Forward(app, outpost, line), settings.host, welcome.port, stop=stop)
        reporting.cancel()


async def _report(line: Line, outpost: Outpost) -> None:
    while True:
        line.tell(outpost.standing())
        await asyncio.sleep(REPORT_EVERY_S)


async def serve_app(
    app: Litestar, front: Any, host: str, port: int, *, stop: asyncio.Event, ready: Callable[[int], None] | None = None
) -> None:
    """Serve an application whose lifespan was entered, until a signal comes, or `stop` is set.

    Parameters
    ----------
    app
        With the streams that have to be ended.
    front
        What answers: the application, or what stands in front of it.
    host, port
        Where to listen; several processes may share them.
    stop
        Ends it.
    ready
        Told the port once requests are taken.
    """
    logs.on_loop(asyncio.get_running_loop())
    server = _server(front, host, port)
    _on_signals(stop.set)
    serving = asyncio.create_task(server.serve())
    stopping = asyncio.create_task(stop.wait())
    await _listening(server, serving)
    say(logging.INFO, "ready", position=app.state.house.position, port=server.bind_port)
    # What there is by now stays: looking for garbage passes it over.
    gc.freeze()
    if ready is not None:
        ready(server.bind_port)
    await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
    say(logging.INFO, "stopping", position=app.state.house.position)
    # Streams have no end of their own, and the server waits for what is under way.
    app.state.feed.close()
    if "backstage" in app.state:
        app.state.backstage.close()
    server.stop()  # type: ignore[no-untyped-call]
    stopping.cancel()
    await serving


def _server(app: Any, host: str, port: int) -> Server:
    # The application's lifespan is entered above, so that the house outlives the last request.
    return Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        backlog=BACKLOG,
        backpressure=AT_ONCE_MAX,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS),
        log_level=LogLevels.error,
    )


def _on_signals(act: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for which in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(which, act)
        except (NotImplementedError, RuntimeError, ValueError):
            say(logging.DEBUG, "no_signal_handler", signal=which.name)


def _free_port(host: str, port: int) -> int:
    """The port, if nobody listens there, or any free one for 0; raises `Unavailable`."""
    # Asked beforehand, because the server would share a port that another process listens on.
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            raise Unavailable("app.no_port", f"Can't listen on {host}, port {port}; choose another.") from error
        free: int = probe.getsockname()[1]
        return free


async def _listening(server: Server, serving: "asyncio.Task[None]") -> None:
    """Wait until the socket takes connections; raises `Unavailable` if it never does."""
    for _ in range(200):
        if serving.done():
            break
        try:
            _, writer = await asyncio.open_connection(server.bind_addr, server.bind_port)
        except OSError:
            await asyncio.sleep(0.02)
            continue
        writer.close()
        return
    cause = serving.exception() if serving.done() else None
    raise Unavailable(
        "app.no_port", f"Can't listen on {server.bind_addr}, port {server.bind_port}; choose another."
    ) from cause
