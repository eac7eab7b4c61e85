"""What is kept of a scenario beside the journal, so that a second start need not read the sources anew.

The file holds what pages show and what shoppers draw from. Nothing in it says who anybody is: names and
addresses are in the vault alone.
"""

import os
from array import array
from pathlib import Path

import msgspec

from hanse.app.worlds import Category, Department, Terms, Town
from hanse.kernel.errors import Unavailable
from hanse.world.demo import scenario as demo
from hanse.world.load import item_id

__all__ = ["Kept", "keep", "read"]

_CODES = {"households": "H", "weekdays": "B", "minutes": "H", "ends": "I", "products": "H", "packs": "B"}


class Kept(msgspec.Struct, frozen=True):
    """The town for its pages, the baskets in columns, and how much of each stock item a shop likes to have."""

    seed: int
    town: Town
    columns: dict[str, bytes]
    targets: dict[str, int]

    def baskets(self) -> demo.Baskets:
        """The baskets to draw from."""
        return demo.Baskets(**{name: array(_CODES[name], body) for name, body in self.columns.items()})


def keep(data: demo.Scenario, name: str, path: Path) -> Kept:
    """Write the file, whole or not at all."""
    west, south, east, north = data.map.box
    kept = Kept(
        data.seed,
        Town(
            name,
            (west, south, east, north),
            data.map.layers,
            tuple(Department(d.key, d.english, d.german, d.picture) for d in data.departments),
            tuple(Category(c.key, c.department, c.english, c.german, c.picture) for c in data.categories),
            tuple(Terms(t.name, t.what, t.licence, t.url) for t in data.terms),
        ),
        {column: body.tobytes() for column, body in data.baskets.columns().items()},
        {item_id(offer.shop, offer.product): offer.stock for offer in data.offers},
    )
    draft = path.with_suffix(".draft")
    with draft.open("wb") as file:
        file.write(msgspec.msgpack.encode(kept))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    return kept


def read(path: Path) -> Kept | None:
    """What was kept; None if nothing was."""
    if not path.exists():
        return None
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=Kept)
    except (msgspec.DecodeError, OSError) as error:
        raise Unavailable(
            "world.unreadable", f"The world's file {path.name} can't be read; delete it, and it is made anew."
        ) from error
