"""Every event in a sentence: for the story of an order, the stream of the league, the shopper's timeline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from hanse.app.i18n import N_
from hanse.app.pages.visit import Visit
from hanse.app.pages.wording import AWAY_REFUSALS, AWAY_STAGES
from hanse.events import district as own
from hanse.events import finance, learning, market, people, supply
from hanse.events.dictionary import Event, decode
from hanse.journal.protocol import Entry
from hanse.market.catalogue.views import Catalogue
from hanse.market.orders.views import Orders

__all__ = ["Saying", "shop_name", "tell", "tell_event"]


class Saying(msgspec.Struct, frozen=True):
    """An event in words: its icon, what happened, and a remark."""

    icon: str
    what: str
    note: str = ""
    failed: bool = False


Shops = dict[str, str]
"""Names of shops by the part that is theirs."""

Teller = Callable[[Visit, Any, Shops], Saying]


def tell(visit: Visit, entry: Entry, shops: Shops | None = None) -> Saying:
    """An entry in words. `shops` names the shop of each part where the order is closed already."""
    event = decode(entry.name, entry.version, entry.body)
    if event is None:
        return Saying("circle", entry.name)
    return tell_event(visit, event, shops)


def tell_event(visit: Visit, event: Event, shops: Shops | None = None) -> Saying:
    """An event in words."""
    teller = _TELLERS.get(type(event))
    if teller is not None:
        return teller(visit, event, shops or {})
    icon, text, failed = _PLAIN.get(type(event), ("circle", "", False))
    part_id = getattr(event, "part_id", "")
    shop = _shop(visit, getattr(event, "order_id", ""), part_id, shops or {})
    said = visit.say(text, shop=shop) if text else type(event).__name__
    return Saying(icon, said, "", failed)


def shop_name(visit: Visit, shop_id: str) -> str:
    """A shop's name; «a shop» for one that is not known any more."""
    shop = visit.district.view(Catalogue).shops.get(shop_id)
    return shop.name if shop else visit.say("A shop")


def _shop(visit: Visit, order_id: str, part_id: str, shops: Shops) -> str:
    """The name of the shop that a part is the work of."""
    found = visit.district.view(Orders).open.get(order_id)
    state = found.parts.get(part_id) if found else None
    if state is not None:
        return shop_name(visit, state.part.shop_id)
    return shops.get(part_id) or visit.shops_of(order_id).get(part_id) or visit.say("The shop")


def _placed(visit: Visit, event: market.OrderPlaced, shops: Shops) -> Saying:
    lines = sum(len(part.lines) for part in event.parts)
    names = " + ".join(shop_name(visit, part.shop_id) for part in event.parts)
    count = visit.say_many("%(num)s line", "%(num)s lines", lines)
    said = N_("Order placed, its money set aside") if event.transfers else N_("Order placed")
    return Saying("receipt-text", visit.say(said), f"{names} · {count} · {visit.money(event.total_minor)}")


def _picked(visit: Visit, event: market.PartPicked, shops: Shops) -> Saying:
    pieces = visit.say_many("%(num)s piece", "%(num)s pieces", sum(event.quantities))
    sum_minor = visit.money(event.goods_minor + event.fee_minor)
    shop = _shop(visit, event.order_id, event.part_id, shops)
    return Saying("package", visit.say("%(shop)s has packed it", shop=shop), f"{pieces} · {sum_minor}")


END_REASONS: dict[str, str] = {
    "sold_out": N_("Sold in the shop a minute ago"),
    "quality": N_("Not good enough to sell today"),
    "closing": N_("The shop has to close early"),
    "too_busy": N_("Too much to do"),
    "changed_mind": N_("Not wanted any more"),
}


def reason_said(visit: Visit, reason: str) -> str:
    """Why a part ended, in words; empty if nobody said."""
    return visit.say(END_REASONS[reason]) if reason in END_REASONS else ""


def _ended(visit: Visit, event: market.PartEnded, shops: Shops) -> Saying:
    shop = _shop(visit, event.order_id, event.part_id, shops)
    said = {
        "refused": N_("%(shop)s could not take it on"),
        "cancelled": N_("Cancelled by the shopper"),
        "unanswered": N_("%(shop)s did not answer in time"),
        "unpaid": N_("Not paid in time"),
    }[event.why]
    return Saying("x", visit.say(said, shop=shop), reason_said(visit, event.reason), failed=event.why != "cancelled")


