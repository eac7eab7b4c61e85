"""Compiled twins of hot modules, which `make compile` builds where there is a C compiler.

A twin is taken only by the Python that it was built for, and only while the source is the very one that it
was built from: whoever edits a module runs what was written. `HANSE_COMPILED=0` leaves all twins aside.
"""

import json
import os
import sys
from collections.abc import Sequence
from hashlib import blake2b
from importlib.abc import MetaPathFinder
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

__all__ = ["MANIFEST", "SUFFIX", "TWINS", "digest", "source_of", "twin_of", "use_twins"]

_ROOT = Path(__file__).parent
TWINS = _ROOT / "_twins"
MANIFEST = "manifest.json"
"""What each twin was built from: the digest of its source, by the name of the module."""

SUFFIX = EXTENSION_SUFFIXES[0]
"""Of extension modules for this very Python."""


def source_of(module: str) -> Path:
    """Where the source of a module of ours lies."""
    return _ROOT.joinpath(*module.split(".")[1:]).with_suffix(".py")


def twin_of(module: str, twins: Path) -> Path:
    """Where the twin of a module lies, if there is one."""
    return twins.joinpath(*module.split(".")).with_suffix(SUFFIX)


def digest(source: Path) -> str:
    """What tells a source from any other."""
    return blake2b(source.read_bytes(), digest_size=16).hexdigest()


class _Twins(MetaPathFinder):
    def __init__(self, twins: Path, built_from: dict[str, str]) -> None:
        self._twins = twins
        self._built_from = built_from

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        built_from = self._built_from.get(fullname)
        twin = twin_of(fullname, self._twins)
        if built_from is None or not twin.exists() or digest(source_of(fullname)) != built_from:
            return None
        return spec_from_file_location(fullname, twin)


def use_twins() -> None:
    """Have the twins imported in place of their sources, if there are any."""
    named = os.environ.get("HANSE_COMPILED", "")
    manifest = (Path(named) if named else TWINS) / MANIFEST
    if named != "0" and manifest.exists():
        sys.meta_path.insert(0, _Twins(manifest.parent, json.loads(manifest.read_text())))
