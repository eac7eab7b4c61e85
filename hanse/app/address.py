"""Where the running server of a folder listens: a small file in it, so that `hanse status` and others find it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hanse.app.settings import Settings

__all__ = ["address_of", "announced"]

FILE_NAME = "address"
EVERYWHERE = ("0.0.0.0", "::")


@contextmanager
def announced(settings: Settings, port: int) -> Iterator[str]:
    """Write down where we listen, until the block ends; gives the address."""
    host = "127.0.0.1" if settings.host in EVERYWHERE else settings.host
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    file = settings.folder / FILE_NAME
    file.write_text(url, encoding="utf-8")
    try:
        yield url
    finally:
        file.unlink(missing_ok=True)


def address_of(folder: Path) -> str:
    """Where the server of a folder listens, or did when it was killed; empty if none does."""
    file = folder / FILE_NAME
    return file.read_text(encoding="utf-8").strip() if file.exists() else ""
