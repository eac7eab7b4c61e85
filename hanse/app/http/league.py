"""What the league looks at: the stream of events, an order's story, decisions, the state of the district."""

import time
from collections import deque
from typing import Annotated, Any

import msgspec
from litestar import Request, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream

from hanse.app.home import Home
from hanse.app.http.stream import Feed, Happening, happening
from hanse.district.own import Decisions, Troubles
from hanse.events.dictionary import kind_of
from hanse.events.district import EffectFailed, StepFailed
from hanse.events.learning import DecisionMade, OutcomeObserved
from hanse.events.market import OrderPlaced
from hanse.journal.protocol import Entry
from hanse.kernel.errors import InvalidInput, NotFound
from hanse.kernel.ids import ID_LENGTH_MAX
from hanse.kernel.principal import Principal
from hanse.learning.decisions.archive import decisions_before
from hanse.market.orders.views import Orders

__all__ = ["ROUTES", "Pulse", "Summary", "summary"]

_PLACED = kind_of(OrderPlaced).name
PULSE_S = 60
LATEST_MAX = 100


class Pulse:
    """Counts what is committed, second by second, for the last minute."""

    def __init__(self, house: Home) -> None:
        self._seconds: deque[tuple[int, int, int]] = deque(maxlen=PULSE_S)
        self._stop = house.listen(self._hear)

    def rates(self, over_s: int = 10) -> tuple[float, float]:
        """Orders and entries a second, over the last whole seconds."""
        now = int(time.monotonic())
        recent = [(orders, entries) for second, orders, entries in self._seconds if now - over_s <= second < now]
        return sum(o for o, _ in recent) / over_s, sum(e for _, e in recent) / over_s

    def series(self) -> list[tuple[int, int]]:
        """Seconds ago and orders placed then, oldest first."""
        now = int(time.monotonic())
        return [(now - second, orders) for second, orders, _ in self._seconds]

    def close(self) -> None:
        """Count no more."""
        self._stop()

    def _hear(self, entries: list[Entry]) -> None:
        second = int(time.monotonic())
        orders = sum(entry[2] == _PLACED for entry in entries)
        if self._seconds and self._seconds[-1][0] == second:
            _, before, counted = self._seconds.pop()
            self._seconds.append((second, before + orders, counted + len(entries)))
        else:
            self._seconds.append((second, orders, len(entries)))


class Stopped(msgspec.Struct, frozen=True):
    """A command or step that stopped the writer; after two times it is parked."""

    what: str
    times: int
    error: str


class FollowerShown(msgspec.Struct, frozen=True):
    """Where a follower stands: up to which position, how old what it lacks is, and whether it answers reads."""

    number: int
    position: int
    lag_ms: float
    answers: bool


class Summary(msgspec.Struct, frozen=True):
    """How the district does."""

    position: int
    now_us: int
    started_us: int
    orders_per_s: float
    entries_per_s: float
    placed: int
    accepted: int
    closed: int
    open: int
    waiting: int
    steps_owed: int
    streams: int
    restarts: int
    orders_by_second: list[tuple[int, int]]
    failed_steps: tuple[StepFailed, ...]
    failed_effects: tuple[EffectFailed, ...]
    stopped: tuple[Stopped, ...]
    followers: tuple[FollowerShown, ...]


class DecisionShown(msgspec.Struct, frozen=True):
    """A decision of a brain, and what came of it."""

    decision: DecisionMade
    outcomes: tuple[OutcomeObserved, ...]


@get("/api/league/summary", roles=("league",), tags=["league"], summary="How the district does", sync_to_thread=False)
def get_summary(house: NamedDependency[Home], feed: NamedDependency[Feed], pulse: NamedDependency[Pulse]) -> Summary:
    """Orders a second, open orders, and what waits for a person."""
    return summary(house, feed, pulse)


@get("/api/stories/{story_id:str}", roles=("league",), tags=["league"], summary="A story", sync_to_thread=False)
def get_story(
    house: NamedDependency[Home],
    story_id: FromPath[str],
    limit: Annotated[int, QueryParameter(required=False, ge=1, le=1_000)] = 200,
) -> tuple[Happening, ...]:
    """Everything that happened to one thing, in order, each with what caused it."""
    entries = house.journal.story(story_id, limit=limit) if len(story_id) <= 2 * ID_LENGTH_MAX else []
    if not entries:
        raise NotFound("app.unknown_story", "Nothing has happened under this id.", story_id=story_id[:ID_LENGTH_MAX])
    return tuple(map(happening, entries))


@get("/api/decisions", roles=("league",), tags=["league"], summary="The latest decisions")
async def list_decisions(
    house: NamedDependency[Home],
    limit: Annotated[int, QueryParameter(required=False, ge=1, le=LATEST_MAX)] = 20,
    before: Annotated[
        str, QueryParameter(required=False, max_length=ID_LENGTH_MAX, description="Only those before this decision.")
    ] = "",
) -> tuple[DecisionShown, ...]:
    """What brains chose, why, and what came of it; the newest first. With `before` back to the first one."""
    view = house.district.view(Decisions)
    if before:
        older = await decisions_before(house.archive, before, limit=limit)
        return tuple(DecisionShown(logged.decision, logged.outcomes) for logged in older)
    ids = list(view.latest)[: -limit - 1 : -1]
    return tuple(DecisionShown(view.latest[i], tuple(view.outcomes.get(i, ()))) for i in ids)


@get(
    "/api/events",
    roles=("league", "shopper", "shop"),
    tags=["league"],
    summary="The journal as it grows",
    responses={200: ResponseSpec(str, media_type="text/event-stream", generate_examples=False, description="SSE")},
    sync_to_thread=False,
)
def stream_events(
    request: Request[Any, Any, Any],
    feed: NamedDependency[Feed],
    principal: NamedDependency[Principal],
    after: Annotated[int | None, QueryParameter(required=False, ge=0, description="Position to go on from.")] = None,
) -> Stream:
    """Server-sent events: the league sees all, a shopper and a shop what happens to their own orders."""
    last = request.headers.get("last-event-id", "")
    if last:
        if not last.isdigit():
            raise InvalidInput("app.bad_query", "Give the position of an event.", field="Last-Event-ID")
        after = int(last)
    return Stream(
        feed.stream(principal, after),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


ROUTES = (get_summary, get_story, list_decisions, stream_events)


def summary(house: Home, feed: Feed, pulse: Pulse) -> Summary:
    """How the district does now."""
    district = house.district
    orders, troubles = district.view(Orders), district.view(Troubles)
    orders_per_s, entries_per_s = pulse.rates()
    return Summary(
        position=district.position,
        now_us=district.now_us,
        started_us=house.started_us,
        orders_per_s=orders_per_s,
        entries_per_s=entries_per_s,
        placed=orders.placed,
        accepted=orders.accepted,
        closed=orders.closed,
        open=len(orders.open),
        waiting=house.waiting,
        steps_owed=district.steps_owed,
        streams=feed.clients,
        restarts=house.restarts,
        orders_by_second=pulse.series(),
        failed_steps=tuple(troubles.failed_steps[-LATEST_MAX:]),
        failed_effects=tuple(troubles.failed_effects[-LATEST_MAX:]),
        stopped=tuple(Stopped(s.what, s.times, s.error) for s in troubles.stopped.values()),
        followers=followers(house),
    )


def followers(house: Home) -> tuple[FollowerShown, ...]:
    """Where each follower stands; only the writer's house knows."""
    return tuple(FollowerShown(n, s.position, s.lag_us / 1e3, s.fit) for n, s in sorted(house.standings().items()))
