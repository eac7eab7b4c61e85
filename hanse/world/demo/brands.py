"""Invented brand names: pronounceable, each of its own, none of them a known brand."""

from hanse.kernel.chance import stream
from hanse.world.demo.tables import real_brands

__all__ = ["HOUSE_BRAND", "invented"]

HOUSE_BRAND = "Koggenbord"
"""Stands for the source's private label."""

_HEADS = (
    "Al Ber Bru Dal El Fal Fen Gar Hal Il Jor Kal Lam Lin Mel Nar Nor Ol Pel Ras Sel Sor Tal Tor Ul Val Vel Ys".split()
)
_MIDDLES = "a e i o u am an el er il in ol on or un".split()
_TAILS = "berga da dalin dra fors gard grun ka kvist la lanta mark na nell rik ro sta tova va vik vinna".split()


def invented(manufacturers: list[int], seed: int) -> dict[int, str]:
    """A brand name for each manufacturer; who is asked for together changes nobody's chance of a known brand."""
    known = real_brands()
    pool = [
        name
        for head in _HEADS
        for middle in _MIDDLES
        for tail in _TAILS
        if (name := head + middle + tail).casefold() not in known
    ]
    stream(seed, "brands").shuffle(pool)
    return dict(zip(sorted(manufacturers), pool, strict=False))
