"""``hanse status``: whether a district takes orders, for people and for scripts."""

import time
from typing import Annotated

import msgspec
import typer

from hanse.app.commands.remote import Where, ask, found, not_running
from hanse.app.condition import Condition
from hanse.kernel.errors import HanseError, Unavailable

__all__ = ["status"]

LOOK_EVERY_S = 0.2
EXIT_NOT_READY = 7


def status(
    where: Where = "",
    wait: Annotated[float, typer.Option(min=0.0, help="Seconds to wait until it is ready.")] = 0.0,
) -> None:
    """Say whether a district takes orders, and what keeps it from it. Exit code 0 if it does, 7 if not."""
    url, condition = _awaited(where, until=time.monotonic() + wait)
    is_ready = condition.status == "ok"
    typer.echo(f"{url} {'takes orders' if is_ready else 'takes no orders'}, at position {condition.position}")
    for check in condition.checks:
        typer.echo(f"  {check.name:<9} {'ok ' if check.ok else 'BAD'}  {check.says}")
    if not is_ready:
        raise typer.Exit(EXIT_NOT_READY)


def _awaited(where: str, *, until: float) -> tuple[str, Condition]:
    """What a district says of itself, the moment that it is ready or the time is over."""
    while True:
        try:
            url, condition = _look(where)
            if condition.status == "ok" or time.monotonic() > until:
                return url, condition
        except HanseError:
            if time.monotonic() > until:
                raise
        time.sleep(LOOK_EVERY_S)


def _look(where: str) -> tuple[str, Condition]:
    url = found(where)
    if not url:
        raise not_running(where or "the data folder")
    answer = ask(f"{url}/health/ready")
    try:
        return url, msgspec.json.decode(answer.body, type=Condition)
    except msgspec.DecodeError as error:
        raise Unavailable("app.not_hanse", f"What answers at {url} is no Hanse; check the address.") from error
