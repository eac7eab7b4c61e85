"""Who asks: a role, and the id of the person or shop behind it."""

from typing import Literal

import msgspec

__all__ = ["NOBODY", "Principal", "Role"]

Role = Literal["public", "shopper", "shop", "courier", "league"]


class Principal(msgspec.Struct, frozen=True, gc=False):
    """Somebody at the door. `id` is a person's for shoppers and couriers, a shop's for shops, else empty."""

    role: Role = "public"
    id: str = ""

    @property
    def caller(self) -> str:
        """The name under which keys and commands are noted."""
        return self.id or self.role


NOBODY = Principal()
"""Whoever has not said who they are."""
