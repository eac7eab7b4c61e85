"""What the demo's data look like: plain structs, columns for the baskets, no behaviour but reading."""

from array import array
from bisect import bisect_right
from itertools import accumulate
from random import Random

import msgspec

__all__ = [
    "Basket",
    "Baskets",
    "Category",
    "Department",
    "Hours",
    "Household",
    "Map",
    "Offer",
    "Product",
    "Scenario",
    "Shop",
    "Terms",
]

Hours = tuple[tuple[tuple[int, int], ...], ...]


class Shop(msgspec.Struct, frozen=True):
    """A real shop of the map; what it sells here is invented.

    `hours` has seven lists, Monday first, of (opens, closes) in minutes after local midnight; a time after
    midnight is counted on (25:00 is 1500). `hours_assumed` says that the map does not tell them.
    """

    key: str
    name: str
    kind: str
    street: str
    housenumber: str
    lat: float
    lon: float
    hours: Hours
    hours_assumed: bool
    website: str


class Department(msgspec.Struct, frozen=True):
    """The upper level of the category tree."""

    key: str
    english: str
    german: str
    picture: str


class Category(msgspec.Struct, frozen=True):
    """The lower level: VAT in basis points and EU-14 allergen codes are demo data."""

    key: str
    department: str
    english: str
    german: str
    picture: str
    vat_bp: int
    allergens: tuple[str, ...]


class Product(msgspec.Struct, frozen=True, gc=False):
    """An article: title and brand in words, size in ``ml``, ``g`` or ``pc`` (0 when the source has none).

    `size_count` packs of `size_value` each. `price_minor` is the usual price in EUR cents, VAT included;
    `units` how many of it the source's households bought in a year.
    """

    key: str
    gtin: str
    category: str
    brand: str
    english: str
    german: str
    size_count: int
    size_value: int
    size_unit: str
    price_minor: int
    units: int


class Offer(msgspec.Struct, frozen=True, gc=False):
    """A product in a shop: both as indices into the scenario; the price in EUR cents, the stock in packs."""

    shop: int
    product: int
    price_minor: int
    stock: int


class Household(msgspec.Struct, frozen=True, gc=False):
    """A shopper: invented name, number that belongs to nobody, home at a real address."""

    key: str
    given_name: str
    family_name: str
    phone: str
    street: str
    housenumber: str
    lat: float
    lon: float


class Basket(msgspec.Struct, frozen=True, gc=False):
    """One purchase: ISO weekday (Monday 1), minute of the day, and lines of (product index, packs)."""

    household: int
    weekday: int
    minute: int
    lines: tuple[tuple[int, int], ...]


class Map(msgspec.Struct, frozen=True):
    """Layers as GeoJSON FeatureCollections, and the box they fill: west, south, east, north in degrees."""

    box: tuple[float, float, float, float]
    layers: dict[str, bytes]

    @property
    def centre(self) -> tuple[float, float]:
        """Longitude and latitude of the middle of the box."""
        west, south, east, north = self.box
        return (west + east) / 2, (south + north) / 2


class Terms(msgspec.Struct, frozen=True):
    """Where something comes from and on which terms it may be used, to be shown where it is used."""

    name: str
    what: str
    licence: str
    url: str


class Baskets:
    """The real baskets in columns: 1.3 million lines in a few megabytes instead of as many objects.

    Parameters
    ----------
    households, weekdays, minutes
        One entry per basket.
    ends
        Behind the last line of each basket.
    products, packs
        One entry per line: product index, packs (1 to 24).
    """

    def __init__(
        self,
        *,
        households: "array[int]",
        weekdays: "array[int]",
        minutes: "array[int]",
        ends: "array[int]",
        products: "array[int]",
        packs: "array[int]",
    ) -> None:
        self._households = households
        self._weekdays = weekdays
        self._minutes = minutes
        self._ends = ends
        self._products = products
        self._packs = packs
        counts = [0] * (7 * 24)
        for weekday, minute in zip(weekdays, minutes, strict=True):
            counts[(weekday - 1) * 24 + minute // 60] += 1
        total = max(1, len(households))
        self.hour_shares = tuple(count / total for count in counts)
        """Share of all baskets in each hour of the week, Monday 0:00 first; 168 entries, sum 1."""
        self._by_hour = self._sorted_by_hour(counts)

    def _sorted_by_hour(self, counts: list[int]) -> "tuple[list[int], array[int]]":
        """Where each hour of the week ends, and the basket numbers sorted by hour."""
        ends = list(accumulate(counts))
        free = [end - count for end, count in zip(ends, counts, strict=True)]
        order = array("I", bytes(4 * len(self._households)))
        for number, (weekday, minute) in enumerate(zip(self._weekdays, self._minutes, strict=True)):
            hour = (weekday - 1) * 24 + minute // 60
            order[free[hour]] = number
            free[hour] += 1
        return ends, order

    def __len__(self) -> int:
        return len(self._households)

    @property
    def line_count(self) -> int:
        """Lines in all baskets together."""
        return len(self._products)

    def basket(self, number: int) -> Basket:
        """The basket with this number, 0 to ``len - 1``."""
        start = self._ends[number - 1] if number else 0
        rows = range(start, self._ends[number])
        return Basket(
            household=self._households[number],
            weekday=self._weekdays[number],
            minute=self._minutes[number],
            lines=tuple((self._products[row], self._packs[row]) for row in rows),
        )

    def draw(self, chance: Random, *, hour_of_week: int | None = None) -> Basket:
        """One basket by chance, with replacement; of one hour of the week (Monday 0:00 is 0) if given.

        An hour in which nobody bought gives a basket of any time.
        """
        if hour_of_week is not None:
            ends, order = self._by_hour
            start = ends[hour_of_week - 1] if hour_of_week else 0
            if ends[hour_of_week] > start:
                return self.basket(order[chance.randrange(start, ends[hour_of_week])])
        return self.basket(chance.randrange(len(self)))

    def draw_hour(self, chance: Random) -> int:
        """An hour of the week by chance, as often as people shopped in it."""
        ends, _ = self._by_hour
        return bisect_right(ends, chance.randrange(len(self)))

    def columns(self) -> "dict[str, array[int]]":
        """The columns by name, as the constructor takes them; for keeping them in a file."""
        return {
            "households": self._households,
            "weekdays": self._weekdays,
            "minutes": self._minutes,
            "ends": self._ends,
            "products": self._products,
            "packs": self._packs,
        }

    def fingerprint(self) -> bytes:
        """All columns as bytes, for comparing two builds."""
        return b"".join(column.tobytes() for column in self.columns().values())


class Scenario(msgspec.Struct, frozen=True):
    """Everything the demo's district starts with.

    `line_share` is the share of all lines of the source that the baskets keep; `own_line_share` the share that
    keeps its own article, the rest stands for the nearest article of the same kind.
    """

    seed: int
    shops: tuple[Shop, ...]
    departments: tuple[Department, ...]
    categories: tuple[Category, ...]
    products: tuple[Product, ...]
    offers: tuple[Offer, ...]
    households: tuple[Household, ...]
    map: Map
    terms: tuple[Terms, ...]
    line_share: float
    own_line_share: float
    baskets: Baskets
