"""An order for goods of another district: one order under one id, told by messages between two journals.

The shopper's district sets the money aside and asks; the shops' district places an order as any other, paid from
the account of its neighbour. From then on that district alone decides, and tells. So whatever races (a cancellation
with an acceptance, a deadline with a late message), one side decides and both agree in the end. Each side's work
is one commit; between them the two clearing accounts differ by exactly what is on its way.

In the shopper's district (`declare`, `ask` and `ask_cancel` are its commands):

======================================  =================  ==================================
when                                    do                 records
======================================  =================  ==================================
order.taken                             note_taken         market.away_order_taken
order.refused                           note_refused       finance.transfers_posted
order.refused                           note_refused       market.away_order_refused
order.cancel_refused                    note_kept          market.away_cancel_refused
order.part_moved                        follow             finance.transfers_posted
order.part_moved                        follow             market.away_part_moved
order.part_moved                        follow             market.away_order_closed
======================================  =================  ==================================

In the shops' district, where `flows.order` tells the rest:

======================================  =================  ==================================
when                                    do                 records
======================================  =================  ==================================
order.asked                             serve              market.order_placed
order.asked                             serve              supply.stock_short
order.asked                             serve              district.message_sent
order.cancel_asked                      call_off           market.part_ended
order.cancel_asked                      call_off           district.message_sent
market.part_accepted                    tell_accepted      district.message_sent
market.part_picked                      tell_picked        district.message_sent
finance.payment_captured                tell_collected     district.message_sent
market.part_settled                     tell_settled       district.message_sent
market.part_ended                       tell_ended         district.message_sent
finance.payment_refunded                tell_refunded      district.message_sent
======================================  =================  ==================================

Goods are collected at the shop: an address would have to travel, and none does. The shopper's money stays aside
until the neighbour has answered, however long that takes; what it hears of too late it does not place.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import msgspec

from hanse.district import messages
from hanse.district.core import District
from hanse.district.messages import channel_to, send
from hanse.district.neighbours import Message, Neighbours
from hanse.district.reactions import Deadline, Hearer, Step
from hanse.events.dictionary import Event
from hanse.events.finance import PaymentCaptured, PaymentRefunded
from hanse.events.market import AwayOrderAsked, AwayPartMoved, PartAccepted, PartEnded, PartPicked, PartSettled
from hanse.finance.clearing import service as clearing
from hanse.finance.clearing.views import clearing_of, owed_by_us, owed_to_us
from hanse.finance.ledger.views import shortfall
from hanse.finance.payments import service as payments
from hanse.finance.payments.views import wallet_of
from hanse.kernel.errors import Conflict, LimitExceeded, must
from hanse.kernel.ids import ID_LENGTH_MAX, tag_of
from hanse.kernel.money import AMOUNT_MAX_MINOR
from hanse.kernel.time import MINUTE_US
from hanse.kernel.values import AwayPart, EndReason, Part, SeenWish, Wish
from hanse.market.away import service as away
from hanse.market.away.service import AwayStage, Refusal
from hanse.market.away.views import Away, AwayOrder, away_order
from hanse.market.catalogue.views import Catalogue
from hanse.market.orders import service as orders
from hanse.market.orders.views import END_STAGES, Orders
from hanse.supply.stock import service as stock
from hanse.supply.stock.views import missing, missing_by_offer

__all__ = [
    "DEADLINES",
    "EFFECTS",
    "MESSAGES",
    "STEPS",
    "AskAnswer",
    "AskNeighbour",
    "CancelAsked",
    "CancelRefused",
    "OrderAsked",
    "OrderRefused",
    "OrderTaken",
    "PartMoved",
    "ask",
    "ask_cancel",
    "declare",
]

ENDED_UNPAID = ("refused", "cancelled", "expired")

ANSWER_WITHIN_US = 15 * MINUTE_US
"""A neighbour that hears of an order later does not place it: the shopper has gone elsewhere."""

Lines = Annotated[tuple[SeenWish, ...], msgspec.Meta(min_length=1, max_length=orders.LINES_MAX)]


class AskNeighbour(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a shopper wants of a neighbour's shops, paid from the wallet, collected there.

    `group_id` names an order of the same shopper that belongs to it; each is decided for itself.
    """

    lines: Lines
    group_id: Annotated[str, msgspec.Meta(max_length=ID_LENGTH_MAX)] = ""


class AskAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of asking; what the neighbour makes of it shows at the order."""

    result: Literal["asked", "funds_short"]
    order_id: str = ""
    group_id: str = ""
    total_minor: int = 0
    currency: str = ""
    short_minor: int = 0


# What is told from the shopper's district to the shops'


class OrderAsked(Message, frozen=True, tag="order.asked"):
    """Place this order at these prices, or say why not; not behind `until_us`."""

    order_id: str
    currency: str
    lines: Lines
    until_us: int


class CancelAsked(Message, frozen=True, tag="order.cancel_asked"):
    """Take back what can be taken back."""

    order_id: str


# What is told back


class OrderTaken(Message, frozen=True, tag="order.taken"):
    """It is placed: these shops have it."""

    order_id: str
    parts: tuple[AwayPart, ...]


class OrderRefused(Message, frozen=True, tag="order.refused"):
    """It is not placed; what `offers` says, see `AwayOrderRefused`."""

    order_id: str
    why: Refusal
    offers: dict[str, int] = {}


class CancelRefused(Message, frozen=True, tag="order.cancel_refused"):
    """Nothing of it can be taken back any more."""

    order_id: str


class PartMoved(Message, frozen=True, tag="order.part_moved"):
    """How a part stands now. No `goods_minor`: they come to what they did. `back_minor` goes back, once."""

    order_id: str
    part_id: str
    stage: AwayStage
    goods_minor: int | None = None
    back_minor: int = 0
    reason: EndReason = ""


# In the shopper's district


def declare(district: District, limits_minor: Mapping[str, int]) -> None:
    """Say who the neighbours are and how much one of a pair may owe the other; there is an account for each."""
    messages.declare(district, limits_minor)
    # At once and not in a step: the first message may come in this very turn.
    for neighbour in limits_minor:
        clearing.open_clearing(district, neighbour)


def ask(district: District, shopper_id: str, neighbour: str, request: AskNeighbour) -> AskAnswer:
    """Ask a neighbour for an order: the money is set aside, and the message is on its way with it.

    Raises
    ------
    NotFound
        There is no such neighbour.
    LimitExceeded
        Too much waits for the neighbour, or we would owe it too much.
    """
    limit_minor = channel_to(district, neighbour).limit_minor
    by_shop: dict[str, int] = {}
    for line in request.lines:
        by_shop[line.shop_id] = by_shop.get(line.shop_id, 0) + line.price_minor * line.quantity
    total_minor = sum(by_shop.values())
    must(total_minor <= AMOUNT_MAX_MINOR, "finance.total_too_large", "Order less at once.", field="lines")
    must(
        len({line.offer_id for line in request.lines}) == len(request.lines),
        "market.offer_twice",
        "Name each offer once.",
        field="lines",
    )
    must(
        not request.group_id or _is_of(district, request.group_id, shopper_id),
        "market.unknown_group",
        "Name one of your own latest orders.",
        field="group_id",
    )
    if owed_by_us(district, neighbour) + total_minor > limit_minor:
        raise LimitExceeded(
            "finance.clearing_limit", "We owe this neighbour as much as was agreed; order there another day."
        )
    order_id = district.next_id("ord")
    holds = clearing.holds_for(order_id, neighbour, wallet_of(shopper_id), by_shop)
    short_minor = shortfall(district, holds)
    if short_minor:
        return AskAnswer("funds_short", currency=district.currency, short_minor=short_minor)

    group_id, until_us = request.group_id or order_id, district.now_us + ANSWER_WITHIN_US
    away.ask(
        district,
        AwayOrderAsked(
            order_id, group_id, shopper_id, neighbour, district.currency, total_minor, request.lines, until_us
        ),
    )
    clearing.hold(district, order_id, holds)
    send(district, neighbour, OrderAsked(order_id, district.currency, request.lines, until_us), story=order_id)
    return AskAnswer("asked", order_id, group_id, total_minor, district.currency)


def ask_cancel(district: District, order_id: str) -> None:
    """Ask the neighbour to take an order back; it decides whether that is too late."""
    neighbour = away_order(district, order_id).asked.neighbour
    away.ask_cancel(district, order_id)
    send(district, neighbour, CancelAsked(order_id), story=order_id)


def note_taken(district: District, sender: str, taken: OrderTaken) -> None:
    """The shopper sees who works on it, and until when."""
    _asked_of(district, sender, taken.order_id)
    away.take(district, taken.order_id, taken.parts)


def note_refused(district: District, sender: str, refused: OrderRefused) -> None:
    """The shopper has the money again, and sees why."""
    order = _asked_of(district, sender, refused.order_id)
    for shop_id in dict.fromkeys(line.shop_id for line in order.asked.lines):
        clearing.free(district, refused.order_id, shop_id)
    away.refuse(district, refused.order_id, refused.why, refused.offers)


def note_kept(district: District, sender: str, kept: CancelRefused) -> None:
    """The shopper sees that it was too late."""
    _asked_of(district, sender, kept.order_id)
    away.refuse_cancel(district, kept.order_id)


def follow(district: District, sender: str, moved: PartMoved) -> None:
    """The shopper sees where the part stands; the money follows what the neighbour took, or gave back."""
    order_id = moved.order_id
    if moved.back_minor and district.view(Away).find(order_id) is None:
        # So late that nobody here remembers: the money is kept until a person finds out whose it is.
        _give_back(district, sender, moved, shop_id="", payer="", before_minor=0)
        return
    order = _asked_of(district, sender, order_id)
    state = order.parts[moved.part_id]
    shop_id = state.part.shop_id
    goods_minor = state.goods_minor if moved.goods_minor is None else moved.goods_minor
    if moved.stage == "collected":
        clearing.take(district, order_id, shop_id, goods_minor)
    elif moved.stage in ENDED_UNPAID:
        clearing.free(district, order_id, shop_id)
    elif moved.back_minor:
        payer = wallet_of(order.asked.shopper_id)
        _give_back(district, sender, moved, shop_id=shop_id, payer=payer, before_minor=state.refunded_minor)
    refunded_minor = state.refunded_minor + moved.back_minor
    away.move(district, AwayPartMoved(order_id, moved.part_id, moved.stage, goods_minor, refunded_minor, moved.reason))


def _give_back(
    district: District, sender: str, moved: PartMoved, *, shop_id: str, payer: str, before_minor: int
) -> None:
    clearing.give_back(
        district,
        moved.order_id,
        shop_id,
        neighbour=sender,
        payer=payer,
        amount_minor=moved.back_minor,
        before_minor=before_minor,
    )


def _is_of(district: District, order_id: str, shopper_id: str) -> bool:
    return any(order_id in view.by_shopper.get(shopper_id, ()) for view in (district.view(Orders), district.view(Away)))


def _asked_of(district: District, sender: str, order_id: str) -> AwayOrder:
    """An order, if it was asked of this neighbour: nobody speaks for another."""
    order = away_order(district, order_id)
    if order.asked.neighbour != sender:
        raise Conflict("market.other_neighbour", "This order was asked of another neighbour.", order_id=order_id)
    return order


# In the shops' district


def serve(district: District, sender: str, asked: OrderAsked) -> None:
    """Place a neighbour's order as any other, or say why not: first all questions, then all records."""
    if tag_of(asked.order_id) != sender or asked.order_id in district.view(Orders).open:
        raise Conflict("market.other_order", "This id was not made there, or is in use.", order_id=asked.order_id)
    parts = _drafted(district, asked)
    changed = _changes(asked, parts)
    short = missing(district, parts)
    total_minor = sum(part.goods_minor for part in parts)
    limit_minor = district.view(Neighbours).channels[sender].limit_minor
    why: Refusal | None = None
    if asked.currency != district.currency:
        why = "currency"
    elif asked.until_us < district.now_us:
        why = "late"
    elif changed:
        why = "changed"
    elif short:
        stock.note_short(district, _guest_of(sender), short)
        changed, why = missing_by_offer(parts, short), "sold_out"
    elif owed_to_us(district, sender) + total_minor > limit_minor:
        why = "limit"
    if why is not None:
        send(district, sender, OrderRefused(asked.order_id, why, changed), story=asked.order_id)
        return

    orders.place(
        district,
        asked.order_id,
        parts,
        shopper_id=_guest_of(sender),
        fulfilment="pickup",
        address_id="",
        # The neighbour pays from its account here, as a member does from a wallet.
        payment="wallet",
        total_minor=total_minor,
        holds=payments.holds_for(clearing_of(sender), parts),
    )
    shops = district.view(Catalogue).shops
    promises = tuple(AwayPart(p.part_id, p.shop_id, shops[p.shop_id].name, p.goods_minor, p.promised_us) for p in parts)
    send(district, sender, OrderTaken(asked.order_id, promises), story=asked.order_id)


