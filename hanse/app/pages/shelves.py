"""Which goods stand where: the order in which pages show them, made once and kept up to date.

The catalogue knows offers by id; a page asks for «dairy, near me, next twenty-four». Going through 40,000
offers for that would take longer than everything else on the page, so their order is kept here. Prices and
stock are never kept: they are asked of the views when a page is made.
"""

from collections.abc import Iterable, Sequence

from hanse.app.worlds import Category, Department, Town
from hanse.district.core import District
from hanse.events.dictionary import kind_of
from hanse.events.market import OffersSet, ProductsListed
from hanse.journal.protocol import Entry
from hanse.market.catalogue.views import Catalogue, Product

__all__ = ["OTHER", "Shelves"]

OTHER = Department("other", "Everything else", "Alles Übrige", "other")
"""Where goods stand whose category the town does not name."""

_OF_PRODUCTS, _OF_OFFERS = kind_of(ProductsListed).name, kind_of(OffersSet).name


class Shelves:
    """Products and each shop's offers by category (``milk``) and department (``/dairy``), in the catalogue's order."""

    def __init__(self, town: Town | None) -> None:
        self.departments: tuple[Department, ...] = (*(town.departments if town else ()), OTHER)
        self.categories: dict[str, Category] = {c.key: c for c in (town.categories if town else ())}
        self._products: dict[str, list[str]] = {}
        self._place: dict[str, int] = {}
        self._of_shop: dict[str, dict[str, list[str]]] = {}
        self._stale = True
        self._stale_shops: set[str] = set()

    def hear(self, entries: Iterable[Entry]) -> None:
        """Note what a commit has changed; it is put in order when somebody looks."""
        for entry in entries:
            if entry[2] == _OF_OFFERS:
                self._stale_shops.add(entry[4])
            elif entry[2] == _OF_PRODUCTS:
                self._stale = True

    def department_of(self, category: str) -> Department:
        """The department that a category belongs to."""
        key = self.categories[category].department if category in self.categories else OTHER.key
        return self.department(key)

    def department(self, key: str) -> Department:
        """A department by its key."""
        return next((d for d in self.departments if d.key == key), OTHER)

    def stands_in(self, product: Product, key: str) -> bool:
        """Whether a product stands in a category (``milk``) or department (``/dairy``); empty: everywhere."""
        return not key or product.category == key or f"/{self.department_of(product.category).key}" == key

    def products(self, district: District, key: str = "", *, after: str = "", limit: int = 24) -> list[str]:
        """Products on sale in a category or department (empty: all), behind `after`, in the catalogue's order."""
        self._refresh(district)
        found: list[str] = []
        on_sale = district.view(Catalogue).by_product
        shelf = self._products.get(key, [])
        for product_id in shelf[self._behind(shelf, after) :]:
            if on_sale.get(product_id):
                found.append(product_id)
                if len(found) == limit:
                    break
        return found

    def offers(self, district: District, shop_id: str, key: str = "", *, after: str = "", limit: int = 24) -> list[str]:
        """Offers of one shop in a category or department (empty: all), behind the offer `after`."""
        self._refresh(district)
        shelf = self._of_shop.get(shop_id, {}).get(key, [])
        start = shelf.index(after) + 1 if after in shelf else 0
        live = district.view(Catalogue).offers
        return [offer_id for offer_id in shelf[start : start + limit] if offer_id in live]

    def departments_of(self, district: District, shop_id: str = "") -> list[Department]:
        """The departments in which a shop (or anybody) has goods."""
        self._refresh(district)
        shelves: dict[str, list[str]] = self._of_shop.get(shop_id, {}) if shop_id else self._products
        return [department for department in self.departments if shelves.get(f"/{department.key}")]

    def categories_of(self, district: District, department: str, shop_id: str = "") -> list[Category]:
        """The categories of a department in which a shop (or anybody) has goods."""
        self._refresh(district)
        shelves: dict[str, list[str]] = self._of_shop.get(shop_id, {}) if shop_id else self._products
        return [c for c in self.categories.values() if c.department == department and shelves.get(c.key)]

    def size(self, district: District, shop_id: str) -> int:
        """How many offers a shop has."""
        return len(district.view(Catalogue).by_shop.get(shop_id, ()))

    def _behind(self, shelf: Sequence[str], after: str) -> int:
        """Where to go on in a shelf; products stand in the catalogue's order, so their places ascend."""
        if after not in self._place:
            return 0
        place = self._place[after]
        low, high = 0, len(shelf)
        while low < high:
            middle = (low + high) // 2
            if self._place[shelf[middle]] <= place:
                low = middle + 1
            else:
                high = middle
        return low

    def _refresh(self, district: District) -> None:
        catalogue = district.view(Catalogue)
        if self._stale:
            self._place = {product_id: place for place, product_id in enumerate(catalogue.products)}
            self._products = self._sorted((p.product_id, p.category) for p in catalogue.products.values())
            self._stale_shops = set(catalogue.shops)
            self._stale = False
        for shop_id in self._stale_shops:
            self._of_shop[shop_id] = self._in_order(district, shop_id)
        self._stale_shops = set()

    def _in_order(self, district: District, shop_id: str) -> dict[str, list[str]]:
        catalogue = district.view(Catalogue)
        rows = [
            (self._place.get(catalogue.offers[offer_id].product_id, 0), offer_id)
            for offer_id in catalogue.by_shop.get(shop_id, ())
        ]
        products = catalogue.products
        return self._sorted((o, products[catalogue.offers[o].product_id].category) for _, o in sorted(rows))

    def _sorted(self, rows: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
        shelves: dict[str, list[str]] = {"": []}
        for thing_id, category in rows:
            shelves[""].append(thing_id)
            department = self.categories[category].department if category in self.categories else OTHER.key
            # A department may bear the name of one of its categories, so it is told apart by a stroke.
            shelves.setdefault(category, []).append(thing_id)
            shelves.setdefault(f"/{department}", []).append(thing_id)
        return shelves
