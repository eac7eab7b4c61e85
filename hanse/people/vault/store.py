"""The vault: one SQLite file of sealed records and wrapped keys, and one file with the master key."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hanse.journal.durable import sync, write_file
from hanse.journal.sqlite_file import bring_up, check_log, log_of, why
from hanse.kernel.errors import NotFound, Unavailable, must

__all__ = ["RECORD_MAX", "Address", "Identity", "Vault"]

RECORD_MAX = 16_384
_NONCE = 12

FORM = 1
"""The form of the tables, as `journal.sqlite` has one."""

T = TypeVar("T", bound=msgspec.Struct)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS person_key (
    person_id TEXT PRIMARY KEY,  -- whose key
    wrapped   BLOB NOT NULL      -- the key, sealed with the master key: a copied file alone opens nothing
) STRICT;
CREATE TABLE IF NOT EXISTS sealed (
    record_id TEXT PRIMARY KEY,  -- what the journal refers to
    person_id TEXT NOT NULL,     -- whose key opens it
    body      BLOB NOT NULL      -- nonce and ciphertext, bound to the two ids
) STRICT;
CREATE INDEX IF NOT EXISTS sealed_by_person ON sealed (person_id);
"""


class Identity(msgspec.Struct, frozen=True):
    """Who a person is."""

    name: str
    phone: str = ""


class Address(msgspec.Struct, frozen=True):
    """Where to deliver, and where that is in WGS84 degrees."""

    name: str
    street: str
    postcode: str
    city: str
    lat: float
    lon: float
    note: str = ""


class Vault:
    """Seals and opens what is personal.

    Parameters
    ----------
    path
        The file of sealed records; the master key lies beside it as ``<name>.key``, readable by its owner only.
    """

    def __init__(self, path: Path) -> None:
        self._master = AESGCM(_master_key(path.with_suffix(".key"), new=not path.exists()))
        self._keys: dict[str, AESGCM] = {}
        self._lock = Lock()
        self._path = path
        self._unscrubbed = False
        with self._speaking():
            check_log(path)
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            # secure_delete overwrites a destroyed key in the file, instead of only unlinking its page.
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "busy_timeout = 200"):
                self._db.execute(f"PRAGMA {pragma}")
            bring_up(self._db, path, form=FORM, schema=_SCHEMA, upgrades={})
            # A process that was killed while it erased somebody may have left this undone.
            self._scrub()

    def put(self, person_id: str, records: dict[str, msgspec.Struct]) -> None:
        """Seal records of a person, by record id; durable on return. An existing record is replaced."""
        self.put_many({person_id: records})

    def put_many(self, people: dict[str, dict[str, msgspec.Struct]]) -> None:
        """Seal the records of many people in one commit: all of them or none."""
        with self._lock, self._speaking(), self._commit():
            for person_id, records in people.items():
                key = self._key(person_id, make=True)
                self._db.executemany(
                    "INSERT OR REPLACE INTO sealed VALUES (?, ?, ?)",
                    [(r, person_id, _seal(key, person_id, r, data)) for r, data in records.items()],
                )
        if self._unscrubbed:
            with self._lock, self._speaking():
                self._scrub()

    def get(self, record_id: str, of: type[T]) -> T:
        """Open a record; raises `NotFound` if there is none, or its person was erased."""
        with self._lock, self._speaking():
            row = self._db.execute("SELECT person_id, body FROM sealed WHERE record_id = ?", (record_id,)).fetchone()
            if row is None:
                raise _unknown(record_id)
            person_id, body = row
            key = self._key(person_id, make=False)
        try:
            plain = key.decrypt(body[:_NONCE], body[_NONCE:], f"{person_id}/{record_id}".encode())
        except InvalidTag as error:
            raise Unavailable(
                "people.damaged_record", "This record of the vault is damaged; restore it from a backup.", id=record_id
            ) from error
        return msgspec.json.decode(plain, type=of)

    def erase(self, person_id: str) -> None:
        """Destroy a person's key and records, for ever; twice is once."""
        with self._lock, self._speaking():
            self._keys.pop(person_id, None)
            with self._commit():
                self._db.execute("DELETE FROM person_key WHERE person_id = ?", (person_id,))
                self._db.execute("DELETE FROM sealed WHERE person_id = ?", (person_id,))
            self._scrub()

    def people(self) -> set[str]:
        """Whose keys are here; raises `Unavailable` if the master key is not the one that they are wrapped with."""
        with self._lock, self._speaking():
            people = {person_id for (person_id,) in self._db.execute("SELECT person_id FROM person_key")}
            if people:
                self._key(min(people), make=False)
        return people

    def close(self) -> None:
        """Let go of the file."""
        if self._unscrubbed:
            self._scrub()
        self._db.close()

    def _scrub(self) -> None:
        """Empty the log: what was destroyed in the file still stands in older pages of it."""
        # Not while a backup reads them; then it is made up for at the next writing, closing or opening.
        self._unscrubbed = bool(self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])
        # SQLite does not wait for this; after a power cut the old pages could be there again.
        sync(log_of(self._path))

    @contextmanager
    def _speaking(self) -> Iterator[None]:
        """Turn what SQLite and the disk say into what an operator can act on."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise Unavailable("people.vault_unavailable", f"The vault {why(self._path, error)}") from error

    @contextmanager
    def _commit(self) -> Iterator[None]:
        """All of what is written inside, or nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            # A key that was made here is gone: sealing with it would make what nobody can open.
            self._keys.clear()
            raise

    def _key(self, person_id: str, *, make: bool) -> AESGCM:
        if person_id in self._keys:
            return self._keys[person_id]
        row = self._db.execute("SELECT wrapped FROM person_key WHERE person_id = ?", (person_id,)).fetchone()
        if row is not None:
            key = self._unwrap(person_id, row[0])
        elif make:
            key = AESGCM.generate_key(256)
            nonce = os.urandom(_NONCE)
            wrapped = nonce + self._master.encrypt(nonce, key, person_id.encode())
            self._db.execute("INSERT INTO person_key VALUES (?, ?)", (person_id, wrapped))
        else:
            raise _unknown(person_id)
        self._keys[person_id] = AESGCM(key)
        return self._keys[person_id]

    def _unwrap(self, person_id: str, wrapped: bytes) -> bytes:
        try:
            return self._master.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], person_id.encode())
        except InvalidTag as error:
            raise Unavailable(
                "people.wrong_master_key", "The vault was sealed with another master key; restore its .key file."
            ) from error


def _seal(key: AESGCM, person_id: str, record_id: str, data: msgspec.Struct) -> bytes:
    plain = msgspec.json.encode(data)
    must(len(plain) <= RECORD_MAX, "people.record_too_large", f"Keep at most {RECORD_MAX} bytes.", field=record_id)
    nonce = os.urandom(_NONCE)
    return nonce + key.encrypt(nonce, plain, f"{person_id}/{record_id}".encode())


def _master_key(path: Path, *, new: bool) -> bytes:
    if not path.exists():
        if not new:
            raise Unavailable(
                "people.no_master_key", f"The master key {path.name} is gone; restore it from its backup."
            )
        write_file(path, AESGCM.generate_key(256), mode=0o600)
    key = path.read_bytes()
    if len(key) != 32:
        raise Unavailable(
            "people.bad_master_key", f"The master key {path.name} is damaged; restore it from its backup."
        )
    return key


def _unknown(what: str) -> NotFound:
    return NotFound("people.nothing_sealed", "Nothing is kept under this id, or it was erased.", id=what)
