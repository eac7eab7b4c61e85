"""Places: WGS84 degrees, distances in metres on the sphere."""

from math import asin, cos, radians, sin, sqrt

import msgspec

from hanse.kernel.errors import must

__all__ = ["Place", "distance_m"]

_EARTH_RADIUS_M = 6_371_008.8  # mean radius (IUGG)


class Place(msgspec.Struct, frozen=True, gc=False):
    """A point on the earth: latitude and longitude in WGS84 degrees."""

    lat: float
    lon: float

    def __post_init__(self) -> None:
        must(-90 <= self.lat <= 90, "kernel.bad_place", "Give a latitude between -90 and 90 degrees.", field="lat")
        must(-180 <= self.lon <= 180, "kernel.bad_place", "Give a longitude between -180 and 180 degrees.", field="lon")


def distance_m(a: Place, b: Place) -> float:
    """Great-circle distance in metres (haversine; within 0.5 % of the ellipsoid).

    Examples
    --------
    >>> round(distance_m(Place(60.1699, 24.9384), Place(60.1699, 24.9564)))
    996
    """
    lat_a, lat_b = radians(a.lat), radians(b.lat)
    across = sin((lat_b - lat_a) / 2) ** 2 + cos(lat_a) * cos(lat_b) * sin(radians(b.lon - a.lon) / 2) ** 2
    return 2 * _EARTH_RADIUS_M * asin(sqrt(across))
