"""``hanse capabilities``, ``hanse token``, ``hanse sim``: questions about the program and its district."""

import inspect
import re
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from pkgutil import iter_modules
from typing import Annotated, Protocol, get_args

import typer
from rich.console import Console
from rich.table import Table

import hanse
from hanse.app.auth import issue_token
from hanse.app.commands.options import Data, settings_of
from hanse.app.house import now_us
from hanse.kernel.errors import NotFound, must
from hanse.kernel.principal import Principal, Role
from hanse.kernel.time import DAY_US

__all__ = ["capabilities", "cards", "sim", "token"]

_QUESTION = re.compile(r"^Question: (.+?)\n(?=\S)", re.DOTALL | re.MULTILINE)


def capabilities(
    name: Annotated[str, typer.Argument(help="One of them, to see its whole card.", show_default=False)] = "",
) -> None:
    """List what Hanse can do: every capability with the question that it answers."""
    found = cards()
    if name:
        chosen = [card for full, card in found.items() if name in (full, full.partition(".")[2])]
        if not chosen:
            raise NotFound(
                "app.unknown_capability", f"There is no capability {name}; see `hanse capabilities`.", name=name
            )
        typer.echo("\n\n".join(chosen))
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("capability", no_wrap=True)
    table.add_column("question")
    for full, card in found.items():
        question = _QUESTION.search(card)
        table.add_row(full, " ".join(question[1].split()) if question else card.partition("\n")[0])
    Console(highlight=False).print(table)


def cards() -> dict[str, str]:
    """The cards of all capabilities that are installed, by ``context.capability``."""
    found = {}
    for context in sorted(_folders(Path(hanse.__file__).parent)):
        for capability in sorted(_folders(Path(hanse.__file__).parent / context)):
            card = inspect.getdoc(import_module(f"hanse.{context}.{capability}")) or ""
            if _QUESTION.search(card):
                found[f"{context}.{capability}"] = card
    return found


def _folders(path: Path) -> list[str]:
    # World and testing stand above the app; what they hold are no capabilities.
    return [
        m.name for m in iter_modules([str(path)]) if m.ispkg and m.name not in ("app", "world", "testing", "compute")
    ]


def token(
    role: Annotated[str, typer.Argument(help=f"One of: {', '.join(get_args(Role))}.")],
    id: Annotated[str, typer.Argument(help="Of the person or shop; none for the league.", show_default=False)] = "",  # noqa: A002 - the word
    data: Data = None,
    days: Annotated[int, typer.Option(min=1, max=3_650, help="How long it is good for.")] = 30,
) -> None:
    """Issue a token for a role: what a program sends as `Authorization: Bearer …`. Whoever has it, is it."""
    must(role in get_args(Role), "app.unknown_role", f"Name one of: {', '.join(get_args(Role))}.", field="role")
    must(
        bool(id) == (role in ("shopper", "shop", "courier")),
        "app.bad_principal",
        "Give the id of the person or shop (per_…, shp_…); league and public have none.",
        field="id",
    )
    key = settings_of(folder=data).folder / "session.key"
    if not key.exists():
        raise NotFound(
            "app.no_district", f"There is no district in {key.parent}; start it once, or name it with --data."
        )
    principal = Principal(role, id)  # type: ignore[arg-type]
    typer.echo(issue_token(key.read_bytes(), principal, now_us=now_us(), life_us=days * DAY_US))


def sim(
    seed: Annotated[int | None, typer.Option(help="One seed.", show_default="1")] = None,
    seeds: Annotated[str, typer.Option(help="A range of seeds instead, such as 1..200.")] = "",
    commands: Annotated[int, typer.Option(min=1, help="How many commands each seed submits.")] = 10_000,
    name: Annotated[str, typer.Option(help="Which simulation, by its registered name.")] = "orders",
) -> None:
    """Simulate a district with crashes, repetitions and clock jumps, and check every rule after every turn.

    The same seed does the same again. Exit code 1 at the first broken rule.
    """
    simulate = _simulation(name)
    for number in _range(seeds) if seeds else [1 if seed is None else seed]:
        try:
            typer.echo(simulate(number, commands).summary())
        except AssertionError as failure:
            typer.echo(f"{failure}\nRepeat it: hanse sim --seed {number} --commands {commands}", err=True)
            raise typer.Exit(1) from failure


def _range(seeds: str) -> range:
    first, dots, last = seeds.partition("..")
    must(
        dots and first.isdecimal() and last.isdecimal() and int(first) <= int(last),
        "app.bad_seeds",
        "Give the seeds as FIRST..LAST, such as 1..200.",
        field="seeds",
    )
    return range(int(first), int(last) + 1)


class _Said(Protocol):
    def summary(self) -> str: ...


def _simulation(name: str) -> Callable[[int, int], _Said]:
    """A simulation that is registered under ``hanse.simulations``."""
    known = {entry.name: entry for entry in entry_points(group="hanse.simulations")}
    if name not in known:
        raise NotFound(
            "app.unknown_simulation", f"There is no simulation {name}; there are: {', '.join(sorted(known))}."
        )
    run: Callable[[int, int], _Said] = known[name].load()
    return run
