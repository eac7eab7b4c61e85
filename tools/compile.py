"""``python -m tools.compile``: build compiled twins of the modules that placing an order spends its time in.

Cython translates each module as it stands, a C compiler builds it; `hanse.compiled` says when a twin is taken.
Only modules whose functions are long and often called gain; those that wait for SQLite or msgspec do not.
"""

import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from hanse.compiled import MANIFEST, TWINS, digest, source_of, twin_of

__all__ = ["HOT", "build", "is_built"]

HOT = (
    "hanse.district.core",
    "hanse.finance.ledger.views",
    "hanse.flows.order",
    "hanse.market.orders.service",
    "hanse.market.orders.views",
    "hanse.supply.stock.views",
)
SCRATCH = Path("build/cython")


def build(modules: Sequence[str], twins: Path) -> None:
    """Build the twins of modules into a folder, in place of what lies there.

    Raises
    ------
    setuptools.errors.ExecError, setuptools.errors.CompileError
        There is no C compiler, or it failed.
    """
    # Here and not above, so that whoever only wants the list needs no build tools.
    from Cython.Build import cythonize
    from setuptools import Distribution, Extension

    extensions = cythonize(
        [Extension(module, [str(source_of(module))]) for module in modules],
        build_dir=str(SCRATCH),
        quiet=True,
        # As Python has it: annotations are for readers and mypy, and decide nothing at run time.
        compiler_directives={"language_level": 3, "binding": True, "annotation_typing": False},
    )
    command = Distribution({"name": "hanse-twins", "ext_modules": extensions}).get_command_obj("build_ext")
    command.build_lib, command.build_temp = str(twins), str(SCRATCH / "objects")
    command.parallel = os.cpu_count()
    shutil.rmtree(twins, ignore_errors=True)
    command.ensure_finalized()
    command.run()
    (twins / MANIFEST).write_text(json.dumps(_built_from(modules), indent=1))


def is_built(modules: Sequence[str], twins: Path) -> bool:
    """Whether the twins of these modules lie there, built from the present sources by this Python."""
    manifest = twins / MANIFEST
    there = manifest.exists() and all(twin_of(module, twins).exists() for module in modules)
    return there and json.loads(manifest.read_text()) == _built_from(modules)


def _built_from(modules: Sequence[str]) -> dict[str, str]:
    return {module: digest(source_of(module)) for module in modules}


if __name__ == "__main__":
    from setuptools.errors import CompileError, ExecError

    try:
        if not is_built(HOT, TWINS):
            build(HOT, TWINS)
    except (CompileError, ExecError) as error:
        sys.exit(
            f"No compiled twins were built ({error}); install a C compiler and Python's headers. All runs without."
        )
