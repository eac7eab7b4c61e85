"""Try an installed Hanse from outside: version, capabilities, a server that becomes ready and stops cleanly.

``python -m tools.try_installed PATH/TO/hanse`` uses nothing of the repository but this file.
"""

import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

__all__ = ["main"]

READY_WITHIN_S = 60
STOPPED_WITHIN_S = 30


def main(hanse: str) -> int:
    """Run the program three ways; the exit code."""
    program = str(Path(hanse).absolute())
    with tempfile.TemporaryDirectory() as folder:
        for question in ("--version", "capabilities"):
            answer = subprocess.run([program, question], cwd=folder, check=True, capture_output=True, text=True).stdout
            if not answer.strip():
                raise SystemExit(f"hanse {question} said nothing.")
            print(f"hanse {question}: {answer.splitlines()[0]}")
        _serve(program, Path(folder))
    return 0


def _serve(program: str, folder: Path) -> None:
    """Start an empty district, wait until it is ready, stop it."""
    port = _free_port()
    server = subprocess.Popen([program, "up", "--port", str(port), "--data", str(folder / "data")], cwd=folder)
    try:
        _wait_until_ready(server, f"http://127.0.0.1:{port}/health/ready")
        _look_at_page(f"http://127.0.0.1:{port}")
        server.send_signal(signal.SIGTERM)
        code = server.wait(STOPPED_WITHIN_S)
    finally:
        server.kill()
    if code not in {0, -signal.SIGTERM}:
        raise SystemExit(f"hanse up ended with exit code {code} when it was asked to stop.")
    print("hanse up: ready, and stopped when asked")


def _wait_until_ready(server: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise SystemExit(f"hanse up ended by itself with exit code {server.returncode}.")
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise SystemExit(f"hanse up was not ready within {READY_WITHIN_S} s.")


def _look_at_page(address: str) -> None:
    """The first page comes with everything that it asks for: the wheel carries the built files."""
    with urllib.request.urlopen(f"{address}/", timeout=10) as answer:
        page: str = answer.read().decode()
    assets = sorted(set(re.findall(r"/static/built/[\w.\-/]+", page)))
    if not assets:
        raise SystemExit("The first page names no built file: was the wheel built without them?")
    for asset in assets:
        with urllib.request.urlopen(address + asset, timeout=10) as answer:
            answer.read()
    print(f"first page: {len(page)} characters, {len(assets)} built files")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
