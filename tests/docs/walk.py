"""Walks a page of the manual: runs its shell blocks in order and compares what they print with what the page says.

What a page can say:

- ```` ```sh ```` is run, all blocks of a page in one bash (variables and background processes stay), in an empty
  folder, with `hanse` of this environment on the path. The first command that fails ends the walk.
- ```` ```sh exit 3 ```` is run, and its last command must end with this code.
- ```` ```sh by-hand ```` is not run: it needs what no test has (root, another machine). The page says so in words.
- ```` ```text ```` right below a block that is run is its standard output, whole and line by line; `…` stands for
  anything within a line, a line of `…` alone for any number of lines.
- ```` ```FILE name ```` (with any language, such as `toml hanse.toml`) is written to that file before the next block.

Ports from 8000 to 8099 become free ones, the same number the same port, in blocks and outputs alike.
"""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

__all__ = ["Block", "Walked", "blocks", "walk"]

LIMIT_S = 600.0

_FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<body>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE)
_PORT = re.compile(r"(?<![\d.])80\d\d(?![\d.]*\d)")


class Block(NamedTuple):
    """A fenced block: the line of the page where it begins, what stands behind the fence, what stands in it."""

    line: int
    info: tuple[str, ...]
    body: str

    @property
    def is_run(self) -> bool:
        """Whether it is a shell block that a test runs."""
        return self.info[:1] == ("sh",) and "by-hand" not in self.info

    @property
    def code(self) -> int:
        """The exit code that its last command must have."""
        return int(self.info[2]) if self.info[1:2] == ("exit",) else 0

    @property
    def file(self) -> str:
        """The file that it is the content of; empty for none."""
        return self.info[1] if len(self.info) == 2 and self.info[0] not in ("sh", "text") else ""


class Walked(NamedTuple):
    """What came of a walk: how many blocks were run, and the first thing that was not as the page says."""

    run: int
    fault: str = ""


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found = []
    for fence in _FENCE.finditer(text):
        body = re.sub(rf"^{fence['indent']}", "", fence["body"], flags=re.MULTILINE)
        found.append(Block(text.count("\n", 0, fence.start()) + 1, tuple(fence["info"].split()), body))
    return found


def walk(page: Path, folder: Path, *, stand_ins: Mapping[str, str] | None = None) -> Walked:
    """Run a page in a folder.

    Parameters
    ----------
    page
        A page of Markdown.
    folder
        Where the blocks are run; what they print lies beside it, in files of its name.
    stand_ins
        What stands in for words of the page that no test can have, such as ``/var/lib/hanse``.
    """
    text = _stand_in(page.read_text(encoding="utf-8"), stand_ins or {})
    found = blocks(text)
    output = _run(_script(found), folder)
    said, errors, code = output
    parts = _parts(said)
    for number, (block, after) in enumerate(zip(found, [*found[1:], None], strict=True)):
        if not block.is_run:
            continue
        if number not in parts:
            at = [one for one in found if one.is_run and found.index(one) in parts]
            return Walked(len(parts), _failure(page, at[-1] if at else block, code, said, errors))
        if after is not None and after.info == ("text",) and not _is(parts[number], after.body):
            return Walked(
                len(parts), f"{page}:{after.line}: the page says\n{after.body}\nbut it was\n{parts[number]}\n{errors}"
            )
    ended = [number for number, block in enumerate(found) if block.is_run]
    if code:
        return Walked(len(parts), _failure(page, found[ended[-1]], code, said, errors))
    return Walked(len(parts))


def _stand_in(text: str, stand_ins: Mapping[str, str]) -> str:
    for word, other in stand_ins.items():
        text = text.replace(word, other)
    ports = {port: str(_free_port()) for port in sorted(set(_PORT.findall(text)))}
    return _PORT.sub(lambda found: ports[found[0]], text)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _script(found: list[Block]) -> str:
    """One bash program; a mark before each block tells its output from that of others."""
    lines = ["set -euo pipefail"]
    for number, block in enumerate(found):
        if block.file:
            lines.append(f"cat > {block.file} <<'END OF FILE'\n{block.body}END OF FILE")
        elif block.is_run and block.code:
            lines.append(f"echo '@@ {number}'\nset +e\n{block.body}ended=$?\nset -e\ntest $ended -eq {block.code}")
        elif block.is_run:
            lines.append(f"echo '@@ {number}'\n{block.body}")
    return "\n".join([*lines, ""])


def _run(script: str, folder: Path) -> tuple[str, str, int]:
    """Standard output, standard error and exit code; whatever is still running at the end is killed."""
    said, errors = folder.with_name(f"{folder.name}.out"), folder.with_name(f"{folder.name}.err")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HANSE_")}
    environment |= {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "NO_COLOR": "1",
        "COLUMNS": "200",
    }
    folder.mkdir(parents=True, exist_ok=True)
    with said.open("wb") as out, errors.open("wb") as err:
        # Into files, not pipes: what was started in the background would hold a pipe open.
        bash = subprocess.Popen(
            ["bash", "-c", script], cwd=folder, env=environment, stdout=out, stderr=err, start_new_session=True
        )
        try:
            code = bash.wait(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            code = 124
        finally:
            _end(bash.pid)
    return said.read_text(encoding="utf-8"), errors.read_text(encoding="utf-8"), code


def _end(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


def _parts(said: str) -> dict[int, str]:
    """The output of each block that was begun."""
    pieces = re.split(r"^@@ (\d+)\n", said, flags=re.MULTILINE)
    return {int(number): output for number, output in zip(pieces[1::2], pieces[2::2], strict=True)}


def _is(output: str, said: str) -> bool:
    pattern = "".join(
        "(?:.*\n)*?" if line.strip() == "…" else re.escape(line).replace("…", ".*") + "\n" for line in said.splitlines()
    )
    # A table ends its lines with blanks, which no page shows.
    return re.fullmatch(pattern, "".join(f"{line.rstrip()}\n" for line in output.splitlines())) is not None


def _failure(page: Path, block: Block, code: int, said: str, errors: str) -> str:
    return f"{page}:{block.line}: ended with exit code {code}:\n{block.body}\n{said[-2_000:]}\n{errors[-4_000:]}"
