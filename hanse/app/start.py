"""Where ``hanse`` begins: the memory is asked for in large pages, then the command line runs."""

import os
import sys

__all__ = ["main", "with_large_pages"]

_TUNABLES = "GLIBC_TUNABLES"
_LARGE_PAGES = "glibc.malloc.hugetlb"


def main() -> None:
    """What the installed program runs."""
    with_large_pages()
    # After it: what is imported before would be imported twice.
    from hanse.app.cli import main as command_line

    command_line()


def with_large_pages() -> None:
    """Start this program once more, with large pages for large allocations; nothing where glibc is not at work.

    A district keeps dictionaries of many megabytes, and finding their pages is a part of what each look-up costs.
    glibc reads its tunables only when a program starts, so the running one is replaced: same process, same arguments.
    """
    tunables = os.environ.get(_TUNABLES, "")
    if _LARGE_PAGES in tunables or not _has_glibc():
        return
    os.environ[_TUNABLES] = f"{tunables}:{_LARGE_PAGES}=1".lstrip(":")
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _has_glibc() -> bool:
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (AttributeError, ValueError):
        return False
