"""Members and their consent. No event here carries a name, an address or a number of a person."""

from hanse.events.dictionary import Event, stored

__all__ = ["AddressKept", "ConsentGiven", "ConsentWithdrawn", "MemberErased", "MemberJoined"]


@stored("people.member_joined", story="person_id")
class MemberJoined(Event, frozen=True):
    """A person became a member; who it is stands sealed in the vault."""

    person_id: str
    locale: str


@stored("people.member_erased", story="person_id")
class MemberErased(Event, frozen=True):
    """A person's key was destroyed: what was sealed with it can never be read again."""

    person_id: str


@stored("people.consent_given", story="person_id")
class ConsentGiven(Event, frozen=True):
    """A person allows a use of their data. An empty topic means all topics."""

    person_id: str
    purpose: str
    topic: str


@stored("people.consent_withdrawn", story="person_id")
class ConsentWithdrawn(Event, frozen=True):
    """A person takes a consent back, or mutes one topic of it. An empty topic means all topics."""

    person_id: str
    purpose: str
    topic: str


@stored("people.address_kept", story="person_id")
class AddressKept(Event, frozen=True):
    """A person keeps an address with us; what it says stands sealed in the vault."""

    person_id: str
    address_id: str
