"""Sealing many records at once: who comes while a commit is under way shares the next one.

A durable commit waits for the disk; one by one, a few hundred people a second could give an address.
"""

import asyncio

import msgspec

from hanse.people.vault.store import Vault

__all__ = ["Sealer"]

Records = dict[str, msgspec.Struct]


class Sealer:
    """Puts records into the vault from an event loop, without stopping it."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._waiting: dict[str, Records] = {}
        self._done: asyncio.Future[None] | None = None
        self._running: asyncio.Task[None] | None = None

    async def put(self, person_id: str, records: Records) -> None:
        """Seal records of a person; durable on return."""
        self._waiting.setdefault(person_id, {}).update(records)
        if self._done is None:
            self._done = asyncio.get_running_loop().create_future()
        done = self._done
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._seal())
        # Shielded: who goes away must not take the others' commit along.
        await asyncio.shield(done)

    async def _seal(self) -> None:
        while self._done is not None:
            people, done = self._waiting, self._done
            self._waiting, self._done = {}, None
            try:
                await asyncio.to_thread(self._vault.put_many, people)
                done.set_result(None)
            except Exception as error:  # whatever it is, everybody in this commit has to hear of it
                done.set_exception(error)
