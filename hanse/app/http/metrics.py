"""``GET /metrics``: what was counted, and what is read from the running house when somebody asks.

A number of the second kind costs nothing before, and a new one is a row in `READINGS`: name, what it says, how it is
read, and a label where there are several.
"""

import hmac
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_address
from typing import Literal, NamedTuple

from litestar.datastructures import State
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from hanse.app.followers import Followers
from hanse.app.house import House
from hanse.app.http.front import App, Receive, Scope, Send
from hanse.app.http.problems import encode
from hanse.app.http.stream import Feed
from hanse.app.relay import Standing
from hanse.app.telemetry.meters import CONTENT_TYPE, Meters
from hanse.district.own import Owed
from hanse.district.snapshots import newest_position
from hanse.district.troubles import troubles
from hanse.district.writer import QUEUE_MAX
from hanse.kernel.errors import NotAllowed
from hanse.kernel.time import SECOND_US
from hanse.market.orders.views import Orders

__all__ = ["METRICS_PATH", "READINGS", "MetricsPage", "Reading", "Scrape"]

METRICS_PATH = "/metrics"

_BY_PROXY = (b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via")
"""What a proxy adds: a request that it hands on comes from this machine as well."""


class Reading(NamedTuple):
    """One number, or one for each value of a label."""

    name: str
    says: str
    read: Callable[[House], float | Mapping[str, float]]
    label: str = ""
    kind: Literal["gauge", "counter"] = "gauge"


class MetricsPage:
    """An ASGI application around another one that answers ``GET /metrics``, to whom the setting `metrics` names.

    In front of the application's own door, because a reader's token is none of the district's.
    """

    def __init__(self, app: App, house: House, meters: Meters) -> None:
        self._app = app
        self._settings = house.settings
        self._meters = meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand on."""
        if scope["type"] != "http" or (scope["method"], scope["path"]) != ("GET", METRICS_PATH):
            await self._app(scope, receive, send)
            return
        try:
            self._let_in(scope)
            status, headers, body = 200, [(b"content-type", CONTENT_TYPE.encode())], self._meters.page()
        except NotAllowed as error:
            status, headers, body = encode(error, METRICS_PATH)
        headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    def _let_in(self, scope: Scope) -> None:
        headers = dict(scope["headers"])
        if self._settings.metrics == "token":
            given = headers.get(b"authorization", b"").removeprefix(b"Bearer ")
            token = self._settings.metrics_token.encode()
            if not token or not hmac.compare_digest(given, token):
                raise NotAllowed("app.bad_token", "Send the token of the setting metrics_token.")
        elif not _is_from_here(scope, headers):
            raise NotAllowed("app.not_from_here", "Metrics are read on the machine itself, and past any proxy.")


def _is_from_here(scope: Scope, headers: Mapping[bytes, bytes]) -> bool:
    client = scope.get("client")
    if client is None or not headers.keys().isdisjoint(_BY_PROXY):
        return False
    try:
        return ip_address(client[0]).is_loopback
    except ValueError:
        return False


class Scrape(Collector):
    """All readings of a house."""

    def __init__(self, house: House, state: State) -> None:
        self._house = house
        self._readings = (*READINGS, *_of_server(state))

    def collect(self) -> Iterable[Metric]:
        """What Prometheus asks for."""
        for reading in self._readings:
            family = CounterMetricFamily if reading.kind == "counter" else GaugeMetricFamily
            metric = family(reading.name, reading.says, labels=[reading.label] if reading.label else [])
            value = reading.read(self._house)
            for label, one in value.items() if isinstance(value, Mapping) else [("", value)]:
                metric.add_metric([label] if reading.label else [], one)
            yield metric

    def describe(self) -> Iterable[Metric]:
        """Nothing: being asked at the registration would read everything before it is there."""
        return ()


def _of_server(state: State) -> tuple[Reading, ...]:
    """What the server knows beside its house: streams, and the followers that it keeps."""
    feed: Feed = state.feed

    def standings() -> Mapping[int, Standing]:
        followers: Followers | None = state.get("followers")
        return followers.standings() if followers is not None else {}

    def lags(_: House) -> Mapping[str, float]:
        return {str(number): standing.lag_us / SECOND_US for number, standing in standings().items()}

    def fit(_: House) -> Mapping[str, float]:
        return {str(number): float(standing.fit) for number, standing in standings().items()}

    return (
        Reading("hanse_streams_open", "Listeners to the stream of events.", lambda _: feed.clients),
        Reading("hanse_followers_wanted", "Followers that are set.", lambda house: house.settings.followers),
        Reading("hanse_follower_lag_seconds", "How far a follower is behind.", lags, "follower"),
        Reading("hanse_follower_fit", "Whether a follower answers reads.", fit, "follower"),
    )


def _orders(house: House) -> Mapping[str, float]:
    orders = house.district.view(Orders)
    return {"placed": orders.placed, "accepted": orders.accepted, "closed": orders.closed}


def _owed(house: House) -> Mapping[str, float]:
    return {effect: len(asked) for effect, asked in house.district.view(Owed).since_us.items()}


def _oldest(house: House) -> float:
    since = [asked for effect in house.district.view(Owed).since_us.values() for asked in effect.values()]
    return (time.time() - min(since) / SECOND_US) if since else 0.0


def _troubles(house: House) -> Mapping[str, float]:
    found = Counter(one.kind for one in troubles(house.district))
    return {kind: found[kind] for kind in ("step", "effect", "command", "channel")}


def _journal_bytes(house: House) -> float:
    return sum(path.stat().st_size for path in house.settings.folder.glob("journal.sqlite*"))


def _snapshot_age(house: House) -> float:
    newest = max((path.stat().st_mtime for path in house.snapshots.glob("*.snapshot")), default=None)
    return float("nan") if newest is None else time.time() - newest


READINGS: tuple[Reading, ...] = (
    Reading("hanse_orders", "Orders since the district began.", _orders, "state", "counter"),
    Reading("hanse_orders_open", "Orders that are not closed.", lambda h: len(h.district.view(Orders).open)),
    Reading("hanse_journal_position", "The last committed entry.", lambda h: h.district.position),
    Reading("hanse_journal_bytes", "Files of an embedded journal.", _journal_bytes),
    Reading("hanse_queue_commands", "Commands that wait for their turn.", lambda h: h.writer.waiting),
    Reading("hanse_queue_commands_max", "From here on commands are refused.", lambda _: QUEUE_MAX),
    Reading("hanse_steps_owed", "Events whose steps have not run yet.", lambda h: h.district.steps_owed),
    Reading("hanse_effects_owed", "Calls that the world outside has not answered.", _owed, "effect"),
    Reading("hanse_effects_oldest_seconds", "How long the oldest of them has waited.", _oldest),
    Reading("hanse_troubles", "What waits for a person; see `hanse troubles`.", _troubles, "kind"),
    Reading("hanse_snapshot_position", "Up to where the newest snapshot goes.", lambda h: newest_position(h.snapshots)),
    Reading("hanse_snapshot_age_seconds", "How old the newest snapshot is.", _snapshot_age),
    Reading("hanse_disk_free_bytes", "Left where the data lies.", lambda h: shutil.disk_usage(h.settings.folder).free),
    Reading("hanse_started_seconds", "When this process began, since 1970.", lambda h: h.started_us / SECOND_US),
)
