"""The simulated town: what stands there at the start, and what its people do next, drawn from one seed.

People choose by what the auditor's books say: mostly what makes sense now, sometimes what makes none.
"""

from collections.abc import Callable, Iterable
from functools import partial
from random import Random
from typing import Any, NamedTuple

from hanse.district.core import District
from hanse.events.market import ShopJoined
from hanse.finance.ledger import service as ledger
from hanse.finance.payments import service as payments
from hanse.finance.payments.views import Captured, captured_in
from hanse.flows.order import PlaceOrder, place
from hanse.journal.protocol import Entry
from hanse.kernel.geo import Place
from hanse.kernel.quantity import Quantity
from hanse.kernel.time import hours_of
from hanse.kernel.values import PayBy, Transfer, Wish
from hanse.market.baskets import service as baskets
from hanse.market.catalogue import service as catalogue
from hanse.market.catalogue.views import Offer, Product
from hanse.market.orders import service as orders
from hanse.people.consent import service as consent
from hanse.people.members import service as members
from hanse.supply.stock import service as stock
from hanse.world.simulation.books import Books
from hanse.world.simulation.stories import ENDS, Piece, Tale

__all__ = ["BUG", "Act", "Town"]

BUG = "planted by the simulation"
SHOPS = ("shp_mill", "shp_quay", "shp_yard")
ITEMS_EACH = 6
SCARCE = "shp_mill/1"
SHARED = ("off_shp_mill_1", "six_shp_mill_1", "off_shp_yard_0")
PEOPLE = 24
TOP_UPS, CARD = "league/top-ups", "league/card"

Command = Callable[..., object]


class Act(NamedTuple):
    """What somebody wants to do. `may_stop`: a bug that records before it raises."""

    command: Command
    arguments: tuple[Any, ...]
    may_stop: bool = False
    keyed: bool = True


