"""Write a golden file for each event that has none in its present version: ``python -m tests.events.write_golden``.

A file that is there is never touched: it stands for entries that journals out there hold.
"""

from pathlib import Path

import msgspec

from hanse.events.dictionary import Kind
from tests.events.samples import all_kinds, sample

FOLDER = Path(__file__).parent / "golden"


def path_of(kind: Kind) -> Path:
    return FOLDER / f"{kind.name}.{kind.version}.json"


def write_missing() -> list[Path]:
    missing = [kind for kind in all_kinds() if not path_of(kind).exists()]
    for kind in missing:
        body = msgspec.json.encode(sample(kind.cls))
        path_of(kind).write_bytes(msgspec.json.format(body, indent=2) + b"\n")
    return [path_of(kind) for kind in missing]


if __name__ == "__main__":
    for path in write_missing():
        print(path.name)