def call_off(district: District, sender: str, asked: CancelAsked) -> None:
    """Take back what nobody has picked, or say that it is too late."""
    must(tag_of(asked.order_id) == sender, "market.other_order", "This id was not made there.", field="order_id")
    placed = district.view(Orders).open.get(asked.order_id)
    if placed is not None and any(state.stage in ("placed", "accepted") for state in placed.parts.values()):
        orders.cancel(district, asked.order_id)
    else:
        send(district, sender, CancelRefused(asked.order_id), story=asked.order_id)


def tell_accepted(district: District, accepted: PartAccepted) -> None:
    """The shopper sees that the shop has taken it on."""
    _tell(district, PartMoved(accepted.order_id, accepted.part_id, "accepted"))


def tell_picked(district: District, picked: PartPicked) -> None:
    """The shopper sees that it lies ready, and what it comes to."""
    _tell(district, PartMoved(picked.order_id, picked.part_id, "picked", picked.goods_minor))


def tell_collected(district: District, captured: PaymentCaptured) -> None:
    """The neighbour owes us what was taken from its account; the shopper pays it there."""
    taken_minor = sum(t.amount_minor for t in captured.transfers if t.action == "capture")
    _tell(district, PartMoved(captured.order_id, captured.part_id, "collected", taken_minor))


