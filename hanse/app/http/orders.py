"""Placing an order over HTTP: from the body's bytes to one command, and from its answer to a status.

`order_job` is what the route and the benchmarks both call. The answer is stored as JSON and goes out as it
is; only a refusal is put into the form of a problem.
"""

from hashlib import blake2b
from typing import NamedTuple

import msgspec

from hanse.app.http.problems import encode, invalid
from hanse.district.asking import error_of
from hanse.district.jobs import Answer, Job
from hanse.flows import order
from hanse.flows.order import OrderAnswer, PlaceOrder
from hanse.kernel.errors import Conflict, HanseError

__all__ = ["ORDERS_PATH", "Reply", "fingerprint", "order_job", "order_reply", "refusal"]

ORDERS_PATH = "/api/orders"

_JSON = (b"content-type", b"application/json")
_REPLAYED = (b"idempotent-replayed", b"true")
_ACCEPTED = b'{"result":"accepted","order_id":"'
_AWAITING = b'{"result":"awaiting_payment","order_id":"'
_begun = blake2b(f"POST {ORDERS_PATH}\n".encode(), digest_size=16)

_decode = msgspec.json.Decoder(PlaceOrder).decode


class Reply(NamedTuple):
    """An HTTP answer."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def order_job(body: bytes, person_id: str, key: str) -> Job:
    """The command that a request to place an order asks for.

    Parameters
    ----------
    body
        JSON of a `PlaceOrder`.
    person_id
        The shopper.
    key
        The request's Idempotency-Key; empty for none.

    Raises
    ------
    InvalidInput
        The body does not fit; names the field.
    """
    try:
        request = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise invalid(error) from error
    if not key:
        return Job(order.place, (person_id, request), person_id)
    # As `fingerprint` does it, from where its first line has been hashed.
    digest = _begun.copy()
    digest.update(body)
    return Job(order.place, (person_id, request), person_id, key, digest.digest())


def fingerprint(method: str, path: str, body: bytes) -> bytes:
    """What tells a request from others under the same key."""
    return blake2b(f"{method} {path}\n".encode() + body, digest_size=16).digest()


def order_reply(answer: Answer, instance: str = ORDERS_PATH) -> Reply:
    """The HTTP answer to a placed order: 201 accepted, 202 awaiting payment, 409 sold out, 402 too little money."""
    body = answer.body
    if answer.kind != "ok":
        reply = refusal(error_of(answer), instance)
    elif body.startswith(_ACCEPTED):
        reply = Reply(201, [_JSON, _location(body, len(_ACCEPTED))], body)
    elif body.startswith(_AWAITING):
        reply = Reply(202, [_JSON, _location(body, len(_AWAITING))], body)
    else:
        reply = refusal(_refused(msgspec.json.decode(body, type=OrderAnswer)), instance)
    if answer.replayed:
        reply.headers.append(_REPLAYED)
    return reply


def refusal(error: HanseError, instance: str) -> Reply:
    """The HTTP answer to an error."""
    return Reply(*encode(error, instance))


def _location(body: bytes, start: int) -> tuple[bytes, bytes]:
    return b"location", b"/api/orders/" + body[start : body.index(b'"', start)]


def _refused(answer: OrderAnswer) -> HanseError:
    if answer.result == "sold_out":
        error = Conflict("market.sold_out", "There is not enough of this left; take fewer, or another offer.")
        error.details["missing"] = answer.missing  # type: ignore[assignment]
        return error
    return Conflict(
        "finance.funds_short",
        "The wallet holds too little; top it up, or pay by card.",
        short_minor=answer.short_minor,
        currency=answer.currency,
    )
