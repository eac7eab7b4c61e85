"""Routes between districts: the inbox, what a shopper orders at a neighbour's shops, what neighbours owe and pay.

The neighbours' goods are seen where they are offered: at the neighbour's own public API.
"""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

import hanse
from hanse.app.home import Home
from hanse.app.http.problems import invalid
from hanse.app.neighbours import INBOX, neighbours_of, own_key, sign, verify
from hanse.district.asking import Ask, error_of
from hanse.district.core import District
from hanse.district.jobs import Job
from hanse.district.messages import BATCH_MAX, receive
from hanse.district.neighbours import Batch, Receipt
from hanse.flows import neighbours as flow
from hanse.flows.neighbours import AskAnswer, AskNeighbour
from hanse.flows.settlement import REFERENCE_MAX, Standing, book, standings
from hanse.kernel.errors import Conflict, HanseError, NotAllowed, Unavailable, must
from hanse.kernel.money import AMOUNT_MAX_MINOR
from hanse.kernel.principal import Principal
from hanse.kernel.time import SECOND_US
from hanse.kernel.values import AwayPart, SeenWish
from hanse.market.away.views import AwayOrder, away_order, away_orders_of, own_away_order

__all__ = ["ROUTES"]


class NeighbourShown(msgspec.Struct, frozen=True):
    """A neighbouring district; its shops and goods stand at its own API below `url`."""

    tag: str
    url: str


class AwayPartShown(AwayPart, frozen=True):
    """A part of an order at one of the neighbour's shops, as far as it was told."""

    stage: str = ""
    refunded_minor: int = 0
    reason: str = ""


class AwayOrderShown(msgspec.Struct, frozen=True):
    """An order at a neighbour's. No parts: it has not answered; `outcome` is empty while it is open.

    `refused_for` and `refused_offers` say why the neighbour did not place it, see `market.away_order_refused`.
    """

    order_id: str
    group_id: str
    neighbour: str
    currency: str
    total_minor: int
    lines: tuple[SeenWish, ...]
    parts: tuple[AwayPartShown, ...]
    cancelling: str
    outcome: str
    refused_for: str = ""
    refused_offers: dict[str, int] = {}