def tell_settled(district: District, settled: PartSettled) -> None:
    """The part has come to its end."""
    _tell(district, PartMoved(settled.order_id, settled.part_id, "settled"))


def tell_ended(district: District, ended: PartEnded) -> None:
    """The shopper has the money for this part again."""
    stage: AwayStage = END_STAGES[ended.why]  # type: ignore[assignment]
    _tell(district, PartMoved(ended.order_id, ended.part_id, stage, reason=ended.reason))


def tell_refunded(district: District, refunded: PaymentRefunded) -> None:
    """The neighbour owes us less; the shopper has it again there."""
    _tell(district, PartMoved(refunded.order_id, refunded.part_id, "settled", back_minor=refunded.goods_minor))


def _tell(district: District, moved: PartMoved) -> None:
    """Tell the district whose shopper it is, which the order's id ends with; the own shoppers see it anyway."""
    tag = tag_of(moved.order_id)
    if tag != district.charter.tag and tag in district.view(Neighbours).channels:
        send(district, tag, moved, story=moved.order_id)


def _guest_of(neighbour: str) -> str:
    """Who orders for a neighbour's shoppers: who they are is not told."""
    return f"ngh_{neighbour}"


def _drafted(district: District, asked: OrderAsked) -> tuple[Part, ...]:
    """What of the wishes is still on offer, priced as of now."""
    on_offer = district.view(Catalogue).offers
    wishes = [Wish(line.offer_id, line.quantity) for line in asked.lines if line.offer_id in on_offer]
    return orders.draft(district, asked.order_id, wishes, fulfilment="pickup") if wishes else ()


def _changes(asked: OrderAsked, parts: Sequence[Part]) -> dict[str, int]:
    """The prices of now of what is not as the shopper saw it; 0 for what that shop does not offer any more."""
    now = {(line.offer_id, part.shop_id): line.price_minor for part in parts for line in part.lines}
    prices = {line.offer_id: now.get((line.offer_id, line.shop_id), 0) for line in asked.lines}
    return {line.offer_id: prices[line.offer_id] for line in asked.lines if prices[line.offer_id] != line.price_minor}


STEPS: Sequence[tuple[type[Event], Step]] = [
    (PartAccepted, tell_accepted),
    (PartPicked, tell_picked),
    (PaymentCaptured, tell_collected),
    (PartSettled, tell_settled),
    (PartEnded, tell_ended),
    (PaymentRefunded, tell_refunded),
]
MESSAGES: Sequence[tuple[type[Message], Hearer]] = [
    (OrderTaken, note_taken),
    (OrderRefused, note_refused),
    (CancelRefused, note_kept),
    (PartMoved, follow),
    (OrderAsked, serve),
    (CancelAsked, call_off),
]
DEADLINES: Sequence[Deadline] = []
EFFECTS: Sequence[tuple[type[Event], str]] = []
