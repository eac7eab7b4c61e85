"""Answers by key: a repeated command gets the answer that it got before, for a day."""

from collections.abc import Callable
from itertools import islice

from hanse.district.jobs import Answer, Job
from hanse.district.keys import IN_MEMORY, Keys
from hanse.journal.protocol import Answered, Journal
from hanse.kernel.errors import InvalidInput
from hanse.kernel.time import DAY_US

__all__ = ["ANSWER_LIFE_US", "KEY_LENGTH_MAX", "Answers", "pair_of"]

ANSWER_LIFE_US = DAY_US
KEY_LENGTH_MAX = 128
FORGET_AFTER = 2_000
"""After so many answers as many old ones are let go of, and some more: so that they go as fast as they come."""

ROWS_AT_ONCE = 1_000


def pair_of(job: Job) -> int:
    """What stands for a job's caller and key in memory; 0 for one without a key."""
    return _pair(job.caller, job.key) if job.key else 0


def _pair(caller: str, key: str) -> int:
    return hash((caller, key)) or 1


class Answers:
    """Finds stored answers by caller and key.

    There is one small number for each key of the last 24 hours (see `Keys`), the answers themselves lie in
    the journal. That spares the journal an index over random keys, which would rewrite a page per order.
    """

    def __init__(self, journal: Journal, *, clock: Callable[[], int]) -> None:
        self._journal = journal
        self._clock = clock
        self._keys = Keys(in_memory=IN_MEMORY, life_us=ANSWER_LIFE_US)
        self._last = 0
        self._last_us = clock() - ANSWER_LIFE_US
        self._unforgotten = 0
        self.catch_up()

    def catch_up(self) -> None:
        """Know what the journal holds beyond what was remembered: all of it at the start, the rest after a fault."""
        given = (row for row in self._journal.answers_since(self._last_us) if row[0] > self._last)
        while rows := list(islice(given, ROWS_AT_ONCE)):
            self._keys.add([_pair(caller, key) for _, caller, key in rows], [row[0] for row in rows], self._clock())
        self._last = self._journal.head().answers

    def find(self, job: Job, pair: int) -> Answer | None:
        """The answer given before to this caller and key.

        Raises
        ------
        InvalidInput
            The key was used with another body.
        """
        if len(job.key) > KEY_LENGTH_MAX or not job.key.isprintable():
            raise InvalidInput(
                "district.bad_key",
                f"Give an Idempotency-Key of at most {KEY_LENGTH_MAX} printable characters.",
                field="Idempotency-Key",
            )
        number = self._keys.get(pair)
        if number is None:
            return None
        stored = self._journal.answer(number)
        # Another pair with the same hash, or one that is over its time: then nobody was answered before.
        if (
            stored is None
            or (stored.caller, stored.key) != (job.caller, job.key)
            or stored.time_us < self._clock() - ANSWER_LIFE_US
        ):
            self._keys.drop(pair)
            return None
        if stored.fingerprint != job.fingerprint:
            raise InvalidInput(
                "district.key_reused",
                "This Idempotency-Key was used with another body; use a new key for a new request.",
                field="Idempotency-Key",
            )
        return Answer(stored.kind, stored.body, stored.position, replayed=True)

    def rows(
        self, jobs: list[Job], pairs: list[int], answers: list[Answer], *, now_us: int
    ) -> tuple[list[Answered], list[int]]:
        """The rows to be committed with the turn's entries, and the pairs that they are of."""
        number = self._last
        rows, kept = [], []
        for job, pair, answer in zip(jobs, pairs, answers, strict=True):
            # A bug is no answer to keep: the repaired program shall do what was asked.
            if pair and answer.kind != "Bug":
                number += 1
                kept.append(pair)
                rows.append(
                    (
                        number,
                        now_us,
                        job.caller,
                        job.key,
                        job.fingerprint,
                        answer.kind,
                        answer.body,
                        answer.position,
                    )
                )
        # Plain tuples in the order of Answered: making the named ones costs 0.3 µs each.
        return rows, kept  # type: ignore[return-value]

    def remember(self, pairs: list[int], *, now_us: int) -> None:
        """Know the keys of rows that have been committed, by the pairs that `rows` gave with them."""
        if not pairs:
            return
        first = self._last + 1
        self._last += len(pairs)
        self._last_us = now_us
        self._unforgotten += len(pairs)
        self._keys.add(pairs, range(first, self._last + 1), now_us)

    @property
    def many(self) -> bool:
        """Whether so many answers were given since the last time that it is worth to `forget`, however busy."""
        return self._unforgotten >= FORGET_AFTER

    def forget(self) -> int:
        """Let go of some of what is over its time, faster than new ones come; returns how many answers."""
        limit, self._unforgotten = max(FORGET_AFTER, 2 * self._unforgotten), 0
        now_us = self._clock()
        forgotten = self._journal.forget_answers(now_us - ANSWER_LIFE_US, limit=limit)
        if forgotten:
            oldest = next(iter(self._journal.answers_since(0)), (self._last + 1, "", ""))[0]
            self._keys.forget(oldest, now_us=now_us)
        return forgotten
