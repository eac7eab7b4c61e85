"""What all visits share: the order of goods, the pulse of the district, its map. One for each house."""

import gzip
from collections import deque
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import msgspec

from hanse.app.abroad import Abroad
from hanse.app.home import Home
from hanse.app.house import now_us
from hanse.app.neighbours import neighbours_of
from hanse.app.pages.live import Live
from hanse.app.pages.shelves import Shelves
from hanse.app.worlds import Town
from hanse.events.dictionary import kind_of
from hanse.events.market import OrderPlaced, ShopJoined
from hanse.events.supply import StockShort
from hanse.journal.protocol import Entry
from hanse.kernel.errors import NotFound, Unavailable
from hanse.kernel.geo import Place, distance_m
from hanse.kernel.time import SECOND_US
from hanse.market.catalogue.views import Catalogue
from hanse.people.members.views import Members
from hanse.people.vault import Address

__all__ = ["PULSE_SECONDS", "Backstage", "BaseMap", "Homes", "Pulse"]

PULSE_SECONDS = 300
RECENT_MAX = 120
PLACES_MAX = 256
_NOWHERE = Place(0.0, 0.0)
_PLACED, _SHORT = kind_of(OrderPlaced).name, kind_of(StockShort).name

# The town's streets by their class, as the map draws them.
_STREET_KINDS = {"major": "road", "minor": "street", "pedestrian": "street", "service": "path", "path": "path"}
_AREA_KINDS = {"water": "water", "parks": "green", "buildings": "building", "rail": "rail"}


class Pulse:
    """How much happens: orders by second, counts of the day, the latest entries."""

    def __init__(self) -> None:
        self.recent: deque[Entry] = deque(maxlen=RECENT_MAX)
        self.entries = 0
        self.short = 0
        self._orders: dict[int, int] = {}
        self._began_s = now_us() // SECOND_US

    def hear(self, entries: Iterable[Entry]) -> None:
        """Take in what a commit recorded."""
        for entry in entries:
            self.entries += 1
            if entry[2] == _PLACED:
                second = entry[1] // SECOND_US
                self._orders[second] = self._orders.get(second, 0) + 1
            elif entry[2] == _SHORT:
                self.short += 1
            self.recent.append(entry)
        if len(self._orders) > 2 * PULSE_SECONDS:
            oldest = now_us() // SECOND_US - PULSE_SECONDS
            self._orders = {second: count for second, count in self._orders.items() if second >= oldest}

    def rate(self, at_us: int, *, over_s: int = 10) -> float:
        """Orders a second, over the last whole seconds."""
        second = at_us // SECOND_US
        return sum(self._orders.get(s, 0) for s in range(second - over_s, second)) / over_s

    def series(self, at_us: int) -> list[list[float]]:
        """Seconds since 1970 and orders a second at each, for the chart; as long as somebody has listened."""
        second = at_us // SECOND_US
        seconds = range(max(second - PULSE_SECONDS, self._began_s + 10), second + 1)
        return [[float(s) for s in seconds], [self.rate(s * SECOND_US) for s in seconds]]


class Homes:
    """Where members live, as the vault knows it."""

    def __init__(self, house: Home) -> None:
        self._house = house

    def addresses(self, person_id: str) -> list[tuple[str, Address]]:
        """A member's addresses with their ids, the newest first; none for who is not a member."""
        member = self._house.district.view(Members).by_id.get(person_id)
        found = []
        for address_id in reversed(member.addresses if member else []):
            try:
                found.append((address_id, self._house.vault.get(address_id, Address)))
            except NotFound:
                continue
        return found

    def street(self, person_id: str) -> str:
        """The street that a member shops from; empty if there is none."""
        return next((address.street for _, address in self.addresses(person_id)[:1]), "")

    def place(self, person_id: str) -> Place | None:
        """Where the member shops from."""
        return next((Place(address.lat, address.lon) for _, address in self.addresses(person_id)[:1]), None)


class BaseMap:
    """The streets of the town as one GeoJSON that each feature of says its kind."""

    def __init__(self, town: Town | None) -> None:
        features = [
            feature for name, layer in (town.layers if town else {}).items() for feature in _features(name, layer)
        ]
        plain = msgspec.json.encode({"type": "FeatureCollection", "features": features})
        self.packed = gzip.compress(plain, 6, mtime=0)
        self.box = town.box if town else None
        self.path = f"/map/{sha256(plain).hexdigest()[:12]}.geojson" if features else ""


class Backstage:
    """What all visits to one house share."""

    def __init__(self, house: Home) -> None:
        self.house = house
        self.town = _town(house)
        self.shelves = Shelves(self.town)
        self.pulse = Pulse()
        self.homes = Homes(house)
        self.live = Live(house)
        self.abroad = Abroad(neighbours_of(house.settings.neighbours))
        self.map = BaseMap(self.town)
        self._distances: dict[Place, dict[str, int]] = {}
        self._stops = [house.listen(self.shelves.hear), house.listen(self.pulse.hear)]

    @property
    def centre(self) -> Place:
        """The middle of the map; of the shops where there is no map."""
        if self.town:
            west, south, east, north = self.town.box
            return Place((south + north) / 2, (west + east) / 2)
        shops = list(self.house.district.view(Catalogue).shops.values())
        return shops[0].place if shops else _NOWHERE

    def distances(self, here: Place) -> dict[str, int]:
        """Metres from a place to each shop, by id; remembered for the places of the latest visitors."""
        known = self._distances.get(here)
        shops = self.shops()
        if known is None or len(known) != len(shops):
            known = {shop_id: round(distance_m(here, shop.place)) for shop_id, shop in shops.items()}
            if len(self._distances) >= PLACES_MAX:
                self._distances.clear()
            self._distances[here] = known
        return known

    def distance_m(self, here: Place, shop: ShopJoined) -> int:
        """Metres from a place to a shop."""
        return self.distances(here)[shop.shop_id]

    def shops(self) -> dict[str, ShopJoined]:
        """The shops of the league by id."""
        return self.house.district.view(Catalogue).shops

    def close(self) -> None:
        """Stop listening, end the streams."""
        self.live.close()
        for stop in self._stops:
            stop()


def _town(house: Home) -> Town | None:
    try:
        return house.world.town if house.world else None
    except Unavailable:
        return None


def _features(layer: str, geojson: bytes) -> list[dict[str, Any]]:
    features: list[dict[str, Any]] = msgspec.json.decode(geojson)["features"]
    for feature in features:
        street = feature["properties"].get("class", "")
        feature["properties"] = {"kind": _STREET_KINDS.get(street) or _AREA_KINDS.get(layer, "path")}
    return features
