"""Which shops of the map take part: named ones, of a kind that can sell something of the source's goods."""

from hanse.world.demo import hours
from hanse.world.demo.extract import Address, Extract, Poi
from hanse.world.demo.scenario import Shop

__all__ = ["choose"]

_KINDS = {
    "supermarket": "supermarket",
    "convenience": "convenience",
    "kiosk": "kiosk",
    "marketplace": "market_hall",
    "deli": "delicatessen",
    "deli; kitchen": "delicatessen",
    "butcher": "butcher",
    "bakery": "bakery",
    "confectionery": "confectioner",
    "tea": "tea_shop",
    "pharmacy": "pharmacy",
    "cosmetics": "perfumery",
    "health_food": "health_food",
    "florist": "florist",
    "pet": "pet_shop",
    "baby_goods": "baby_shop",
    "variety_store": "variety_store",
    "houseware": "kitchen_shop",
}
# What the map's own tag says too roughly, by name.
_KIND_BY_NAME = {
    "Lidl": "discounter",
    "Tokmanni": "variety_store",
    "Muji": "gift_shop",
    "Flying Tiger Copenhagen": "gift_shop",
    "Teemu & Markus": "patisserie",
    "Pick a Deli": "convenience",
    "Stop@Station": "kiosk",
}
# Mapped with a shop tag that does not fit, or clothes and furniture rather than goods of the source.
_LEFT_OUT = {
    "Stone Bowl N Sushi",
    "Youngest Fashion",
    "Domus Classica",
    "Pupu",
    "Casa Italia",
    "AT Lastenturva",
    "Kioski",
}
_LEFT_OUT_WORDS = ("väistötila", "kesäkioski", "jäätelökioski")


def choose(extract: Extract) -> tuple[Shop, ...]:
    """The shops, sorted by kind and key; one of several with the same name at the same address."""
    chosen: dict[tuple[str, str, str], Shop] = {}
    for poi in sorted(extract.shops, key=lambda poi: poi.key):
        shop = _shop(poi, extract.addresses)
        if shop:
            chosen.setdefault((shop.name.casefold(), shop.street, shop.housenumber), shop)
    return tuple(sorted(chosen.values(), key=lambda shop: (shop.kind, shop.key)))


def _shop(poi: Poi, addresses: tuple[Address, ...]) -> Shop | None:
    name = poi.tags.get("name", "").strip()
    tag = poi.tags.get("amenity", "") if poi.tags.get("amenity") in ("pharmacy", "marketplace") else poi.tags["shop"]
    kind = _KIND_BY_NAME.get(name, _KINDS.get(tag, ""))
    if not name or not kind or name in _LEFT_OUT or any(word in name for word in _LEFT_OUT_WORDS):
        return None
    week = hours.parse(poi.tags.get("opening_hours", ""))
    street, housenumber = _address(poi, addresses)
    website = poi.tags.get("website", "")
    return Shop(
        key=poi.key,
        name=name,
        kind=kind,
        street=street,
        housenumber=housenumber,
        lat=poi.lat,
        lon=poi.lon,
        hours=week or hours.by_kind(kind),
        hours_assumed=week is None,
        website=website if website.startswith("http") or not website else f"https://{website}",
    )


def _address(poi: Poi, addresses: tuple[Address, ...]) -> tuple[str, str]:
    """As tagged (the last part, where a hall or mall is written before the street), else the nearest address."""
    street = poi.tags.get("addr:street", "").rpartition(", ")[2]
    if street:
        return street, poi.tags.get("addr:housenumber", "")
    # One degree of longitude is half as long as one of latitude at 60° north.
    nearest = min(addresses, key=lambda place: (place.lat - poi.lat) ** 2 + ((place.lon - poi.lon) / 2) ** 2)
    return nearest.street.rpartition(", ")[2], nearest.housenumber
