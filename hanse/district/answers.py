"""Answers by key: a repeated command gets the answer that it got before, for a day."""

from collections.abc import Callable

from hanse.district.jobs import Answer, Job
from hanse.journal.protocol import Answered, Journal
from hanse.kernel.errors import InvalidInput
from hanse.kernel.time import DAY_US

__all__ = ["ANSWER_LIFE_US", "KEY_LENGTH_MAX", "Answers", "pair_of"]

ANSWER_LIFE_US = DAY_US
KEY_LENGTH_MAX = 128
FORGET_PER_CALL = 2_000


def pair_of(job: Job) -> int:
    """What stands for a job's caller and key in memory; 0 for one without a key."""
    return _pair(job.caller, job.key) if job.key else 0


def _pair(caller: str, key: str) -> int:
    return hash((caller, key)) or 1


class Answers:
    """Finds stored answers by caller and key.

    Memory holds one small number for each key of the last 24 hours (about 130 bytes), the answers
    themselves lie in the journal. That spares the journal an index over random keys, which would
    rewrite a page per order.
    """

    def __init__(self, journal: Journal, *, clock: Callable[[], int]) -> None:
        self._journal = journal
        self._clock = clock
        self._numbers: dict[int, int] = {}
        self._last = journal.head().answers
        for number, caller, key in journal.answers_since(clock() - ANSWER_LIFE_US):
            self._numbers[_pair(caller, key)] = number

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
        number = self._numbers.get(pair)
        if number is None:
            return None
        stored = self._journal.answer(number)
        # Another pair with the same hash, or one that is over its time: then nobody was answered before.
        if (
            stored is None
            or (stored.caller, stored.key) != (job.caller, job.key)
            or stored.time_us < self._clock() - ANSWER_LIFE_US
        ):
            # The answer to come goes to the end, so that numbers rise as `_drop_until` expects.
            del self._numbers[pair]
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

    def remember(self, pairs: list[int]) -> None:
        """Know the keys of rows that have been committed, by the pairs that `rows` gave with them."""
        first = self._last + 1
        self._last += len(pairs)
        self._numbers.update(zip(pairs, range(first, self._last + 1), strict=True))

    def forget(self) -> int:
        """Let go of some of what is over its time; called when there is nothing better to do."""
        forgotten = self._journal.forget_answers(self._clock() - ANSWER_LIFE_US, limit=FORGET_PER_CALL)
        if forgotten:
            self._drop_until(next(iter(self._journal.answers_since(0)), (self._last + 1, "", ""))[0])
        return forgotten

    def _drop_until(self, oldest: int) -> None:
        # Numbers rise in the order of insertion, so what is too old stands in front.
        gone = []
        for pair, number in self._numbers.items():
            if number >= oldest:
                break
            gone.append(pair)
        for pair in gone:
            del self._numbers[pair]