class Town:
    """Draws acts; the weights say how often which."""

    def __init__(self, rng: Random, books: Books, story: Callable[[str], Iterable[Entry]]) -> None:
        self._rng = rng
        self._books = books
        self._story = story
        self._made = 0
        self._recent_parts: list[str] = []
        self._looked_at: Captured | None = None
        self._hold_names = [f"deposit_{n}" for n in range(12)]
        kinds: list[tuple[int, Callable[[], Act]]] = [
            (17, self._order),
            (62, self._move_on),
            (5, self._refund),
            (5, self._count),
            (4, self._reprice),
            (5, self._money),
            (4, self._people),
            (3, self._basket),
            (3, self._absurd),
            (1, self._shop_changes),
            (1, self._stumble),
        ]
        self._kinds = [kind for _, kind in kinds]
        self._weights = [weight for weight, _ in kinds]

    def founding(self) -> list[Act]:
        """Shops, products, offers, stock, people, money."""
        shops = [Act(catalogue.join_shop, (self._shop(shop_id),)) for shop_id in SHOPS]
        products = [_product(n, 1350) for n in range(ITEMS_EACH)]
        acts = [*shops, Act(catalogue.list_products, (products,))]
        for shop_id in SHOPS:
            acts.append(Act(catalogue.set_offers, (shop_id, self._offers(shop_id))))
            acts.append(Act(stock.count, (shop_id, [(f"{shop_id}/{n}", 1_000) for n in range(ITEMS_EACH)])))
        for number in range(PEOPLE):
            acts.append(Act(partial(members.join, locale="en"), (f"per_{number}",)))
            acts.append(Act(members.keep_address, (f"per_{number}", f"adr_{number}")))
        return acts

    def paying_in(self) -> list[Act]:
        """Everybody's first money; their wallets are opened by then."""
        wallets = [f"per_{number}/wallet" for number in range(PEOPLE)]
        return [Act(ledger.post, (w, "top_up", [Transfer(self._name("top"), TOP_UPS, w, 300_000)])) for w in wallets]

    def next(self) -> Act:
        """Somebody's next act."""
        return self._rng.choices(self._kinds, self._weights)[0]()

    # Shopping

    def _order(self) -> Act:
        rng, offers = self._rng, list(self._books.offers) or ["off_none"]
        wishes = [
            Wish(rng.choice(offers), rng.choice((1, 1, 1, 2, 2, 3, 8))) for _ in range(rng.choice((1, 1, 2, 2, 3, 5)))
        ]
        person = self._person()
        delivery = rng.random() < 0.4
        address = person.replace("per", "adr") if rng.random() < 0.97 else "adr_elsewhere"
        card = rng.random() < 0.3
        request = PlaceOrder(
            tuple(wishes),
            "delivery" if delivery else "pickup",
            address if delivery else "",
            "card" if card else "wallet",
            "tok_1" if card and rng.random() < 0.98 else "",
        )
        return Act(place, (person, request))

    def _basket(self) -> Act:
        rng, person, offers = self._rng, self._person(), list(self._books.offers) or ["off_none"]
        if rng.random() < 0.3:
            payment: PayBy = "card" if rng.random() < 0.5 else "wallet"
            return Act(partial(baskets.choose, fulfilment="delivery", address_id="adr_1", payment=payment), (person,))
        return Act(baskets.add, (person, rng.choice(offers), rng.choice((1, 2, -1, 10_000))))

    # Fulfilling

    def _move_on(self) -> Act:
        live = self._books.stories.open
        if not live:
            return self._order()
        rng = self._rng
        # The oldest are served first, mostly: so that orders come to an end.
        index = min(int(rng.expovariate(0.08)), len(live) - 1) if rng.random() < 0.8 else rng.randrange(len(live))
        tale = next(t for n, t in enumerate(live.values()) if n == index)
        going_on = [(part_id, piece) for part_id, piece in tale.pieces.items() if piece.stage not in ENDS]
        part_id, piece = rng.choice(going_on or list(tale.pieces.items()))
        if not tale.accepted and rng.random() < 0.7:
            return self._order()
        if rng.random() < 0.05:
            anything = rng.choice((orders.accept_part, orders.deliver_part, orders.hand_over_part))
            return Act(anything, (tale.order_id, part_id))
        return self._sensible(tale, part_id, piece)

    def _sensible(self, tale: Tale, part_id: str, piece: Piece) -> Act:
        rng, at = self._rng, (tale.order_id, part_id)
        ended = rng.random()
        if piece.stage in ("placed", "accepted", "picked") and ended < 0.08:
            if ended < 0.01:
                return Act(orders.cancel, (tale.order_id,))
            if ended < 0.04 or piece.stage == "picked":
                return Act(partial(orders.end_part, why="refused"), at)
            return Act(partial(orders.end_part, why="cancelled"), at)
        if piece.stage == "accepted":
            if rng.random() < 0.6:
                return Act(orders.pick_part, at)
            found = tuple(rng.randrange(line[1] + 1) for line in piece.lines)
            return Act(orders.pick_part, (*at, found))
        if piece.stage == "picked":
            return Act(orders.hand_over_part, at)
        if piece.stage == "handed_over":
            self._recent_parts = [*self._recent_parts[-40:], part_id]
            return Act(orders.deliver_part if rng.random() < 0.9 else orders.collect_part, at)
        return Act(orders.accept_part, at)

    def _refund(self) -> Act:
        rng = self._rng
        if not self._recent_parts:
            return self._move_on()
        part_id = rng.choice(self._recent_parts)
        tale = self._books.stories.part_of[part_id]
        piece = tale.pieces[part_id]
        if piece.settled is not None and rng.random() < 0.2:
            units = {item_id: n for item_id, n in piece.units(piece.picked).items() if n}
            return Act(stock.take_back, (tale.order_id, part_id, units))
        if piece.captured is None:
            return self._move_on()
        back = rng.choice((piece.goods, piece.goods // 2, piece.goods // 3, 1, piece.goods + 1, 0))
        fee = rng.choice((0, 0, piece.fee))
        if rng.random() < 0.1:
            back, fee = -5, piece.fee + 1
        part = self._looked_at
        # Now and then somebody decides by what they saw a while ago.
        if part is None or rng.random() < 0.8:
            story = self._story(tale.order_id)
            part = self._looked_at = captured_in(story, part_id, read_us=self._books.time_us)
        return Act(partial(payments.refund, goods_minor=back, fee_minor=fee, reason="late"), (part,))

    # Keeping shop

    def _count(self) -> Act:
        rng, shop_id = self._rng, self._rng.choice(SHOPS)
        if rng.random() < 0.4:
            # A few more than are held: so that there is something to sell, and never enough.
            there = self._books.shelves.held.get(SCARCE, 0) + rng.choice((3, 7, 9, 14))
            return Act(stock.count, (SHOPS[0], [(SCARCE, there)]))
        items = [f"{shop_id}/{n}" for n in rng.sample(range(ITEMS_EACH), 2)]
        rows = [(item_id, rng.choice((0, 7, *[1_000] * 16))) for item_id in items if item_id != SCARCE]
        return Act(stock.count, (shop_id, rows), keyed=rng.random() < 0.5)

    def _reprice(self) -> Act:
        rng, shop_id = self._rng, self._rng.choice(SHOPS)
        offers = self._offers(shop_id)
        # Now and then everything comes back on sale.
        changed = offers if rng.random() < 0.3 else rng.sample(offers, 2)
        if rng.random() < 0.3:
            priced = [_repriced(offer, 0) for offer in changed[:2]]
        else:
            priced = [_repriced(offer, rng.choice((1, 99, 249, 1_299, 33))) for offer in changed]
        return Act(catalogue.set_offers, (shop_id, priced), keyed=rng.random() < 0.5)

    def _shop_changes(self) -> Act:
        rng = self._rng
        if rng.random() < 0.3:
            return Act(catalogue.list_products, ([_product(rng.randrange(ITEMS_EACH), rng.choice((1350, 2550)))],))
        return Act(catalogue.join_shop, (self._shop(rng.choice(SHOPS)),))

    def _shop(self, shop_id: str) -> ShopJoined:
        rng = self._rng
        commission, fee, minutes = rng.choice((0, 333, 500, 1_250)), rng.choice((0, 290, 590)), rng.choice((5, 20))
        hours = hours_of([[[420, 1_320]]] * 6 + [[]])
        return ShopJoined(shop_id, shop_id, "grocer", "Quay 1", Place(60.17, 24.94), hours, commission, fee, minutes)

    def _offers(self, shop_id: str) -> list[Offer]:
        """Each item singly and in sixes; two of one shop's offers draw on an item of another's."""
        other = SHOPS[(SHOPS.index(shop_id) + 1) % len(SHOPS)]
        offers = []
        for n in range(ITEMS_EACH):
            price = 100 + 37 * n
            item_id = f"{shop_id}/{n}" if n else f"{other}/1"
            offers.append(Offer(f"off_{shop_id}_{n}", shop_id, f"prd_{n}", item_id, 1, price, 1350))
            offers.append(Offer(f"six_{shop_id}_{n}", shop_id, f"prd_{n}", item_id, 6, 5 * price + 3, 1350))
        return offers

    # Money

    def _money(self) -> Act:
        rng, person = self._rng, self._person()
        wallet, name = f"{person}/wallet", rng.choice(self._hold_names)
        amount = rng.choice((5_000, 20_000, 60_000, 1, 99_690_000))
        draw = rng.random()
        if draw < 0.2:
            return Act(payments.top_up, (person, amount))
        if draw < 0.5:
            moves = [Transfer(self._name("top"), TOP_UPS, wallet, amount) for _ in range(rng.choice((1, 1, 2)))]
            return Act(ledger.post, (wallet, "top_up", moves))
        hold = self._books.accounts.holds.get(name)
        if hold is None:
            until_us = self._books.time_us + rng.choice((60, 600, 7_200)) * 1_000_000
            move = Transfer(name, wallet, "shp_mill/sales", rng.choice((500, 5_000)), "hold", until_us=until_us)
        else:
            action = rng.choice(("capture", "void"))
            move = Transfer(f"{name}/{action}", hold[0], hold[1], rng.choice((hold[2], 1)), action, name)  # type: ignore[arg-type]
        return Act(ledger.post, (wallet, "deposit", [move] * rng.choice((1, 1, 1, 2))))

    # People

    def _people(self) -> Act:
        rng, person = self._rng, self._person()
        draw = rng.random()
        if draw < 0.35:
            return Act(partial(members.join, locale="de"), (person,))
        if draw < 0.6:
            return Act(members.keep_address, (person, person.replace("per", "adr")))
        if draw < 0.64:
            return Act(members.erase, (person,))
        topic = rng.choice(("", "wine", "toys"))
        return Act(
            partial(rng.choice((consent.give, consent.withdraw)), purpose="personalisation", topic=topic), (person,)
        )

    # What makes no sense

    def _absurd(self) -> Act:
        rng, huge = self._rng, 10**18
        person, shop_id = self._person(), rng.choice(SHOPS)
        units, price = rng.choice((0, huge)), rng.choice((-1, huge, 1))
        offer = Offer(f"off_{shop_id}_0", shop_id, "prd_0", f"{shop_id}/0", units, price, 0)
        item, returned = rng.choice(("none", f"{shop_id}/1")), rng.choice((0, -2))
        acts = (
            Act(place, (person, PlaceOrder((Wish("off_none", 1),)))),
            Act(place, ("per_nobody", PlaceOrder((Wish(f"off_{shop_id}_1", 1),), "delivery", "adr_1"))),
            Act(place, (person, PlaceOrder((Wish(f"off_{shop_id}_1", rng.choice((0, -3, huge))),)))),
            Act(place, (person, PlaceOrder((Wish(f"off_{shop_id}_1", 9_999),) * 3, payment="card", card_token="t"))),
            Act(stock.count, (shop_id, [(f"{shop_id}/1", rng.choice((-1, huge)))])),
            Act(catalogue.set_offers, (rng.choice((shop_id, "shp_none")), [offer])),
            Act(catalogue.set_offers, (shop_id, [_dear(shop_id), _vast(shop_id)])),
            Act(orders.pick_part, ("ord_none", "ord_none-1", (1, 2))),
            Act(orders.pick_part, (*self._some_part(), (-1, 7))),
            Act(partial(orders.end_part, why="refused"), ("ord_\u2603", "x" * 200)),
            Act(ledger.post, (person, "x", [Transfer("t", "nowhere", CARD, rng.choice((0, -5, huge, 7)))])),
            Act(ledger.post, (person, "x", [Transfer("t", TOP_UPS, TOP_UPS, 5)])),
            Act(ledger.post, (person, "x", [Transfer("t", TOP_UPS, CARD, 5, hold_id="deposit_1")])),
            Act(stock.take_back, ("ord_none", "ord_none-1", {item: returned})),
            Act(partial(payments.refund, goods_minor=-5, fee_minor=huge, reason="other"), (_long_ago(),)),
            Act(partial(consent.give, purpose="spying"), (person,)),
        )
        return rng.choice(acts)

    def _stumble(self) -> Act:
        rng = self._rng
        if rng.random() < 0.85:
            return Act(stumble_before, (self._made,))
        return Act(stumble_after, (rng.choice(SHOPS), f"{rng.choice(SHOPS)}/1"), may_stop=True)

    def _some_part(self) -> tuple[str, str]:
        for tale in self._books.stories.open.values():
            return tale.order_id, next(iter(tale.pieces))
        return "ord_none", "ord_none-1"

    def _person(self) -> str:
        return f"per_{self._rng.randrange(PEOPLE)}"

    def _name(self, prefix: str) -> str:
        self._made += 1
        return f"{prefix}_{self._made}"


def stumble_before(district: District, number: int) -> None:
    """A bug before the first record: harms nobody."""
    raise RuntimeError(f"{BUG} {number}")


def stumble_after(district: District, shop_id: str, item_id: str) -> None:
    """A bug after a record: the writer has to stop and replay."""
    stock.count(district, shop_id, [(item_id, 7)])
    stock.count(district, shop_id, [(item_id, 8)])
    raise RuntimeError(BUG)


def _product(number: int, vat_bp: int) -> Product:
    name = f"Tea {number}"
    return Product(f"prd_{number}", f"{number:013d}", name, name, "Kogge", Quantity(100, "g"), "tea", "tea", vat_bp, ())


def _long_ago() -> Captured:
    return Captured("ord_1", "ord_1-1", "per_1/wallet", "shp_mill/sales", 500, 0, settled_us=1, read_us=1)


def _dear(shop_id: str) -> Offer:
    """At the highest price there is."""
    return Offer(f"off_{shop_id}_dear", shop_id, "prd_5", f"{shop_id}/5", 1, 10**15, 1350)


def _vast(shop_id: str) -> Offer:
    """One piece takes more units than anybody has."""
    return Offer(f"off_{shop_id}_vast", shop_id, "prd_4", f"{shop_id}/4", 10**9, 100, 1350)


def _repriced(offer: Offer, price_minor: int) -> Offer:
    return Offer(offer.offer_id, offer.shop_id, offer.product_id, offer.item_id, offer.units, price_minor, offer.vat_bp)
