"""Commands: give and withdraw consent."""

from typing import Literal, get_args

from hanse.district.core import District
from hanse.district.own import Consents
from hanse.events.people import ConsentGiven, ConsentWithdrawn
from hanse.kernel.errors import LimitExceeded, must
from hanse.people.members.views import member

__all__ = ["CONSENTS_MAX", "PURPOSES", "Purpose", "give", "given", "withdraw"]

CONSENTS_MAX = 200

Purpose = Literal["personalisation", "statistics"]
"""What a person's data may be used for: showing what fits them; counting without them being recognisable."""

PURPOSES: tuple[str, ...] = get_args(Purpose)


def give(district: District, person_id: str, *, purpose: str, topic: str = "") -> None:
    """Allow a purpose, on all topics or on one; twice is once. Records `ConsentGiven`."""
    _check(district, person_id, purpose)
    if district.allowed(person_id, purpose, topic):
        return
    if sum(len(topics) for topics in given(district, person_id).values()) >= CONSENTS_MAX:
        raise LimitExceeded("people.too_many_consents", f"Give at most {CONSENTS_MAX} consents, or one for all topics.")
    district.record(ConsentGiven(person_id, purpose, topic))


def withdraw(district: District, person_id: str, *, purpose: str, topic: str = "") -> None:
    """Take a purpose back, or mute one topic of it; twice is once. Records `ConsentWithdrawn`."""
    _check(district, person_id, purpose)
    muted = district.view(Consents).muted.get(person_id, {})
    if (topic in muted.get(purpose, ())) if topic else (purpose not in given(district, person_id)):
        return
    if topic and sum(map(len, muted.values())) >= CONSENTS_MAX:
        raise LimitExceeded("people.too_many_mutes", f"Mute at most {CONSENTS_MAX} topics, or take the purpose back.")
    district.record(ConsentWithdrawn(person_id, purpose, topic))


def given(district: District, person_id: str) -> dict[str, set[str]]:
    """What a person has allowed: purpose → topics (an empty topic: all)."""
    return district.view(Consents).given.get(person_id, {})


def _check(district: District, person_id: str, purpose: str) -> None:
    member(district, person_id)
    must(purpose in PURPOSES, "people.unknown_purpose", f"Name one of: {', '.join(PURPOSES)}.", field="purpose")
