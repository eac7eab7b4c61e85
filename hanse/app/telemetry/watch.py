"""Watches the writer for the operator: what is slow, what went wrong, and the numbers of each turn."""

import logging
import time
from collections.abc import Mapping
from operator import itemgetter

from hanse.app.telemetry.export import Sender, sender_by
from hanse.app.telemetry.logs import say
from hanse.app.telemetry.meters import Meters
from hanse.app.telemetry.tracing import Spans, is_wanted, spans_by
from hanse.district.observing import Turned
from hanse.events.dictionary import decode, kind_of
from hanse.events.district import EffectFailed

__all__ = ["Watch", "watch_by"]

FULL_TURN = 100
"""So many commands may take as long together as one that is not slow."""

_EFFECT_FAILED = kind_of(EffectFailed).name
_NAME = itemgetter(2)


class Watch:
    """The observer of a house's writer.

    Parameters
    ----------
    slow_s
        What takes longer is logged and counted: a command, a step, a deadline, the commit of a turn, and a turn in
        which nothing by itself was slow. A turn may take so long for each hundred of its commands.
    meters
        Counts, if anybody wants numbers.
    spans
        Traces, if anybody wants traces.
    sender
        Sends the numbers, if somebody wants them sent.
    """

    def __init__(
        self,
        *,
        slow_s: float,
        meters: Meters | None = None,
        spans: Spans | None = None,
        sender: Sender | None = None,
    ) -> None:
        self.slow_s = slow_s
        self.meters = meters
        self.spans = spans
        self._sender = sender
        self._was_slow = False
        self._failed_at: float | None = None

    @property
    def unavailable_s(self) -> float | None:
        """How long ago a commit failed; None if one succeeded since."""
        return None if self._failed_at is None else time.monotonic() - self._failed_at

    def close(self) -> None:
        """Count no more, and send what waits; that may take as long as whoever receives it."""
        for part in (self._sender, self.spans, self.meters):
            if part is not None:
                part.close()

    def turned(self, turned: Turned) -> None:
        """See `Observer`."""
        if not turned.jobs and not turned.entries:
            return
        self._failed_at = None
        position = turned.entries[-1][0] if turned.entries else 0
        # Many commands that are quick one by one are no slow turn, but a full one.
        limit_s = self.slow_s * max(1.0, len(turned.jobs) / FULL_TURN)
        if turned.folding_s > limit_s and not self._was_slow:
            self.slow("turn", "folding", seconds=turned.folding_s, position=position, caller="")
        if turned.commit_s > limit_s:
            self.slow("commit", "journal", seconds=turned.commit_s, position=position, caller="")
        self._was_slow = False
        if _EFFECT_FAILED in map(_NAME, turned.entries):
            self._tell_effects(turned)
        if self.meters is not None:
            self.meters.turned(turned)
        if self.spans is not None:
            self.spans.turned(turned)

    def slow(self, kind: str, origin: str, *, seconds: float, position: int, caller: str) -> None:
        """See `Observer`; of the caller only what kind it is."""
        self._was_slow = True
        who = caller.partition("_")[0]
        say(logging.WARNING, f"slow_{kind}", origin=origin, seconds=round(seconds, 4), position=position, caller=who)
        if self.meters is not None:
            self.meters.slow(kind)

    def stumbled(self, kind: str, origin: str, *, position: int, error: Exception | None) -> None:
        """See `Observer`."""
        say(logging.ERROR, f"{kind}_failed", origin=origin, position=position, error=error)

    def restarted(self, *, reason: str, what: str, error: BaseException, parked: bool) -> None:
        """See `Observer`."""
        if reason == "unavailable":
            self._failed_at = time.monotonic()
            say(logging.ERROR, "commit_failed", error=error)
        else:
            say(logging.ERROR, "writer_restarted", what=what, parked=parked, error=error)
        if self.meters is not None:
            self.meters.restarted(reason)

    @staticmethod
    def _tell_effects(turned: Turned) -> None:
        for entry in turned.entries:
            if entry[2] == _EFFECT_FAILED:
                event = decode(entry[2], entry[3], entry[7])
                assert isinstance(event, EffectFailed)
                say(logging.ERROR, "effect_failed", effect=event.effect, of=event.position, position=entry[0])


def watch_by(environment: Mapping[str, str], *, slow_s: float, is_counted: bool, district: str) -> Watch:
    """What watches a district, as the operator wants it: with numbers if they are read or sent, with traces if sent.

    Raises
    ------
    Unavailable
        The environment asks for OpenTelemetry, which is not installed.
    """
    spans = spans_by(environment, district=district)
    if not is_counted and not is_wanted(environment):
        return Watch(slow_s=slow_s)
    meters = Meters()
    sender = sender_by(environment, meters.registry, district=district)
    return Watch(slow_s=slow_s, meters=meters, spans=spans, sender=sender)
