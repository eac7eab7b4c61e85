"""What happens while somebody looks: streams of ready-made pieces of pages, as server-sent events.

Each stream wakes when a commit concerns it, at most twice a second, and sends how things stand then. So a
busy shop costs no more than a quiet one, and nobody is sent what they cannot read.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable

from hanse.app.home import Home
from hanse.journal.protocol import Entry
from hanse.kernel.errors import LimitExceeded

__all__ = ["HEARTBEAT_S", "STREAMS_MAX", "Live", "Message", "sent"]

STREAMS_MAX = 256
HEARTBEAT_S = 15.0
REST_S = 0.5

Message = tuple[str, str]
"""The event's name, and its data."""


def sent(messages: Iterable[Message]) -> bytes:
    """Messages in the form of server-sent events."""
    return b"".join(
        b"event: %s\n%s\n\n" % (name.encode(), b"\n".join(b"data: " + line.encode() for line in data.splitlines()))
        for name, data in messages
    )


class Live:
    """Open streams of one house."""

    def __init__(self, house: Home) -> None:
        self._house = house
        self._open: set[asyncio.Event] = set()
        self._ending = False

    @property
    def count(self) -> int:
        """How many streams are open."""
        return len(self._open)

    def of_story(self, story: str, name: str, now: Callable[[], str]) -> AsyncGenerator[bytes, None]:
        """How one thing stands, each time that something happens to it."""
        return self.watch(lambda entry: entry[4] == story, lambda entries: [(name, now())])

    async def watch(
        self,
        concerns: Callable[[Entry], bool],
        say: Callable[[list[Entry]], list[Message]],
        *,
        every_s: float | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """What `say` has to say of the entries that concern it; every so often even of none, if asked to."""
        if len(self._open) >= STREAMS_MAX:
            raise LimitExceeded("app.too_many_streams", "Too many pages are open; close one.", retry_after_s=5)
        heard: list[Entry] = []
        wake = asyncio.Event()

        def hear(entries: list[Entry]) -> None:
            mine = [entry for entry in entries if concerns(entry)]
            if mine:
                heard.extend(mine)
                # Who sleeps long, as a computer that was shut, needs the latest only.
                del heard[:-200]
                wake.set()

        stop = self._house.listen(hear)
        self._open.add(wake)
        try:
            # How things stand at once: since the page was made, or the line was cut, something may have happened.
            yield b"retry: 2000\n\n" + sent(say([]))
            while not self._ending:
                try:
                    await asyncio.wait_for(wake.wait(), every_s or HEARTBEAT_S)
                except TimeoutError:
                    if every_s is None:
                        yield b": still here\n\n"
                        continue
                wake.clear()
                taken = heard[:]
                heard.clear()
                yield sent(say(taken))
                await asyncio.sleep(every_s or REST_S)
        finally:
            stop()
            self._open.discard(wake)

    def close(self) -> None:
        """End all streams; the house stops."""
        self._ending = True
        for wake in self._open:
            wake.set()
