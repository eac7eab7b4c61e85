"""Bugs between districts, to see that the simulation of a league finds each of them."""

from collections.abc import Callable
from typing import Any

import msgspec

from hanse.district import messages
from hanse.district.core import District
from hanse.district.neighbours import Batch, Neighbours, Receipt, sealed
from hanse.events.district import MessageReceived, MessagesAcknowledged, MessageSent
from hanse.events.market import PartSettled
from hanse.finance.clearing import service as clearing
from hanse.finance.ledger.views import Ledger
from hanse.flows import neighbours as flow
from hanse.flows import settlement
from hanse.flows.neighbours import OrderAsked
from hanse.kernel.ids import tag_of
from hanse.market.away.views import Away, away_order
from hanse.world.simulation.plants import PLANTS as OF_ONE_DISTRICT
from hanse.world.simulation.plants import Plants, Put

__all__ = ["PLANTS"]

PLANTS: Plants = {"a receipt is given before the commit": OF_ONE_DISTRICT["answers are given before the commit"]}


def _named(name: str) -> Callable[[Callable[[Put], None]], Callable[[Put], None]]:
    def enter(bug: Callable[[Put], None]) -> Callable[[Put], None]:
        PLANTS[name] = bug
        return bug

    return enter


def _exchanged(table: Any, old: Callable[..., None], new: Callable[..., None]) -> list[tuple[Any, Callable[..., None]]]:
    """A table of the flow with one of its functions exchanged, under the old one's name."""
    new.__module__, new.__qualname__ = old.__module__, old.__qualname__
    return [(cls, new if act is old else act) for cls, act in table]


# Messages


@_named("a message that comes twice is heard twice")
def _hear_twice(put: Put) -> None:
    real = messages.receive

    def receive(district: District, sender: str, message: MessageSent) -> Receipt:
        channel = district.view(Neighbours).channels[sender]
        if message.number == channel.received:
            cls, hearer = district.hearers[message.kind]
            hearer(district, sender, msgspec.convert(message.body, cls))
        return real(district, sender, message)

    put(messages, "receive", receive)


@_named("what comes before its time is taken all the same")
def _skip_gap(put: Put) -> None:
    def receive(district: District, sender: str, message: MessageSent) -> Receipt:
        channel = district.view(Neighbours).channels[sender]
        if message.number > channel.received:
            cls, hearer = district.hearers[message.kind]
            hearer(district, sender, msgspec.convert(message.body, cls))
            district.record(MessageReceived(sender, message.number, message.kind, message.story, message.chain))
        return Receipt(district.charter.tag, sender, channel.received, channel.received_chain)

    put(messages, "receive", receive)


@_named("messages are let go of when they are sent")
def _send_and_forget(put: Put) -> None:
    real = messages.send

    def send(district: District, neighbour: str, message: Any, *, story: str) -> None:
        real(district, neighbour, message, story=story)
        district.record(MessagesAcknowledged(neighbour, district.view(Neighbours).channels[neighbour].sent))

    put(flow, "send", send)


@_named("the newest messages are sent first")
def _newest_first(put: Put) -> None:
    real = messages.next_batch

    def next_batch(district: District, neighbour: str) -> Batch | None:
        batch = real(district, neighbour)
        return batch and Batch(batch.sender, batch.to, batch.messages[::-1])

    def receive(district: District, sender: str, message: MessageSent) -> Receipt:
        channel = district.view(Neighbours).channels[sender]
        message = msgspec.structs.replace(
            message,
            number=max(message.number, channel.received + 1),
            chain=sealed(channel.received_chain, channel.received + 1, message.kind, message.body),
        )
        return real_receive(district, sender, message)

    real_receive = messages.receive
    put(messages, "next_batch", next_batch)
    put(messages, "receive", receive)


# The story


@_named("the end of a part is not told")
def _keep_silent(put: Put) -> None:
    real = flow.tell_settled

    def tell_settled(district: District, settled: PartSettled) -> None:
        if settled.part_id.endswith("-1"):
            real(district, settled)

    put(flow, "STEPS", _exchanged(flow.STEPS, real, tell_settled))


@_named("a refund is not told")
def _keep_refund(put: Put) -> None:
    def tell_refunded(district: District, refunded: Any) -> None:
        return

    put(flow, "STEPS", _exchanged(flow.STEPS, flow.tell_refunded, tell_refunded))


@_named("a debt that was paid is booked by one side only")
def _book_once(put: Put) -> None:
    def note_paid(district: District, sender: str, paid: Any) -> None:
        return

    put(settlement, "MESSAGES", _exchanged(settlement.MESSAGES, settlement.note_paid, note_paid))


@_named("the whole of what was set aside is taken although less was picked")
def _take_all(put: Put) -> None:
    real = clearing.take

    def take(district: District, order_id: str, shop_id: str, amount_minor: int) -> None:
        held = district.view(Ledger).holds.get(f"{order_id}-{shop_id}/goods")
        real(district, order_id, shop_id, held.amount_minor if held else amount_minor)

    put(clearing, "take", take)


@_named("the money is freed here when the neighbour does not answer in time")
def _free_by_clock(put: Put) -> None:
    def give_up(district: District) -> None:
        for order_id, order in district.view(Away).open.items():
            if order.asked.until_us < district.now_us and not order.parts:
                for shop_id in dict.fromkeys(line.shop_id for line in order.asked.lines):
                    clearing.free(district, order_id, shop_id)

    put(flow, "DEADLINES", [give_up])


@_named("a cancellation is granted here before the neighbour has answered")
def _cancel_at_home(put: Put) -> None:
    real = flow.ask_cancel

    def ask_cancel(district: District, order_id: str) -> None:
        real(district, order_id)
        for shop_id in dict.fromkeys(line.shop_id for line in away_order(district, order_id).asked.lines):
            clearing.free(district, order_id, shop_id)

    put(flow, "ask_cancel", ask_cancel)


@_named("an order is placed and refused")
def _both_ways(put: Put) -> None:
    real = flow.serve

    def serve(district: District, sender: str, asked: OrderAsked) -> None:
        real(district, sender, asked)
        if asked.order_id[-len(tag_of(asked.order_id)) - 1] in "02468":
            messages.send(district, sender, flow.OrderRefused(asked.order_id, "late"), story=asked.order_id)

    put(flow, "MESSAGES", _exchanged(flow.MESSAGES, real, serve))
