"""The shopper's basket, from the first line to the order."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from hanse.app.http.orders import fingerprint
from hanse.app.http.placing import place_basket
from hanse.app.pages import goods
from hanse.app.pages.visit import Reply, Visit
from hanse.events.market import BasketChanged, ShopJoined
from hanse.finance.ledger.views import account
from hanse.finance.payments import service as payments
from hanse.finance.payments.views import wallet_of
from hanse.flows.order import OrderAnswer
from hanse.kernel.errors import Conflict, HanseError, InvalidInput
from hanse.market.baskets import service as baskets
from hanse.market.baskets.views import basket
from hanse.market.catalogue.views import Catalogue, Offer, Product
from hanse.market.orders import service as orders
from hanse.people.members import service as members
from hanse.people.vault import Address

__all__ = ["ROUTES"]

SHOPPER = ("shopper",)
TOP_UPS_MINOR = (2_000, 5_000, 10_000)
DEMO_CARDS = ("tok_ok", "tok_decline")
_ADDRESS_FIELDS = ("name", "street", "postcode", "city")


class LineShown(msgspec.Struct, frozen=True):
    """A line of the basket at today's price. `missing`: how many pieces too many were asked for."""

    offer: Offer
    product: Product
    title: str
    picture: str
    quantity: int
    total_minor: int
    free: int

    @property
    def missing(self) -> int:
        """Pieces that are not there."""
        return max(0, self.quantity - self.free)


class PartShown(msgspec.Struct, frozen=True):
    """What of the basket one shop sells, and when it would be ready."""

    shop: ShopJoined
    lines: list[LineShown]
    goods_minor: int
    fee_minor: int
    vat_minor: int
    ready: str


@get("/basket", roles=SHOPPER, sync_to_thread=False)
def basket_page(visit: NamedDependency[Visit]) -> Reply:
    """The basket with everything that an order needs."""
    return _page(visit)


@post("/basket/lines", roles=SHOPPER)
async def add_line(visit: NamedDependency[Visit]) -> Reply:
    """Put some pieces of an offer in."""
    form = await visit.form()
    changed = msgspec.json.decode(
        await visit.run(baskets.add, visit.me, form.get("offer_id", ""), whole(form.get("pieces", "1"), "pieces")),
        type=BasketChanged,
    )
    offer = visit.district.view(Catalogue).offers[form["offer_id"]]
    title = goods.title(visit, visit.district.view(Catalogue).products[offer.product_id])
    said = visit.say("%(title)s is in the basket.", title=title)
    if not visit.by_htmx:
        return visit.go(visit.came_from("/basket"))
    count = sum(line.quantity for line in changed.lines)
    return visit.part("", status=200, headers={"HX-Reswap": "none", **visit.triggers(said, basket={"count": count})})


@post("/basket/lines/{offer_id:str}", roles=SHOPPER)
async def set_line(visit: NamedDependency[Visit], offer_id: FromPath[str]) -> Reply:
    """Make it so many pieces of an offer; 0 takes the line out."""
    form = await visit.form()
    pieces = whole(form.get("pieces", "0"), "pieces")
    now = {line.offer_id: line.quantity for line in basket(visit.district, visit.me).lines}
    await visit.run(baskets.add, visit.me, offer_id, max(pieces, 0) - now.get(offer_id, 0))
    return _again(visit)


@post("/basket/fit", roles=SHOPPER)
async def fit(visit: NamedDependency[Visit]) -> Reply:
    """Take only what is there: lines that ask for more are made smaller, or leave."""
    for part in _parts(visit, basket(visit.district, visit.me)):
        for line in part.lines:
            if line.missing:
                await visit.run(baskets.add, visit.me, line.offer.offer_id, -line.missing)
    return _again(visit)


@post("/basket/choice", roles=SHOPPER)
async def choose(visit: NamedDependency[Visit]) -> Reply:
    """Say how the goods come, to which address, and how they are paid."""
    form = await visit.form()
    fulfilment, payment = form.get("fulfilment"), form.get("payment")
    address_id = form.get("address_id")
    wanted: dict[str, Any] = {}
    if fulfilment in ("pickup", "delivery"):
        wanted["fulfilment"] = fulfilment
    if payment in ("wallet", "card"):
        wanted["payment"] = payment
    if address_id is not None:
        wanted["address_id"] = address_id
    mine = [known for known, _ in visit.backstage.homes.addresses(visit.me)]
    if (
        wanted.get("fulfilment") == "delivery"
        and not (address_id or basket(visit.district, visit.me).address_id)
        and mine
    ):
        wanted["address_id"] = mine[0]
    if wanted:
        await visit.run(baskets.choose, visit.me, **wanted)
    return _again(visit)


@post("/addresses", roles=SHOPPER)
async def keep_address(visit: NamedDependency[Visit]) -> Reply:
    """Keep a new address: sealed in the vault first, then noted under its id."""
    form = await visit.form()
    errors = {
        field: visit.say("Please fill this in.") for field in _ADDRESS_FIELDS if not 0 < len(form.get(field, "")) <= 200
    }
    if errors:
        return visit.page(
            "shopper/address_form.html", status=422, errors=errors, values=form, next=form.get("next", "")
        )
    members.check_room(visit.district, visit.me)
    here = visit.here
    address_id = visit.new_id("adr")
    # A demo knows no geocoder: a new address lies in the middle of the town, and says so.
    at = Address(
        form["name"],
        form["street"],
        form["postcode"],
        form["city"],
        here.lat,
        here.lon,
        form.get("note", "")[:500],
    )
    await visit.sealer.put(visit.me, {address_id: at})
    await visit.run(members.keep_address, visit.me, address_id)
    if form.get("next") == "/basket":
        await visit.run(baskets.choose, visit.me, fulfilment="delivery", address_id=address_id)
    return visit.go(
        "/account" if form.get("next") == "/account" else "/basket",
        toast=visit.say("The address is kept, sealed with your own key."),
    )


