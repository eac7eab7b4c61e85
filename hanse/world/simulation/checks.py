"""Comparing what the views say with the auditor's books, and a replay with the living state."""

from collections.abc import Callable, Iterable

import msgspec

from hanse.district.core import District
from hanse.district.own import Consents
from hanse.finance.ledger.views import Ledger
from hanse.finance.payments.views import Payments
from hanse.journal.check import verify
from hanse.journal.protocol import Journal
from hanse.market.catalogue.views import Catalogue
from hanse.market.orders.views import Orders
from hanse.people.members.views import Members
from hanse.supply.stock.views import Stock
from hanse.world.simulation.books import Books
from hanse.world.simulation.report import Broken
from hanse.world.simulation.stories import Tale

__all__ = ["check_all", "check_journal", "check_overdue", "check_same", "check_touched"]


def check_touched(district: District, books: Books) -> None:
    """What the last commits touched is the same in the views; steps that are done have done their work."""
    _items(district, books, books.shelves.touched)
    _accounts(district, books, books.accounts.touched)
    _orders(district, books, books.stories.touched)
    books.shelves.touched.clear()
    books.accounts.touched.clear()
    books.stories.touched.clear()
    if books.position != district.position:
        raise Broken(f"the district is at position {district.position}, the journal at {books.position}")
    if books.stories.owed and not district.steps_owed:
        (what, which), story = next(iter(books.stories.owed.items()))
        raise Broken(f"nothing is owed any more, but {what} of {which} never happened", story)


def check_all(district: District, books: Books) -> None:
    """Everything that the views say, against the books."""
    check_touched(district, books)
    _items(district, books, books.shelves.on_hand)
    _accounts(district, books, books.accounts.purses)
    _orders(district, books, books.stories.open)
    stock, ledger, orders = district.view(Stock), district.view(Ledger), district.view(Orders)
    _equal("items", stock.items.keys(), books.shelves.on_hand.keys())
    _equal("stock holds", stock.holds.keys(), books.shelves.holds.keys())
    held = dict.fromkeys(books.shelves.held, 0)
    for part_id, units in books.shelves.holds.items():
        if books.stories.part_of[part_id].closed:
            raise Broken(f"{part_id} holds stock after its order was closed", books.stories.part_of[part_id].order_id)
        for item_id, count in units.items():
            held[item_id] += count
    _equal("held units", held, books.shelves.held)
    _equal("money holds", ledger.holds.keys(), books.accounts.holds.keys())
    _equal("open orders", orders.open.keys(), books.stories.open.keys())
    _equal("members", district.view(Members).by_id.keys(), books.members.keys())
    _offers(district, books)
    _money(district, books)


def check_overdue(district: District, books: Books) -> None:
    """Nothing whose time is over is left as it was (a turn may leave some of very many to the next)."""
    late = [
        tale.order_id
        for tale in books.stories.open.values()
        if _overdue(tale, district.now_us) and ("close", tale.order_id) not in books.stories.owed
    ]
    late += [name for name, hold in books.accounts.holds.items() if 0 < hold[3] <= district.now_us]
    if late:
        raise Broken(f"{len(late)} deadlines have passed unnoticed", late[0])


def check_same(live: District, replayed: District, what: str) -> None:
    """Two districts are the same in every field of every view, and owe the same steps."""
    replayed_views = replayed.views()
    for name, view in live.views().items():
        other = replayed_views[name]
        # Sets have no order, so only the view that holds some is compared by value alone.
        same = view == other and (isinstance(view, Consents) or _bytes(view) == _bytes(other))
        if not same:
            raise Broken(f"{what} gives another {name}: {_difference(view, other)}")
    # It may owe more: steps that ran and recorded nothing are not committed, and run again after a restart.
    _equal(f"steps lost after {what}", max(live.steps_owed - replayed.steps_owed, 0), 0)
    _equal(f"now after {what}", replayed.now_us <= live.now_us, True)


def check_journal(journal: Journal) -> str:
    """The chain closes; returns its end."""
    verdict = verify(journal)
    if verdict.fault:
        raise Broken(f"the journal does not verify: {verdict.fault}")
    return verdict.hash


def _items(district: District, books: Books, item_ids: Iterable[str]) -> None:
    items = district.view(Stock).items
    for item_id in item_ids:
        item = items[item_id]
        mine = books.shelves.on_hand[item_id], books.shelves.held[item_id]
        if (item.on_hand, item.held) != mine:
            raise Broken(f"the view has {item} of {item_id}, the journal adds up to {mine}")


