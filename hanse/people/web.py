"""Routes of people: join, addresses, consent, export, be forgotten. What is personal goes to the vault first."""

import asyncio
from collections.abc import Callable
from hashlib import blake2b
from secrets import token_hex
from typing import Annotated, Literal

import msgspec
from litestar import delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody, QueryParameter, SkipValidation

from hanse.district.asking import Ask
from hanse.district.core import District
from hanse.kernel.errors import NotFound
from hanse.kernel.principal import Principal
from hanse.people.consent import service as consent
from hanse.people.members import service as members
from hanse.people.members.views import Members, keeps_address, member
from hanse.people.vault import Address, Identity, Sealer, Vault

__all__ = ["ROUTES", "IssueToken", "NewAddress", "keep"]

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Joining(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who wants to belong, and in which language we speak."""

    name: Text
    phone: Annotated[str, msgspec.Meta(max_length=32, pattern=r"^[+0-9 ()-]*$")] = ""
    locale: Literal["en", "de"] = "en"


class Joined(msgspec.Struct, frozen=True):
    """Your membership. `token` shows who you are; it is given once, at the first answer."""

    person_id: str
    token: str = ""


class NewAddress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where to deliver."""

    name: Text
    street: Text
    postcode: Annotated[str, msgspec.Meta(min_length=1, max_length=16)]
    city: Text
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    note: Annotated[str, msgspec.Meta(max_length=500)] = ""


class AddressShown(msgspec.Struct, frozen=True):
    """An address of yours, and the id under which orders name it."""

    address_id: str
    address: Address


class Kept(msgspec.Struct, frozen=True):
    """The id under which orders name the address."""

    address_id: str


class Consenting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What your data may be used for; an empty topic means all topics."""

    purpose: consent.Purpose
    topic: Annotated[str, msgspec.Meta(max_length=80)] = ""


class Consents(msgspec.Struct, frozen=True):
    """What you have allowed: purpose → topics (an empty topic: all)."""

    given: dict[str, list[str]]


class Membership(msgspec.Struct, frozen=True):
    """Everything that people/ keeps of you."""

    person_id: str
    locale: str
    identity: Identity | None
    addresses: tuple[AddressShown, ...]
    consents: dict[str, list[str]]


IssueToken = Callable[[Principal], str]
"""Makes the token that shows who somebody is; the app does."""

Issue = NamedDependency[SkipValidation[IssueToken]]


@post("/api/members", roles=("public",), tags=["people"], summary="Join")
async def join(
    ask: NamedDependency[Ask],
    vault: NamedDependency[Vault],
    sealer: NamedDependency[Sealer],
    issue: Issue,
    data: JSONBody[Joining],
) -> Joined:
    """Become a member. Name and number are sealed; the journal gets a pseudonym."""
    person_id = _new_id("per", ask)
    await sealer.put(person_id, {person_id: Identity(data.name, data.phone)})
    await ask.run(members.join, person_id, locale=data.locale)
    if not ask.replayed:
        return Joined(person_id, issue(Principal("shopper", person_id)))
    if person_id not in ask.district.view(Members).by_id:
        # Joined, erased, and now the old request comes once more: nothing of it may stay.
        await asyncio.to_thread(vault.erase, person_id)
    return Joined(person_id)


@get("/api/members/me", roles=("shopper",), tags=["people"], summary="What is kept of you")
async def get_me(
    district: NamedDependency[District], vault: NamedDependency[Vault], principal: NamedDependency[Principal]
) -> Membership:
    """Everything that is kept of your person: identity, addresses, consents."""
    return await asyncio.to_thread(_membership, district, vault, principal.id)


@delete("/api/members/me", roles=("shopper",), tags=["people"], summary="Be forgotten")
async def erase_me(
    ask: NamedDependency[Ask],
    vault: NamedDependency[Vault],
) -> None:
    """Destroy the key to everything that is personal; what is left says nothing about you."""
    await asyncio.to_thread(vault.erase, ask.caller)
    await ask.run(members.erase, ask.caller)


@post("/api/addresses", roles=("shopper",), tags=["people"], summary="Keep an address")
async def keep_address(
    ask: NamedDependency[Ask],
    sealer: NamedDependency[Sealer],
    data: JSONBody[NewAddress],
) -> Kept:
    """Seal an address in the vault; orders name it by its id."""
    return await keep(ask, sealer, ask.caller, data)


@get("/api/addresses", roles=("shopper",), tags=["people"], summary="Your addresses")
async def list_addresses(
    district: NamedDependency[District], vault: NamedDependency[Vault], principal: NamedDependency[Principal]
) -> tuple[AddressShown, ...]:
    """The addresses that you keep here."""
    kept = tuple(member(district, principal.id).addresses)
    return await asyncio.to_thread(_addresses, vault, kept)


@get("/api/consents", roles=("shopper",), tags=["people"], summary="What you allow", sync_to_thread=False)
def list_consents(district: NamedDependency[District], principal: NamedDependency[Principal]) -> Consents:
    """What you have allowed."""
    return _consents(district, principal.id)


@put("/api/consents", roles=("shopper",), tags=["people"], summary="Allow a use of your data")
async def give_consent(ask: NamedDependency[Ask], data: JSONBody[Consenting]) -> Consents:
    """Allow a purpose, on all topics or on one."""
    await ask.run(consent.give, ask.caller, purpose=data.purpose, topic=data.topic)
    return _consents(ask.district, ask.caller)


@delete("/api/consents", roles=("shopper",), tags=["people"], summary="Take a consent back", status_code=200)
async def withdraw_consent(
    ask: NamedDependency[Ask],
    purpose: FromQuery[consent.Purpose],
    topic: Annotated[str, QueryParameter(required=False, max_length=80)] = "",
) -> Consents:
    """Take a purpose back, or mute one topic of it."""
    await ask.run(consent.withdraw, ask.caller, purpose=purpose, topic=topic)
    return _consents(ask.district, ask.caller)


ROUTES = (
    join,
    get_me,
    erase_me,
    keep_address,
    list_addresses,
    list_consents,
    give_consent,
    withdraw_consent,
)


async def keep(ask: Ask, sealer: Sealer, person_id: str, new: NewAddress) -> Kept:
    """Seal a person's address, then let the journal know its id."""
    address_id = _new_id("adr", ask)
    if not keeps_address(ask.district, person_id, address_id):
        members.check_room(ask.district, person_id)
    address = Address(new.name, new.street, new.postcode, new.city, new.lat, new.lon, new.note)
    await sealer.put(person_id, {address_id: address})
    await ask.run(members.keep_address, person_id, address_id)
    return Kept(address_id)


def _new_id(prefix: str, ask: Ask) -> str:
    """An id that is the same for a request that is repeated, and else like no other.

    It is needed before the command runs, because what is personal is sealed before the journal names it.
    """
    if not ask.key:
        return f"{prefix}_{token_hex(10)}"
    told = f"{prefix}\0{ask.caller}\0{ask.key}\0".encode() + ask.fingerprint
    return f"{prefix}_{blake2b(told, digest_size=10).hexdigest()}"


def _membership(district: District, vault: Vault, person_id: str) -> Membership:
    kept = member(district, person_id)
    try:
        identity: Identity | None = vault.get(person_id, Identity)
    except NotFound:
        identity = None
    return Membership(
        person_id, kept.locale, identity, _addresses(vault, tuple(kept.addresses)), _consents(district, person_id).given
    )


def _addresses(vault: Vault, address_ids: tuple[str, ...]) -> tuple[AddressShown, ...]:
    return tuple(AddressShown(address_id, vault.get(address_id, Address)) for address_id in address_ids)


def _consents(district: District, person_id: str) -> Consents:
    return Consents({purpose: sorted(topics) for purpose, topics in consent.given(district, person_id).items()})
