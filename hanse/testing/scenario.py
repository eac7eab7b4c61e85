"""Given events, when a command or step runs, expect exactly these events."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import msgspec

from hanse.app.house import VIEWS
from hanse.district.core import Charter, District
from hanse.district.jobs import Answer, Job
from hanse.events.dictionary import Event, decode
from hanse.journal.protocol import Entry
from hanse.testing.clock import START_US

__all__ = ["Given", "Outcome", "given"]


class Outcome:
    """What one command came to."""

    def __init__(self, district: District, answer: Answer, events: list[Event]) -> None:
        self.district = district
        self.answer = answer
        self.events = events

    def expect(self, *events: Event) -> "Outcome":
        """Exactly these events were recorded, in this order."""
        assert self.answer.kind == "ok", f"It was refused: {self.answer.kind} {self.answer.body!r}"
        assert self.events == list(events), f"It recorded {self.events}"
        return self

    def answers(self, result: Any) -> "Outcome":
        """It answered this (as plain data)."""
        assert msgspec.json.decode(self.answer.body) == msgspec.to_builtins(result), f"It answered {self.answer.body!r}"
        return self

    def refuses(self, code: str) -> "Outcome":
        """It was refused with this code, and recorded nothing."""
        said = msgspec.json.decode(self.answer.body) if self.answer.kind != "ok" else {"code": "nothing"}
        assert said["code"] == code, f"It was refused with {said}"
        assert self.events == [], f"It was refused after it had recorded {self.events}"
        return self


class Given:
    """A district in which some events have happened. No steps run: one command is looked at alone."""

    def __init__(self, events: Iterable[Event], *, now_us: int = START_US) -> None:
        self.district = District(Charter(), views=VIEWS, flows=())
        self._now_us = now_us
        self.entries = [Entry(*row) for row in self.district.turn([Job(_record, (tuple(events),))], now_us).entries]
        """What happened, as a journal would have it."""

    def when(self, command: Callable[..., object], *arguments: Any, **options: Any) -> Outcome:
        """Run a command, or a step with its event."""
        act = partial(command, **options) if options else command
        self._now_us += 1
        turn = self.district.turn([Job(act, arguments)], self._now_us)
        # The entries of a turn are plain tuples in the order of Entry: name, version and body are what we need.
        recorded = [decode(row[2], row[3], row[7]) for row in turn.entries]
        return Outcome(self.district, turn.answers[0], [event for event in recorded if event is not None])


def given(*events: Event) -> Given:
    """Events that have happened.

    Examples
    --------
    >>> from hanse.events.supply import StockCounted
    >>> from hanse.supply.stock import service as stock
    >>> counted = StockCounted("shp_1", ("itm_tea",), (7,))
    >>> given(counted).when(stock.count, "shp_1", [("itm_tea", 9)]).expect(StockCounted("shp_1", ("itm_tea",), (9,)))
    <hanse.testing.scenario.Outcome object at ...>
    >>> given(counted).when(stock.count, "shp_1", [("itm_tea", -1)]).refuses("supply.bad_count")
    <hanse.testing.scenario.Outcome object at ...>
    """
    return Given(events)


def _record(district: District, events: tuple[Event, ...]) -> None:
    for event in events:
        district.record(event)
