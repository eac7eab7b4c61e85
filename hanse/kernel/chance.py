"""Chance: every random choice comes from a named stream of one seed, so that it can be repeated."""

import random
from hashlib import blake2b

__all__ = ["stream"]


def stream(seed: int, name: str) -> random.Random:
    """A generator of its own for each name: drawing from one never shifts another.

    Examples
    --------
    >>> stream(7, "shoppers").random() == stream(7, "shoppers").random()
    True
    >>> stream(7, "shoppers").random() == stream(7, "couriers").random()
    False
    """
    digest = blake2b(f"{seed}/{name}".encode(), digest_size=16).digest()
    return random.Random(int.from_bytes(digest, "big"))