def _closed(visit: Visit, event: market.OrderClosed, shops: Shops) -> Saying:
    said = {
        "fulfilled": N_("Order closed: everything arrived"),
        "partly": N_("Order closed: a part of it arrived"),
        "unfulfilled": N_("Order closed: nothing of it was fulfilled"),
    }[event.outcome]
    return Saying("badge-check", visit.say(said), failed=event.outcome == "unfulfilled")


def _money_moved(icon: str, text: str) -> Teller:
    def say(visit: Visit, event: Any, shops: Shops) -> Saying:
        moved = [t.amount_minor for t in event.transfers if t.action != "void"]
        freed = [t.amount_minor for t in event.transfers if t.action == "void"]
        amount = sum(moved) or sum(freed)
        return Saying(icon, visit.say(text), visit.money(amount) if amount else "")

    return say


_POSTED: dict[str, str] = {
    "top_up": N_("A wallet was topped up"),
    "settlement": N_("A debt between districts was paid"),
}


def _posted(visit: Visit, event: finance.TransfersPosted, shops: Shops) -> Saying:
    said = visit.say(_POSTED.get(event.purpose, N_("Money was moved")))
    return Saying("wallet", said, visit.money(sum(t.amount_minor for t in event.transfers)))


def _goods(icon: str, text: str, field: str) -> Teller:
    def say(visit: Visit, event: Any, shops: Shops) -> Saying:
        units = getattr(event, field, {})
        return Saying(icon, visit.say(text), visit.say_many("%(num)s unit", "%(num)s units", sum(units.values())))

    return say


def _of_shop(icon: str, text: str, field: str) -> Teller:
    def say(visit: Visit, event: Any, shops: Shops) -> Saying:
        rows = visit.say_many("%(num)s row", "%(num)s rows", len(getattr(event, field)))
        return Saying(icon, visit.say(text, shop=shop_name(visit, event.shop_id)), rows)

    return say


def _joined(visit: Visit, event: market.ShopJoined, shops: Shops) -> Saying:
    return Saying("store", visit.say("%(shop)s is a shop of the league", shop=event.name), event.street)


def _listed(visit: Visit, event: market.ProductsListed, shops: Shops) -> Saying:
    rows = visit.say_many("%(num)s product", "%(num)s products", len(event.product_ids))
    return Saying("layers", visit.say("Products listed"), rows)


def _card(icon: str, text: str) -> Teller:
    return lambda visit, event, shops: Saying(icon, visit.say(text), visit.money(event.amount_minor))


def _declined(visit: Visit, event: finance.CardPaymentDeclined, shops: Shops) -> Saying:
    return Saying("circle-x", visit.say("The card was declined"), event.reason, failed=True)


def _decided(visit: Visit, event: learning.DecisionMade, shops: Shops) -> Saying:
    return Saying("sparkles", visit.say("%(capability)s chose", capability=event.capability), event.action)


def _trouble(text: str, field: str) -> Teller:
    return lambda visit, event, shops: Saying("triangle-alert", visit.say(text), getattr(event, field), failed=True)


def _away(text: str) -> Teller:
    return lambda visit, event, shops: Saying(
        "receipt-text", visit.say(text), f"{event.neighbour} · {visit.money(event.total_minor)}"
    )


def _away_taken(visit: Visit, event: market.AwayOrderTaken, shops: Shops) -> Saying:
    return Saying("check", visit.say("The neighbour took it on"), " + ".join(part.shop_name for part in event.parts))


def _away_refused(visit: Visit, event: market.AwayOrderRefused, shops: Shops) -> Saying:
    return Saying("circle-x", visit.say("The neighbour refused it"), visit.say(AWAY_REFUSALS[event.why]), failed=True)


def _away_moved(visit: Visit, event: market.AwayPartMoved, shops: Shops) -> Saying:
    failed = event.stage in ("refused", "cancelled", "expired")
    return Saying(
        "package-check", visit.say("At the neighbour: %(stage)s", stage=visit.say(AWAY_STAGES[event.stage])), "", failed
    )


def _neighbour(icon: str, text: str) -> Teller:
    return lambda visit, event, shops: Saying(
        icon, visit.say(text), f"{event.neighbour} {getattr(event, 'kind', '')}".strip()
    )


