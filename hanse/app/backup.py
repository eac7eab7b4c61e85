"""Backups: of a journal while its district runs, of the vault apart from it, and both brought together again.

A backup of the journal holds no key and nothing sealed: only what every copy of a journal may show. The vault's
backup is one file of its own, which each new one replaces; it opens nothing without the master key, which is in no
backup at all. Whoever was erased since stays erased: the journal knows of it, and a restored vault is told.
"""

import hashlib
import shutil
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import msgspec

import hanse
from hanse.app.house import open_journal
from hanse.app.settings import Settings
from hanse.events.dictionary import decode, kind_of
from hanse.events.people import MemberErased, MemberJoined
from hanse.journal.archive import archive, commits_behind, pour, read
from hanse.journal.durable import make_folder, sync, write_file
from hanse.journal.protocol import Answered, Commit, Journal
from hanse.journal.sqlite import SqliteJournal
from hanse.journal.sqlite_file import copy_file
from hanse.kernel.errors import Conflict, InvalidInput, NotFound, Unavailable
from hanse.kernel.time import from_micros
from hanse.people.vault import Vault

__all__ = ["Manifest", "Restored", "back_up", "back_up_vault", "restore"]

MANIFEST = "manifest.json"
JOURNAL = "journal.sqlite"
ARCHIVE = "archive"
ANSWERS = "answers.ndjson"
VAULT = "vault.sqlite"
KEY = "vault.key"
ANSWERS_PER_COMMIT = 1_000
PEOPLE = frozenset(kind_of(cls).name for cls in (MemberJoined, MemberErased))


class Manifest(msgspec.Struct, frozen=True):
    """What a backup of a journal is: whose, when, how far, and the digests of its files (SHA-256, by name)."""

    hanse: str
    district: str
    tag: str
    taken: str
    position: int
    commits: int
    hash: str
    files: dict[str, str]


class Restored(msgspec.Struct, frozen=True):
    """What a restored folder holds: how far the journal goes, and what became of the people in the vault."""

    position: int
    hash: str
    people: int = 0
    erased: int = 0
    unknown: int = 0


# Backing up


