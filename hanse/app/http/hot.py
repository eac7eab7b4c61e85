"""The requests of one purchase, without the framework: basket, address, choice, order.

They come most when it matters most, and routing, dependencies and response objects cost several times
what they do. Each does the same as the route of its name that the API's description shows
(`hanse.market.web`, `hanse.people.web`, `hanse.app.http.placing`); a test holds the two together.
"""

from functools import partial
from typing import TypeVar

import msgspec

from hanse.app.home import Home
from hanse.app.http.front import Hot
from hanse.app.http.orders import ORDERS_PATH, Reply, fingerprint, order_job, order_reply, refusal
from hanse.app.http.placing import Checkout, place_basket
from hanse.app.http.problems import invalid
from hanse.district.asking import Ask, error_of
from hanse.district.jobs import Answer, Job
from hanse.kernel.principal import Principal
from hanse.market.baskets import service as baskets
from hanse.market.web import BasketChoice, BasketLines
from hanse.people.vault import Sealer
from hanse.people.web import NewAddress, keep

__all__ = ["hot_routes"]

LINES_PATH = "/api/basket/lines"
BASKET_PATH = "/api/basket"
CHECKOUT_PATH = "/api/basket/order"
ADDRESSES_PATH = "/api/addresses"

_JSON = (b"content-type", b"application/json")
_REPLAYED = (b"idempotent-replayed", b"true")

T = TypeVar("T")

_lines = msgspec.json.Decoder(BasketLines)
_choice = msgspec.json.Decoder(BasketChoice)
_checkout = msgspec.json.Decoder(Checkout)
_address = msgspec.json.Decoder(NewAddress)


def hot_routes(house: Home, sealer: Sealer) -> dict[tuple[str, str], Hot]:
    """The fast routes by method and path; all of them are a shopper's."""
    return {
        ("POST", ORDERS_PATH): partial(_place, house),
        ("PUT", LINES_PATH): partial(_fill, house),
        ("PATCH", BASKET_PATH): partial(_choose, house),
        ("POST", CHECKOUT_PATH): partial(_check_out, house),
        ("POST", ADDRESSES_PATH): partial(_keep_address, house, sealer),
    }


async def _place(house: Home, principal: Principal, key: str, body: bytes) -> Reply:
    return order_reply(await house.submit(order_job(body, principal.id, key)))


async def _fill(house: Home, principal: Principal, key: str, body: bytes) -> Reply:
    lines = _read(_lines, body).lines
    stamp = fingerprint("PUT", LINES_PATH, body)
    return _told(await house.submit(Job(baskets.put, (principal.id, lines), principal.caller, key, stamp)), LINES_PATH)


async def _choose(house: Home, principal: Principal, key: str, body: bytes) -> Reply:
    chosen = _read(_choice, body)
    choose = partial(baskets.choose, fulfilment=chosen.fulfilment, address_id=chosen.address_id, payment=chosen.payment)
    stamp = fingerprint("PATCH", BASKET_PATH, body)
    return _told(await house.submit(Job(choose, (principal.id,), principal.caller, key, stamp)), BASKET_PATH)


async def _check_out(house: Home, principal: Principal, key: str, body: bytes) -> Reply:
    token = _read(_checkout, body).card_token if body else ""
    stamp = fingerprint("POST", CHECKOUT_PATH, body)
    job = Job(place_basket, (principal.id, token), principal.caller, key, stamp)
    return order_reply(await house.submit(job), CHECKOUT_PATH)


async def _keep_address(house: Home, sealer: Sealer, principal: Principal, key: str, body: bytes) -> Reply:
    address = _read(_address, body)
    stamp = fingerprint("POST", ADDRESSES_PATH, body)
    ask = Ask(house.submit, lambda: house.district, caller=principal.caller, key=key, fingerprint=stamp)
    kept = msgspec.json.encode(await keep(ask, sealer, principal.id, address))
    return Reply(201, [_JSON, _REPLAYED] if ask.replayed else [_JSON], kept)


def _told(answer: Answer, path: str) -> Reply:
    """The stored answer as it is; a refusal as a problem."""
    reply = Reply(200, [_JSON], answer.body) if answer.kind == "ok" else refusal(error_of(answer), path)
    if answer.replayed:
        reply.headers.append(_REPLAYED)
    return reply


def _read(decoder: "msgspec.json.Decoder[T]", body: bytes) -> T:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise invalid(error) from error
