"""Planting a mutant: into the function that lives already, or into the module before it is imported."""

import importlib
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from inspect import unwrap
from operator import attrgetter
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

from tools.mutation.changes import Mutant

__all__ = ["import_changed", "replace_code"]


def replace_code(mutant: Mutant, source: bytes) -> bool:
    """Give the live function the changed code; False where that is not possible."""
    function = _function(importlib.import_module(mutant.module), mutant.scope)
    if function is None:
        return False
    changed = compile(mutant.applied(source), function.__code__.co_filename, "exec", dont_inherit=True)
    codes = [code for code in _codes(changed) if code.co_qualname == mutant.scope]
    if len(codes) != 1 or codes[0].co_freevars != function.__code__.co_freevars:
        return False
    function.__code__ = codes[0]
    return True


def _function(module: ModuleType, scope: str) -> FunctionType | None:
    owner, _, name = scope.rpartition(".")
    holder = attrgetter(owner)(module) if owner else module
    found = vars(holder).get(name)
    found = found.fget if isinstance(found, property) else getattr(found, "__func__", found)
    found = unwrap(found) if found is not None else None
    return found if isinstance(found, FunctionType) and found.__code__.co_qualname == scope else None


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def import_changed(mutant: Mutant, source: bytes) -> None:
    """Have the changed source imported in place of the module's own."""
    sys.meta_path.insert(0, _Finder(mutant.module, mutant.applied(source)))


class _Finder(MetaPathFinder):
    def __init__(self, module: str, source: bytes) -> None:
        self._module = module
        self._source = source

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._module:
            return None
        file = Path(*fullname.split(".")).with_suffix(".py").resolve()
        return spec_from_file_location(fullname, file, loader=_Loader(fullname, str(file), self._source))


class _Loader(SourceFileLoader):
    def __init__(self, fullname: str, path: str, source: bytes) -> None:
        super().__init__(fullname, path)
        self._source = source

    def get_data(self, path: str) -> bytes:
        return self._source

    def path_stats(self, path: str) -> dict[str, object]:
        # Without it nothing is read from, or written to, the folder of compiled modules.
        raise OSError
