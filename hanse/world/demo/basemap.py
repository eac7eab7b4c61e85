"""The map's layers as compact GeoJSON: enough to find one's way, small enough to be served with every page."""

import msgspec

from hanse.world.demo.extract import Extract, Ring
from hanse.world.demo.scenario import Map

__all__ = ["layers"]

_DECIMALS = 5  # one metre
_STREET_CLASSES = {
    "motorway": "major", "trunk": "major", "primary": "major", "primary_link": "major", "secondary": "major",
    "tertiary": "minor", "tertiary_link": "minor", "residential": "minor", "unclassified": "minor",
    "living_street": "minor", "pedestrian": "pedestrian", "service": "service", "footway": "path", "path": "path",
    "cycleway": "path", "steps": "path",
}  # fmt: skip


def layers(extract: Extract) -> Map:
    """Streets (with name and class), water, parks, buildings: FeatureCollections in bytes, coordinates to the metre."""
    streets = [
        _feature(
            {"class": street_class} | ({"name": street.name} if street.name else {}), "LineString", _line(street.line)
        )
        for street in extract.streets
        if (street_class := _STREET_CLASSES.get(street.kind))
    ]
    areas = {
        name: [_feature({}, "Polygon", [_line(ring) for ring in rings]) for rings in polygons]
        for name, polygons in extract.areas.items()
    }
    return Map(extract.box, {name: _collection(features) for name, features in ({"streets": streets} | areas).items()})


def _feature(properties: dict[str, str], kind: str, coordinates: object) -> dict[str, object]:
    return {"type": "Feature", "properties": properties, "geometry": {"type": kind, "coordinates": coordinates}}


def _line(points: Ring) -> list[tuple[float, float]]:
    return [(round(lon, _DECIMALS), round(lat, _DECIMALS)) for lon, lat in points]


def _collection(features: list[dict[str, object]]) -> bytes:
    return msgspec.json.encode({"type": "FeatureCollection", "features": features})