class PaymentCame(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What came in at the bank, in the district's currency; `reference` is what the bank transfer said."""

    amount_minor: Annotated[int, msgspec.Meta(ge=1, le=AMOUNT_MAX_MINOR)]
    currency: Annotated[str, msgspec.Meta(min_length=3, max_length=3)]
    reference: Annotated[str, msgspec.Meta(max_length=REFERENCE_MAX)] = ""


class Booked(msgspec.Struct, frozen=True):
    """The payment's id, which is its story in both districts."""

    payment_id: str


@post(INBOX, roles=("public",), tags=["league"], summary="Messages of a neighbour", status_code=200)
async def take_in(request: Request[Any, Any, Any], house: NamedDependency[Home]) -> Response[bytes]:
    """Take messages of a neighbouring district, signed by it (RFC 9421); answers with a signed receipt."""
    # What was signed is the body as it came, so it is not decoded before.
    body = await request.body()
    covered = {"@method": "POST", "@path": request.url.path}
    sender = verify(neighbours_of(house.settings.neighbours), covered, body, request.headers)
    try:
        batch = msgspec.json.decode(body, type=Batch)
    except msgspec.DecodeError as error:
        raise invalid(error) from error
    if (batch.sender, batch.to) != (sender.tag, house.settings.tag):
        raise NotAllowed("app.other_batch", "This batch is not for this district, or not from who signed it.")
    must(0 < len(batch.messages) <= BATCH_MAX, "app.bad_batch", f"Send 1 to {BATCH_MAX} messages.", field="messages")
    said = msgspec.json.encode(await _take(house, batch))
    now_s = house.district.now_us // SECOND_US
    signed = sign(own_key(house.settings.folder), house.settings.tag, {"@status": "200"}, said, now_s=now_s)
    return Response(said, headers=signed, media_type="application/json")


async def _take(house: Home, batch: Batch) -> Receipt:
    """Queue all at once, so that they share a commit; the receipt of the last that was taken durably."""
    answers, refused = [], None
    for message in batch.messages:
        # A message that stopped the writer twice is parked, for this version of the program.
        name = f"{batch.sender}-{message.number}-{hanse.__version__}".encode()
        try:
            answers.append(house.submit(Job(receive, (batch.sender, message), "neighbour", fingerprint=name)))
        except HanseError as error:
            refused = error
            break
    receipt: Receipt | None = None
    for answer in [await one for one in answers]:
        if answer.kind == "ok":
            receipt = msgspec.json.decode(answer.body, type=Receipt)
        else:
            refused = error_of(answer)
    if receipt is None:
        raise refused or Unavailable("district.nothing_taken", "Nothing was taken; send it again.")
    return receipt


@get("/api/neighbours", roles=("public",), tags=["neighbours"], summary="Neighbours", sync_to_thread=False)
def list_neighbours(house: NamedDependency[Home]) -> tuple[NeighbourShown, ...]:
    """The neighbouring districts in whose shops you can order from here."""
    return tuple(NeighbourShown(one.tag, one.url) for one in neighbours_of(house.settings.neighbours).values())


@post(
    "/api/neighbours/{tag:str}/orders",
    roles=("shopper",),
    tags=["neighbours"],
    summary="Order at a neighbour's",
    status_code=202,
)
async def ask_neighbour(ask: NamedDependency[Ask], tag: FromPath[str], data: JSONBody[AskNeighbour]) -> AskAnswer:
    """Order at a neighbour's shops, at the prices that you saw there; paid from your wallet, collected there.

    The money is set aside and the neighbour is asked; what it makes of it shows at the order.
    """
    answer = await ask.answer(AskAnswer, flow.ask, ask.caller, tag, data)
    if answer.result == "funds_short":
        raise Conflict(
            "finance.funds_short",
            "The wallet holds too little; top it up first.",
            short_minor=answer.short_minor,
            currency=answer.currency,
        )
    return answer


@get(
    "/api/neighbours/orders", roles=("shopper",), tags=["neighbours"], summary="Your orders there", sync_to_thread=False
)
def list_away_orders(
    district: NamedDependency[District], principal: NamedDependency[Principal]
) -> tuple[AwayOrderShown, ...]:
    """Your latest orders at neighbours, newest first."""
    return tuple(_shown(order) for order in away_orders_of(district, principal.id))


@get(
    "/api/neighbours/orders/{order_id:str}",
    roles=("shopper",),
    tags=["neighbours"],
    summary="An order there",
    sync_to_thread=False,
)
def get_away_order(
    district: NamedDependency[District], principal: NamedDependency[Principal], order_id: FromPath[str]
) -> AwayOrderShown:
    """Where an order at a neighbour's stands, as far as it was told."""
    return _shown(own_away_order(district, principal.id, order_id))


@post(
    "/api/neighbours/orders/{order_id:str}/cancel",
    roles=("shopper",),
    tags=["neighbours"],
    summary="Cancel an order there",
    status_code=202,
)
async def cancel_away_order(
    ask: NamedDependency[Ask], principal: NamedDependency[Principal], order_id: FromPath[str]
) -> AwayOrderShown:
    """Ask the neighbour to take back what nobody has picked; it decides whether that is too late."""
    own_away_order(ask.district, principal.id, order_id)
    await ask.run(flow.ask_cancel, order_id)
    return _shown(away_order(ask.district, order_id))


@get("/api/league/neighbours", roles=("league",), tags=["league"], summary="What is owed", sync_to_thread=False)
def list_standings(district: NamedDependency[District]) -> tuple[Standing, ...]:
    """What is owed between this district and each neighbour."""
    return standings(district)


@post(
    "/api/league/neighbours/{tag:str}/payments",
    roles=("league",),
    tags=["league"],
    summary="A neighbour has paid",
    status_code=201,
)
async def book_payment(ask: NamedDependency[Ask], tag: FromPath[str], data: JSONBody[PaymentCame]) -> Booked:
    """Book that a neighbour paid some of what it owes; it is told, and books the same."""
    must(
        data.currency == ask.district.currency,
        "finance.other_currency",
        f"Pay in {ask.district.currency}.",
        field="$.currency",
    )
    return Booked(await ask.answer(str, book, tag, data.amount_minor, reference=data.reference))


ROUTES = (
    take_in,
    list_neighbours,
    ask_neighbour,
    list_away_orders,
    get_away_order,
    cancel_away_order,
    list_standings,
    book_payment,
)


def _shown(order: AwayOrder) -> AwayOrderShown:
    asked, refusal = order.asked, order.refusal
    parts = tuple(
        AwayPartShown(
            state.part.part_id,
            state.part.shop_id,
            state.part.shop_name,
            state.goods_minor,
            state.part.promised_us,
            state.stage,
            state.refunded_minor,
            state.reason,
        )
        for state in order.parts.values()
    )
    return AwayOrderShown(
        asked.order_id,
        asked.group_id,
        asked.neighbour,
        asked.currency,
        asked.total_minor,
        asked.lines,
        parts,
        order.cancelling,
        order.outcome,
        refusal.why if refusal else "",
        refusal.offers if refusal else {},
    )