@post("/wallet/top-up", roles=SHOPPER)
async def top_up(visit: NamedDependency[Visit]) -> Reply:
    """Fill the wallet with play money; in a demo only."""
    if not visit.demo:
        raise Conflict("app.no_demo", "Play money exists in a demonstration only.")
    form = await visit.form()
    amount_minor = whole(form.get("amount_minor", "0"), "amount_minor")
    if amount_minor not in TOP_UPS_MINOR:
        raise InvalidInput("app.bad_amount", "Choose one of the amounts.", field="amount_minor")
    await visit.run(payments.top_up, visit.me, amount_minor)
    said = visit.say("%(sum)s of play money are in your wallet.", sum=visit.money(amount_minor))
    return visit.go("/account" if form.get("next") == "/account" else "/basket", toast=said)


@post("/orders", roles=SHOPPER)
async def place_order(visit: NamedDependency[Visit]) -> Reply:
    """Order the basket; the form's key makes a double click one order."""
    form = await visit.form()
    kept = basket(visit.district, visit.me)
    card = form.get("card_token", "") if kept.payment == "card" else ""
    key = form.get("key", "")[:64]
    try:
        body = await visit.ask(key, fingerprint("POST", "/orders", f"{card}".encode())).run(
            place_basket, visit.me, card
        )
    except HanseError as error:
        return _page(visit, status=422, refused=error.message)
    answer = msgspec.json.decode(body, type=OrderAnswer)
    if answer.order_id:
        return visit.go(f"/orders/{answer.order_id}", toast=visit.say("Thank you! Your order is placed."))
    if answer.result == "funds_short":
        short = visit.say("Your wallet is short of %(sum)s.", sum=visit.money(answer.short_minor))
        return _page(visit, status=422, refused=short, short_minor=answer.short_minor)
    return _page(visit, status=422, sold_out=answer.missing)


ROUTES = (basket_page, add_line, set_line, fit, choose, keep_address, top_up, place_order)


def whole(text: str, field: str) -> int:
    """A whole number from a form; raises `InvalidInput`."""
    try:
        return int(text)
    except ValueError:
        raise InvalidInput("app.bad_number", "Give a whole number.", field=field) from None


def _again(visit: Visit) -> Reply:
    """The basket after a change: its inside for htmx, else the page anew."""
    if not visit.by_htmx:
        return visit.go("/basket")
    return _page(
        visit, template="shopper/basket_inside.html", headers=visit.triggers(basket={"count": visit.basket_count()})
    )


def _page(
    visit: Visit,
    *,
    status: int = 200,
    template: str = "",
    headers: dict[str, str] | None = None,
    refused: str = "",
    short_minor: int = 0,
    sold_out: dict[str, int] | None = None,
) -> Reply:
    kept = basket(visit.district, visit.me)
    parts = _parts(visit, kept)
    goods_minor = sum(part.goods_minor for part in parts)
    fee_minor = sum(part.fee_minor for part in parts)
    wallet = account(visit.district, wallet_of(visit.me))
    addresses = visit.backstage.homes.addresses(visit.me)
    inside = visit.by_htmx and not template
    return visit.page(
        template or ("shopper/basket_inside.html" if inside else "shopper/basket.html"),
        section="basket",
        status=status,
        headers=headers,
        kept=kept,
        parts=parts,
        goods_minor=goods_minor,
        fee_minor=fee_minor,
        total_minor=goods_minor + fee_minor,
        vat_minor=sum(part.vat_minor for part in parts),
        free_minor=wallet.balance_minor - wallet.held_minor,
        addresses=addresses,
        address_options=[("", visit.say("Please choose"))] * (not kept.address_id)
        + [(address_id, f"{address.street}, {address.city}") for address_id, address in addresses],
        top_ups=TOP_UPS_MINOR,
        cards=DEMO_CARDS,
        key=visit.new_id("key"),
        refused=refused,
        short_minor=short_minor,
        sold_out=sold_out or {},
        missing=any(line.missing for part in parts for line in part.lines),
    )


def _parts(visit: Visit, kept: BasketChanged) -> list[PartShown]:
    """The basket by shop, at today's prices."""
    catalogue = visit.district.view(Catalogue)
    drafted = orders.draft(visit.district, "ord_draft", kept.lines, fulfilment=kept.fulfilment) if kept.lines else ()
    return [
        PartShown(
            catalogue.shops[part.shop_id],
            [_line(visit, catalogue.offers[line.offer_id], line.quantity) for line in part.lines],
            part.goods_minor,
            part.fee_minor,
            sum(vat.vat_minor for vat in part.vat),
            visit.when(part.promised_us),
        )
        for part in drafted
    ]


def _line(visit: Visit, offer: Offer, quantity: int) -> LineShown:
    product = visit.district.view(Catalogue).products[offer.product_id]
    free = goods.free_pieces(visit.district, offer)
    return LineShown(
        offer,
        product,
        goods.title(visit, product),
        goods.picture(product),
        quantity,
        offer.price_minor * quantity,
        free,
    )