_TELLERS: dict[type[Event], Teller] = {
    market.OrderPlaced: _placed,
    market.PartPicked: _picked,
    market.PartEnded: _ended,
    market.OrderClosed: _closed,
    market.ShopJoined: _joined,
    market.ProductsListed: _listed,
    market.OffersSet: _of_shop("tag", N_("%(shop)s set prices"), "offer_ids"),
    supply.StockCounted: _of_shop("list-checks", N_("%(shop)s counted goods"), "item_ids"),
    supply.StockIssued: _goods("package-open", N_("Goods left the shelf"), "sold"),
    supply.StockReturned: _goods("undo-2", N_("Goods came back"), "units"),
    supply.StockShort: _goods("search-x", N_("Somebody wanted more than there was"), "missing"),
    finance.PaymentHeld: _money_moved("lock", N_("The card was charged: the league stands for the order")),
    finance.PaymentCaptured: _money_moved("banknote", N_("Money taken")),
    finance.PaymentReleased: _money_moved("undo-2", N_("Money is the shopper's again")),
    finance.PaymentSettled: _money_moved("percent", N_("Commission taken by the league")),
    finance.PaymentRefunded: _money_moved("undo-2", N_("Money given back")),
    finance.TransfersPosted: _posted,
    finance.CardPaymentAsked: _card("credit-card", N_("The card provider is asked")),
    finance.CardRefundAsked: _card("credit-card", N_("The card provider is to give money back")),
    finance.CardPaymentDeclined: _declined,
    learning.DecisionMade: _decided,
    own.StepFailed: _trouble(N_("A step failed and was passed over"), "error"),
    own.CommandStopped: _trouble(N_("A command stopped the writer"), "error"),
    own.EffectFailed: _trouble(N_("The world outside did not answer"), "error"),
    market.AwayOrderAsked: _away(N_("A neighbour's shops were asked")),
    market.AwayOrderTaken: _away_taken,
    market.AwayOrderRefused: _away_refused,
    market.AwayPartMoved: _away_moved,
    own.ChannelParked: _trouble(N_("A neighbour is not understood"), "error"),
    own.NeighbourDeclared: _neighbour("route", N_("A neighbour was declared")),
    own.MessageSent: _neighbour("arrow-right", N_("A message to a neighbour")),
    own.MessageReceived: _neighbour("arrow-left", N_("A message from a neighbour")),
    own.MessagesAcknowledged: _neighbour("check", N_("A neighbour has our messages")),
}

_PLAIN: dict[type[Event], tuple[str, str, bool]] = {
    market.BasketChanged: ("shopping-basket", N_("A basket was changed"), False),
    market.OrderExpired: ("timer", N_("Nobody paid in time"), True),
    market.PartAccepted: ("check", N_("%(shop)s takes it on"), False),
    market.PartHandedOver: ("package-check", N_("%(shop)s hands it over"), False),
    market.PartDelivered: ("truck", N_("%(shop)s has delivered it"), False),
    market.PartCollected: ("shopping-bag", N_("Collected at %(shop)s"), False),
    market.PartSettled: ("badge-check", N_("%(shop)s has its money"), False),
    supply.StockReleased: ("undo-2", N_("Goods are free again"), False),
    finance.AccountOpened: ("wallet", N_("An account was opened"), False),
    finance.HoldsExpired: ("timer", N_("Money set aside was freed"), False),
    people.MemberJoined: ("user", N_("Somebody became a member"), False),
    people.MemberErased: ("user", N_("A member was erased"), False),
    people.AddressKept: ("house", N_("A member keeps an address"), False),
    people.ConsentGiven: ("shield-check", N_("A member gave consent"), False),
    people.ConsentWithdrawn: ("shield-check", N_("A member withdrew consent"), False),
    market.AwayCancelAsked: ("undo-2", N_("The neighbour is asked to take it back"), False),
    market.AwayCancelRefused: ("circle-alert", N_("Too late to take it back"), True),
    market.AwayOrderClosed: ("badge-check", N_("The neighbour is done with it"), False),
    own.DistrictDeployed: ("zap", N_("The district started with new steps"), False),
    own.TroubleSettled: ("check", N_("A person saw to a trouble"), False),
    own.EffectAnswered: ("check", N_("The world outside answered"), False),
    learning.OutcomeObserved: ("eye", N_("What came of a decision"), False),
}
