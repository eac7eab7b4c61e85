"""Who belongs."""

import msgspec

from hanse.district.core import District
from hanse.district.views import View, folds
from hanse.events.people import AddressKept, MemberErased, MemberJoined
from hanse.kernel.errors import NotFound

__all__ = ["Member", "Members", "keeps_address", "member"]


class Member(msgspec.Struct, gc=False):
    """A person, as far as the journal knows them."""

    person_id: str
    locale: str
    addresses: list[str] = []


class Members(View):
    """Members by id."""

    by_id: dict[str, Member] = {}

    @folds(MemberJoined)
    def _join(self, event: MemberJoined, now_us: int) -> None:
        self.by_id[event.person_id] = Member(event.person_id, event.locale)

    @folds(AddressKept)
    def _keep(self, event: AddressKept, now_us: int) -> None:
        self.by_id[event.person_id].addresses.append(event.address_id)

    @folds(MemberErased)
    def _erase(self, event: MemberErased, now_us: int) -> None:
        del self.by_id[event.person_id]


def member(district: District, person_id: str) -> Member:
    """A member; raises `NotFound`."""
    found = district.view(Members).by_id.get(person_id)
    if found is None:
        raise NotFound("people.unknown_member", "Nobody in this league has this id.", person_id=person_id)
    return found


def keeps_address(district: District, person_id: str, address_id: str) -> bool:
    """Whether an address is this person's."""
    return address_id in member(district, person_id).addresses
