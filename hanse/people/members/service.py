"""Commands: join, keep an address, be erased. What is personal goes to the vault first."""

from hanse.district.core import District
from hanse.events.people import AddressKept, MemberErased, MemberJoined
from hanse.kernel.errors import Conflict, LimitExceeded
from hanse.people.members.views import Members, member

__all__ = ["ADDRESSES_MAX", "check_room", "erase", "join", "keep_address"]

ADDRESSES_MAX = 20


def join(district: District, person_id: str, *, locale: str) -> None:
    """Become a member; twice is once. Records `MemberJoined`."""
    if person_id not in district.view(Members).by_id:
        district.record(MemberJoined(person_id, locale))


def keep_address(district: District, person_id: str, address_id: str) -> None:
    """Note that the vault holds an address of this person; twice is once. Records `AddressKept`."""
    kept = member(district, person_id).addresses
    if address_id in kept:
        return
    check_room(district, person_id)
    district.record(AddressKept(person_id, address_id))


def check_room(district: District, person_id: str) -> None:
    """Raise `LimitExceeded` unless the person may keep one more address; ask before sealing it."""
    if len(member(district, person_id).addresses) >= ADDRESSES_MAX:
        raise LimitExceeded("people.too_many_addresses", f"Keep at most {ADDRESSES_MAX} addresses; use one of them.")


def erase(district: District, person_id: str) -> None:
    """Note that the person's key was destroyed. Records `MemberErased`."""
    if person_id not in district.view(Members).by_id:
        raise Conflict("people.erased_already", "This person is not a member any more.", person_id=person_id)
    district.record(MemberErased(person_id))
