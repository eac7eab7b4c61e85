"""Telling systemd how it goes: ready, alive, stopping. Plain datagrams, as sd_notify(3) describes them."""

import asyncio
import os
import socket
from collections.abc import Mapping

__all__ = ["notify", "stay_alive"]


def notify(state: str, environment: Mapping[str, str] = os.environ) -> None:
    """Send a state such as ``READY=1`` to whoever started this process; nothing if nobody wants to know."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address:
        return
    # A name that begins with @ is one of Linux's own name space, which begins with a zero byte.
    name = f"\0{address[1:]}" if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.connect(name)
        out.sendall(state.encode())


async def stay_alive(environment: Mapping[str, str] = os.environ) -> None:
    """Say that the event loop turns, twice in each time that systemd waits; returns if it does not wait for us.

    It runs on the loop that the writer turns on: a writer that is stuck is silent, and systemd starts it anew.
    """
    micros = int(environment.get("WATCHDOG_USEC", "0"))
    if not micros or environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return
    while True:
        notify("WATCHDOG=1", environment)
        await asyncio.sleep(micros / 2 / 1_000_000)
