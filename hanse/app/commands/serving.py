"""``hanse up`` and ``hanse demo``: serve a district."""

import asyncio
import shutil
import socket
import webbrowser
from typing import Annotated

import segno
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from hanse.app import worlds
from hanse.app.commands.options import Data, Host, Lan, Port, settings_of
from hanse.app.house import House, open_journal
from hanse.app.settings import Settings
from hanse.kernel.errors import Conflict

__all__ = ["demo", "up"]

DEMO_SNAPSHOT_EVERY = 25_000
"""About half an hour of the town: after a kill the next start folds no more than that."""
EVERYWHERE = "0.0.0.0"


def up(
    data: Data = None,
    host: Host = None,
    port: Port = None,
    name: Annotated[str | None, typer.Option(help="What the district is called on its pages.")] = None,
    tag: Annotated[str | None, typer.Option(help="1 to 4 characters that end every id made here.")] = None,
    zone: Annotated[str | None, typer.Option(help="IANA time zone, declared once.")] = None,
    currency: Annotated[str | None, typer.Option(help="ISO 4217 currency, declared once.")] = None,
    country: Annotated[str | None, typer.Option(help="ISO 3166 country, declared once.")] = None,
    followers: Annotated[
        int | None, typer.Option(help="Processes beside the writer that answer reads and pages.", show_default="0")
    ] = None,
    lan: Lan = False,
) -> None:
    """Serve a district: pages, HTTP API, events. Ctrl-C stops it; any way of stopping it is safe."""
    settings = settings_of(
        folder=data,
        host=EVERYWHERE if lan else host,
        port=port,
        name=name,
        tag=tag,
        zone=zone,
        currency=currency,
        country=country,
        followers=followers,
    )
    _serve(settings, None, lan=lan, browser=False)


def demo(
    data: Data = None,
    host: Host = None,
    port: Port = None,
    lan: Lan = False,
    speed: Annotated[float, typer.Option(help="How much faster than ours the town's clock runs; at most 10.")] = 10.0,
    seed: Annotated[int, typer.Option(help="Of all that is invented and drawn.")] = 1,
    world: Annotated[str, typer.Option(help="Which town, by its registered name.")] = "demo",
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete the demo's district first, and load it anew.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before deleting.")] = False,
    browser: Annotated[bool, typer.Option(help="Open a browser, if there is one.")] = True,
) -> None:
    """Load a living town, once, and serve it: be a shopper, a shop and the league in five minutes.

    Everything in it is simulated, and anybody may take any seat: never put real people's data into it.
    """
    settings = settings_of(
        folder=data,
        host=EVERYWHERE if lan else host,
        port=port,
        demo=True,
        name="Helsinki",
        snapshot_every=DEMO_SNAPSHOT_EVERY,
    )
    if fresh:
        _begin_anew(settings, sure=yes)
    settings.folder.mkdir(parents=True, exist_ok=True)
    town = worlds.find(world)(settings.folder, seed=seed, speed=speed)
    if not town.loaded:
        _load(settings, town)
    _serve(settings, town, lan=lan, browser=browser)


def _begin_anew(settings: Settings, *, sure: bool) -> None:
    data = settings.folder
    if not data.exists() or not any(data.iterdir()):
        return
    # Only what a running or another district does not need: the lock is free, and a world was loaded here.
    if not any(data.glob("world.*")):
        raise Conflict(
            "app.not_a_demo", f"{data} does not look like a demo's folder; delete it yourself, or name another."
        )
    open_journal(settings).close()
    if not sure:
        typer.confirm(f"Delete the demo's district in {data} and load it anew?", abort=True)
    shutil.rmtree(data)


def _load(settings: Settings, town: worlds.World) -> None:
    """Load the town, or go on where loading was broken off."""
    house = House(settings)
    try:
        if house.district.position > 1 and not any(settings.folder.glob("world.*")):
            raise Conflict("app.not_a_demo", f"{settings.folder} holds another district; name another with --data.")
        with _progress() as bars:
            tasks: dict[str, TaskID] = {}

            def show(stage: str, done: int, total: int) -> None:
                if stage not in tasks:
                    tasks[stage] = bars.add_task(stage, total=total)
                bars.update(tasks[stage], completed=done, total=total)

            town.load(house.writer, house.vault, show)
    finally:
        asyncio.run(house.stop())


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description:<24}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


def _serve(settings: Settings, town: worlds.World | None, *, lan: bool, browser: bool) -> None:
    # The server's parts take most of a second to import; no other command needs them.
    from hanse.app.server import serve

    def ready(port: int) -> None:
        here = f"http://127.0.0.1:{port}/"
        out = Console(highlight=False)
        out.print(f"[bold]{settings.name}[/bold] is open: {here}")
        if lan:
            there = f"http://{_own_address()}:{port}/"
            out.print(f"On a phone in the same network: {there}")
            segno.make(there, micro=False).terminal(compact=True)
        if town is not None:
            out.print("Take a seat: shopper, shop or league. Ctrl-C stops it; the next start goes on where it was.")
        if browser:
            _open_browser(here)

    serve(settings, world=town, ready=ready)


def _open_browser(url: str) -> None:
    # Where there is no browser, the address printed above is enough.
    try:
        webbrowser.get()
    except webbrowser.Error:
        return
    webbrowser.open(url)


def _own_address() -> str:
    """The address that other machines of the local network reach; no packet is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return socket.gethostbyname(socket.gethostname())
        address: str = probe.getsockname()[0]
        return address
