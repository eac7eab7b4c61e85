"""Messages between districts: sent in one commit, taken in another, once each.

To send is to record: what a command records beside a message becomes durable with it, or neither does. To take is
one command a message, which runs the flow's hearer and notes the number in the same commit. So whatever is lost,
doubled, late or out of order on the way, and wherever either side crashes, each message has its effect once.
"""

from collections.abc import Mapping

import msgspec

from hanse.district.core import District
from hanse.district.neighbours import Batch, Channel, Message, Neighbours, Receipt, sealed
from hanse.events.district import (
    ChannelParked,
    MessageReceived,
    MessagesAcknowledged,
    MessageSent,
    NeighbourDeclared,
)
from hanse.kernel.errors import LimitExceeded, NotAllowed, NotFound

__all__ = ["BATCH_MAX", "OUTBOX_MAX", "acknowledge", "channel_to", "declare", "next_batch", "receive", "send"]

BATCH_MAX = 64
BATCH_BYTES_MAX = 262_144
"""One message may pass it alone; the inbox takes a megabyte."""

OUTBOX_MAX = 1_000
"""With so many messages unacknowledged nothing new is begun with a neighbour; what is under way goes on."""


def declare(district: District, limits_minor: Mapping[str, int]) -> None:
    """Say who the neighbours are, and how much one of a pair may owe the other. Records `NeighbourDeclared`."""
    known = district.view(Neighbours).channels
    for tag in [*limits_minor, *(known.keys() - limits_minor.keys())]:
        limit_minor = limits_minor.get(tag, 0)
        if tag not in known or known[tag].limit_minor != limit_minor:
            district.record(NeighbourDeclared(tag, limit_minor))


def channel_to(district: District, neighbour: str) -> Channel:
    """The channel to begin something new over.

    Raises
    ------
    NotFound
        No neighbour of that tag is declared, or no longer.
    LimitExceeded
        The neighbour has not answered for so long that too much waits for it.
    """
    channel = district.view(Neighbours).channels.get(neighbour)
    if channel is None or not channel.limit_minor:
        raise NotFound("district.unknown_neighbour", "There is no neighbour with this tag.", neighbour=neighbour)
    if len(channel.waiting) >= OUTBOX_MAX:
        raise LimitExceeded(
            "district.neighbour_behind",
            "This neighbour has not answered for a while and too much waits for it; try again later.",
            neighbour=neighbour,
            retry_after_s=60,
        )
    return channel


def send(district: District, neighbour: str, message: Message, *, story: str) -> None:
    """Tell a neighbour something, once it can hear it. Records `MessageSent`."""
    channel = district.view(Neighbours).channels[neighbour]
    number, kind = channel.sent + 1, message.kind()
    # As JSON gives it back: so that the view is the same after a restart.
    body = msgspec.json.decode(msgspec.json.encode(message))
    chain = sealed(channel.sent_chain, number, kind, body)
    district.record(MessageSent(neighbour, number, kind, story, body, chain))


def next_batch(district: District, neighbour: str) -> Batch | None:
    """The oldest messages that the neighbour has not acknowledged; None if it has all."""
    waiting = district.view(Neighbours).channels[neighbour].waiting
    taken: list[MessageSent] = []
    size = 0
    for message in waiting.values():
        size += len(msgspec.json.encode(message.body))
        if taken and (size > BATCH_BYTES_MAX or len(taken) == BATCH_MAX):
            break
        taken.append(message)
    return Batch(district.charter.tag, neighbour, tuple(taken)) if taken else None


def receive(district: District, sender: str, message: MessageSent) -> Receipt:
    """Take a neighbour's message, if it is the next one; says through which number all are taken.

    One that was had before has no effect. One that cannot be taken parks the channel, and is tried anew each time
    it comes: so a repaired program goes on by itself. Records `MessageReceived` or `ChannelParked`, and what the
    message causes.
    """
    channel = district.view(Neighbours).channels.get(sender)
    if channel is None or message.neighbour != district.charter.tag:
        raise NotAllowed("district.not_for_us", "This is not for us, or not from a neighbour of ours.")
    gap = ""
    if message.number > channel.received + 1:
        # Not parked: when a commit fails, what came in the same batch behind it stands before a gap too.
        gap = f"message {channel.received + 1} has to come first; if it never does, was one side restored from a copy?"
    elif message.number == channel.received + 1:
        trouble = _misfit(district, channel, message) or _heard(district, sender, message)
        if not trouble:
            district.record(MessageReceived(sender, message.number, message.kind, message.story, message.chain))
        elif trouble != channel.parked_in:
            district.record(ChannelParked(sender, "in", message.number, trouble))
    trouble = channel.parked_in or gap
    return Receipt(district.charter.tag, sender, channel.received, channel.received_chain, trouble)


def _misfit(district: District, channel: Channel, message: MessageSent) -> str:
    if message.chain != sealed(channel.received_chain, message.number, message.kind, message.body):
        return f"message {message.number} belongs to another history: was one side restored from a copy?"
    if message.kind not in district.hearers:
        return f"nobody here knows what {message.kind} is: upgrade this district."
    return ""


def _heard(district: District, sender: str, message: MessageSent) -> str:
    """Run the hearer; what went wrong before it recorded anything, or nothing."""
    cls, hearer = district.hearers[message.kind]
    before = district.position
    district.act_as(hearer)
    try:
        hearer(district, sender, msgspec.convert(message.body, cls))
    except Exception as error:  # any bug: it parks this one channel, and stops the writer only behind a record
        if district.position != before:
            raise
        return f"message {message.number}: {type(error).__name__}: {error}"
    return ""


def acknowledge(district: District, receipt: Receipt) -> None:
    """Let go of what a neighbour has. A receipt that comes again or late changes nothing.

    Records `MessagesAcknowledged`; `ChannelParked` for a receipt that cannot be true.
    """
    channel = district.view(Neighbours).channels.get(receipt.sender)
    if channel is None or receipt.to != district.charter.tag or receipt.through <= channel.acknowledged:
        return
    message = channel.waiting.get(receipt.through)
    if message is not None and message.chain == receipt.chain:
        district.record(MessagesAcknowledged(receipt.sender, receipt.through))
        return
    trouble = f"the neighbour holds another history at message {receipt.through}: was one side restored from a copy?"
    if trouble != channel.parked_out:
        district.record(ChannelParked(receipt.sender, "out", receipt.through, trouble))
