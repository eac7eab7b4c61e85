"""Neighbours: what a district knows of its channels to other districts, one each way for every neighbour.

A message has a number for each neighbour, rising by one, and is kept until the neighbour has it durably. What
came in is taken once and in order: the number after the last is new, one up to it was had before, for ever.
"""

from hashlib import blake2b
from typing import Any

import msgspec

from hanse.district.views import View, folds
from hanse.events.district import (
    ChannelParked,
    MessageReceived,
    MessagesAcknowledged,
    MessageSent,
    NeighbourDeclared,
)

__all__ = ["Batch", "Channel", "Message", "Neighbours", "Receipt", "sealed"]

_deterministic = msgspec.json.Encoder(order="deterministic").encode


class Message(msgspec.Struct, frozen=True, gc=False):
    """What one district tells another. Its kind, given as ``tag``, is for ever, as an event's name is."""

    @classmethod
    def kind(cls) -> str:
        """What the message is called on its way and in both journals."""
        return str(cls.__struct_config__.tag)


class Batch(msgspec.Struct, frozen=True):
    """Messages on their way, in order, and between whom."""

    sender: str
    to: str
    messages: tuple[MessageSent, ...]


class Receipt(msgspec.Struct, frozen=True):
    """What `sender` has of the messages of `to`: all through a number, durably, and the seal of that number.

    `trouble` says why the next one is not taken, if it is not.
    """

    sender: str
    to: str
    through: int
    chain: str
    trouble: str = ""


class Channel(msgspec.Struct):
    """Where both directions with one neighbour stand."""

    limit_minor: int = 0
    sent: int = 0
    sent_chain: str = ""
    acknowledged: int = 0
    waiting: dict[int, MessageSent] = {}
    received: int = 0
    received_chain: str = ""
    parked_in: str = ""
    parked_out: str = ""


class Neighbours(View):
    """The channels, by the neighbour's tag; one that was ever declared stays."""

    channels: dict[str, Channel] = {}

    @folds(NeighbourDeclared)
    def _declare(self, event: NeighbourDeclared, now_us: int) -> None:
        self.channels.setdefault(event.neighbour, Channel()).limit_minor = event.limit_minor

    @folds(MessageSent)
    def _send(self, event: MessageSent, now_us: int) -> None:
        channel = self.channels[event.neighbour]
        channel.sent, channel.sent_chain = event.number, event.chain
        channel.waiting[event.number] = event

    @folds(MessagesAcknowledged)
    def _acknowledge(self, event: MessagesAcknowledged, now_us: int) -> None:
        channel = self.channels[event.neighbour]
        for number in range(channel.acknowledged + 1, event.through + 1):
            del channel.waiting[number]
        channel.acknowledged, channel.parked_out = event.through, ""

    @folds(MessageReceived)
    def _receive(self, event: MessageReceived, now_us: int) -> None:
        channel = self.channels[event.neighbour]
        channel.received, channel.received_chain, channel.parked_in = event.number, event.chain, ""

    @folds(ChannelParked)
    def _park(self, event: ChannelParked, now_us: int) -> None:
        channel = self.channels[event.neighbour]
        if event.way == "in":
            channel.parked_in = event.error
        else:
            channel.parked_out = event.error


def sealed(before: str, number: int, kind: str, body: dict[str, Any]) -> str:
    """The chain behind a message: a digest of the chain before it and of what it says."""
    return blake2b(_deterministic((before, number, kind, body)), digest_size=16).hexdigest()