def _accounts(district: District, books: Books, account_ids: Iterable[str]) -> None:
    accounts = district.view(Ledger).accounts
    for account_id in account_ids:
        mine, its = books.accounts.purses[account_id], accounts[account_id]
        if (its.balance_minor, its.held_minor, its.incoming_minor) != (mine.balance, mine.held, mine.incoming):
            raise Broken(
                f"the view has {its.balance_minor}, {its.held_minor} held, {its.incoming_minor} coming in {account_id};"
                f" the journal adds up to {mine.balance}, {mine.held}, {mine.incoming}",
                account_id,
            )


def _orders(district: District, books: Books, order_ids: Iterable[str]) -> None:
    opened = district.view(Orders).open
    for order_id in order_ids:
        tale, its = books.stories.all[order_id], opened.get(order_id)
        if its is None or tale.closed:
            _equal(f"the end of {order_id}", its is None, bool(tale.closed))
            continue
        mine = [(p.stage, p.goods, p.commission, tuple(p.picked)) for p in tale.pieces.values()]
        said = [(s.stage, s.goods_minor, s.commission_minor, tuple(s.quantities)) for s in its.parts.values()]
        if mine != said or tale.accepted != its.accepted:
            raise Broken(f"the view says {said}, the journal {mine}", order_id)


def _offers(district: District, books: Books) -> None:
    catalogue = district.view(Catalogue)
    said = {
        o.offer_id: {
            "shop_id": o.shop_id,
            "product_id": o.product_id,
            "item_id": o.item_id,
            "units": o.units,
            "price_minor": o.price_minor,
        }
        for o in catalogue.offers.values()
    }
    _equal("offers", said, books.offers)
    by_product = {o for offers in catalogue.by_product.values() for o in offers}
    by_shop = {o for offers in catalogue.by_shop.values() for o in offers}
    _equal("offers by product", by_product, books.offers.keys())
    _equal("offers by shop", by_shop, books.offers.keys())
    for offer in catalogue.offers.values():
        _equal(f"VAT of {offer.offer_id}", offer.vat_bp, books.products[offer.product_id])


def _money(district: District, books: Books) -> None:
    sums: dict[str, int] = {}
    for account in district.view(Ledger).accounts.values():
        sums[account.currency] = sums.get(account.currency, 0) + account.balance_minor
    if any(sums.values()):
        raise Broken(f"the ledger does not sum to zero: {sums}")
    awaited = {body["order_id"] for _, body in books.asked.values()}
    for part_id, captured in district.view(Payments).captured.items():
        piece = books.stories.part_of[part_id].pieces[part_id]
        said = captured.goods_minor, captured.fee_minor
        _equal(f"what was captured of {part_id}", said, piece.captured)
    for tale in books.stories.all.values():
        if tale.by_card and tale.closed and tale.order_id not in awaited:
            _card(tale)


def _card(tale: Tale) -> None:
    """What the card was charged, less what it got back, is what was captured, less what was refunded."""
    taken = sum(sum(p.captured) for p in tale.pieces.values() if p.captured)
    back = sum(p.back[0] + p.back[1] for p in tale.pieces.values())
    if tale.charged - tale.charge_returned != taken - back:
        raise Broken(
            f"the card was charged {tale.charged} and got {tale.charge_returned} back;"
            f" {taken} was captured and {back} refunded",
            tale.order_id,
        )


def _overdue(tale: Tale, now_us: int) -> bool:
    if not tale.accepted:
        return tale.by_card and tale.expires_us <= now_us and not tale.expired
    return tale.answer_by_us <= now_us and any(p.stage == "placed" for p in tale.pieces.values())


def _equal(what: str, said: object, mine: object) -> None:
    if said != mine:
        raise Broken(f"{what}: {said!r:.300} is not {mine!r:.300}")


_bytes: Callable[[object], bytes] = msgspec.json.Encoder().encode


def _difference(view: msgspec.Struct, other: msgspec.Struct) -> str:
    for field in view.__struct_fields__:
        mine, its = getattr(view, field), getattr(other, field)
        if mine != its or _bytes(mine) != _bytes(its):
            return f"{field} {_first_difference(mine, its)}"
    return "order of fields"


def _first_difference(mine: object, its: object) -> str:
    if isinstance(mine, dict) and isinstance(its, dict):
        for key in [*mine, *its]:
            if mine.get(key) != its.get(key):
                return f"{key}: {mine.get(key)!r:.200} and {its.get(key)!r:.200}"
        return "in another order"
    return f"{mine!r:.200} and {its!r:.200}"
