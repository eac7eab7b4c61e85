"""Shoppers: invented names, telephone numbers that belong to nobody, homes at real addresses."""

from hanse.kernel.chance import stream
from hanse.world.demo import tables
from hanse.world.demo.extract import Address
from hanse.world.demo.scenario import Household

__all__ = ["build"]

# Ofcom keeps these British numbers for drama; Finland has reserved none.
_DRAMA_NUMBERS = ("+44 7700 900{:03d}", "+44 20 7946 0{:03d}", "+44 161 496 0{:03d}")


def build(household_ids: list[int], addresses: tuple[Address, ...], seed: int) -> tuple[Household, ...]:
    """One shopper per household of the source, in the order given; several may live at one address."""
    chance = stream(seed, "households")
    given, family = tables.names("given"), tables.names("family")
    homes = sorted({(home.street.rpartition(", ")[2], home.housenumber): home for home in addresses}.items())
    phones = [pattern.format(number) for pattern in _DRAMA_NUMBERS for number in range(1000)]
    chance.shuffle(phones)
    shoppers = []
    for number, household_id in enumerate(household_ids):
        (street, housenumber), home = chance.choice(homes)
        shoppers.append(
            Household(
                key=f"h{household_id}",
                given_name=chance.choice(given),
                family_name=chance.choice(family),
                phone=phones[number],
                street=street,
                housenumber=housenumber,
                lat=home.lat,
                lon=home.lon,
            )
        )
    return tuple(shoppers)