def back_up(settings: Settings, folder: Path, *, now_us: int) -> Manifest:
    """Back the journal of a district up into a new folder, beside a server that may run. It is read and checked there.

    A SQLite journal is copied; any other is written out as an archive, with the answers of the last day.

    Raises
    ------
    Conflict
        The folder is there already.
    JournalUnavailable
        The journal is damaged.
    """
    _must_be_new(folder)
    draft = _draft(folder)
    make_folder(draft)
    if settings.journal:
        _write_out(settings, draft)
    else:
        copy_file(settings.folder / JOURNAL, draft / JOURNAL)
    position, commits, chain = _measure(_commits_of(draft))
    manifest = Manifest(
        hanse.__version__,
        settings.name,
        settings.tag,
        from_micros(now_us).isoformat(),
        position,
        commits,
        chain,
        _digests(draft),
    )
    write_file(draft / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
    _put_in_place(draft, folder)
    return manifest


def back_up_vault(settings: Settings, file: Path) -> None:
    """Copy the vault's sealed records and wrapped keys into a file, in the place of the backup before it.

    In its place, because an older copy and the master key open what was erased since.
    """
    make_folder(file.parent)
    draft = _draft(file)
    draft.unlink(missing_ok=True)
    copy_file(settings.folder / VAULT, draft)
    draft.replace(file)
    sync(file.parent)


def _write_out(settings: Settings, folder: Path) -> None:
    journal = open_journal(settings, read_only=True)
    try:
        archive(journal, folder / ARCHIVE)
        lines = (msgspec.json.encode(answer) for answer in journal.answers())
        write_file(folder / ANSWERS, b"".join(line + b"\n" for line in lines))
    finally:
        journal.close()


def _measure(commits: Iterable[Commit]) -> tuple[int, int, str]:
    """How far commits go, how many they are, and the hash of the last one; reading them checks them."""
    position, count, chain = 0, 0, ""
    for commit in commits:
        assert commit.mark is not None
        position, count, chain = commit.mark.position, count + 1, commit.mark.hash.hex()
    return position, count, chain


# Restoring


def restore(source: Path, settings: Settings, *, vault: Path | None = None, key: Path | None = None) -> Restored:
    """Make a district's folder of a backup, or of an archive, and of the vault's backup; whole or not at all.

    Parameters
    ----------
    source
        A folder that `back_up` made, or one of an archive.
    settings
        Where to: the folder, which must be new or empty; and a database, if one is set, in which the district
        must be empty or hold the beginning of the very same history (of a restore that was cut off).
    vault, key
        The vault's backup and the master key; both or neither.

    Raises
    ------
    Conflict
        There is something where the district is to be.
    NotFound
        `source` is neither.
    InvalidInput
        The vault without its key, or the key without its vault.
    Unavailable
        The backup is damaged, or the key is of another vault.
    """
    if (vault is None) != (key is None):
        raise InvalidInput("app.vault_and_key", "Name the vault's backup and its master key together.", field="key")
    _must_be_new(settings.folder)
    _check_digests(source)
    draft = _draft(settings.folder)
    make_folder(draft)
    joined, erased, position, chain = _people_in(_commits_of(source))
    _check_manifest(source, position, chain)
    if not settings.journal and (source / JOURNAL).exists():
        shutil.copyfile(source / JOURNAL, draft / JOURNAL)
        sync(draft / JOURNAL)
    else:
        _fill(source, settings, draft)
    restored = Restored(position, chain)
    if vault is not None and key is not None:
        restored = _bring_vault(vault, key, draft, joined, erased, restored)
    _put_in_place(draft, settings.folder)
    return restored


def _commits_of(source: Path) -> Iterator[Commit]:
    """The commits of a backup or an archive, each checked."""
    if (source / JOURNAL).exists():
        journal = SqliteJournal(source / JOURNAL, read_only=True)
        try:
            yield from commits_behind(journal)
        finally:
            journal.close()
    else:
        yield from read(_archive_of(source))


def _archive_of(source: Path) -> Path:
    folder = source / ARCHIVE if (source / ARCHIVE).is_dir() else source
    if not any(folder.glob("*.ndjson.gz")):
        raise NotFound("app.no_backup", f"There is no backup and no archive in {source}; name its folder.")
    return folder


def _people_in(commits: Iterator[Commit]) -> tuple[set[str], set[str], int, str]:
    """Who joined and who was erased, and where the journal ends."""
    joined: set[str] = set()
    erased: set[str] = set()
    position, chain = 0, ""
    for commit in commits:
        assert commit.mark is not None
        position, chain = commit.mark.position, commit.mark.hash.hex()
        for entry in commit.entries:
            if entry.name in PEOPLE:
                event = decode(entry.name, entry.version, entry.body)
                if isinstance(event, MemberJoined):
                    joined.add(event.person_id)
                elif isinstance(event, MemberErased):
                    erased.add(event.person_id)
    return joined, erased, position, chain


def _fill(source: Path, settings: Settings, draft: Path) -> None:
    """Pour the commits, and the answers that are there, into a new journal."""
    journal = open_journal(msgspec.structs.replace(settings, folder=draft))
    try:
        pour(_commits_of(source), journal)
        answers = _answers_of(source)
        known = journal.head().answers
        while batch := list(islice(answers, ANSWERS_PER_COMMIT)):
            journal.append(Commit([], [answer for answer in batch if answer.number > known], None))
    finally:
        journal.close()


def _answers_of(source: Path) -> Iterator[Answered]:
    if (source / JOURNAL).exists():
        journal: Journal = SqliteJournal(source / JOURNAL, read_only=True)
        try:
            yield from journal.answers()
        finally:
            journal.close()
    elif (source / ANSWERS).exists():
        with (source / ANSWERS).open("rb") as file:
            yield from (msgspec.json.decode(line, type=Answered) for line in file)


def _bring_vault(
    vault: Path, key: Path, draft: Path, joined: set[str], erased: set[str], restored: Restored
) -> Restored:
    """Put vault and key there, and destroy again whose keys may not come back.

    Those are who was erased since the vault was copied, and who joined after the journal was: nobody could ever ask
    for what is kept of them.
    """
    shutil.copyfile(vault, draft / VAULT)
    write_file(draft / KEY, key.read_bytes(), mode=0o600)
    opened = Vault(draft / VAULT)
    try:
        people = opened.people()
        gone, unknown = people & erased, people - joined
        for person_id in sorted(gone | unknown):
            opened.erase(person_id)
    finally:
        opened.close()
    sync(draft / VAULT)
    kept = len(people) - len(gone | unknown)
    return msgspec.structs.replace(restored, people=kept, erased=len(gone), unknown=len(unknown))


# Both


def _must_be_new(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict("app.folder_in_use", f"There is something in {folder} already; name a new folder.")


def _draft(place: Path) -> Path:
    """Where something is made before it is put in its place; what a killed process left there is removed."""
    draft = place.parent / f"{place.name}.draft"
    if draft.is_dir():
        shutil.rmtree(draft)
    return draft


def _put_in_place(draft: Path, folder: Path) -> None:
    sync(draft)
    make_folder(folder.parent)
    if folder.exists():
        folder.rmdir()
    draft.rename(folder)
    sync(folder.parent)


def _digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {path.relative_to(folder).as_posix(): _digest(path) for path in files}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _manifest(source: Path) -> Manifest | None:
    if not (source / MANIFEST).exists():
        return None
    try:
        return msgspec.json.decode((source / MANIFEST).read_bytes(), type=Manifest)
    except msgspec.MsgspecError as error:
        raise _damaged(source, f"its {MANIFEST} is damaged") from error


def _check_digests(source: Path) -> None:
    manifest = _manifest(source)
    if manifest is not None and manifest.files != _digests(source):
        raise _damaged(source, "its files are not those that were written")
    if manifest is None and (source / JOURNAL).exists():
        raise _damaged(source, f"it has no {MANIFEST}")


def _check_manifest(source: Path, position: int, chain: str) -> None:
    manifest = _manifest(source)
    if manifest is not None and (manifest.position, manifest.hash) != (position, chain):
        raise _damaged(source, f"it ends at position {position} instead of {manifest.position}")


def _damaged(source: Path, what: str) -> Unavailable:
    return Unavailable("app.damaged_backup", f"The backup in {source} can't be used: {what}; take another one.")
