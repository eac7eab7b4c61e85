"""Invented brand names: pronounceable, each of its own, none of them a known brand."""

from hanse.kernel.chance import stream
from hanse.world.demo.tables import real_brands

__all__ = ["HOUSE_BRAND", "invented"]

HOUSE_BRAND = "Koggenbord"
"""Stands for the source's private label."""

_HEADS = "Al Ber Dal El Fal Fin Gar Hal Hel Jor Kal Lin Mar Mel Nar Nor Or Pel Ros Sal Sel Sol Tal Tor Ul Val Vel Vin"
_MIDDLES = "a e i o"
_TAILS = "bo by dal dra fors gard holm lund mark nell rik ro sta sund va vik vin"


def invented(manufacturers: list[int], seed: int) -> dict[int, str]:
    """A brand name for each manufacturer; who is asked for together changes nobody's chance of a known brand."""
    known = real_brands()
    pool = [
        name
        for head in _HEADS.split()
        for middle in _MIDDLES.split()
        for tail in _TAILS.split()
        if (name := head + middle + tail).casefold() not in known
    ]
    stream(seed, "brands").shuffle(pool)
    return dict(zip(sorted(manufacturers), pool, strict=False))
