"""A journal in memory, for tests and for trying things out."""

from collections.abc import Iterator, Sequence

from hanse.journal.protocol import Answered, Commit, Entry, Head, JournalFenced, Mark

__all__ = ["MemoryJournal"]


class MemoryJournal:
    """Keeps everything in lists; what it holds dies with it."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._marks: list[Mark] = []
        self._answers: dict[int, Answered] = {}

    def head(self) -> Head:
        answers = next(reversed(self._answers), 0)
        if not self._marks:
            return Head(answers=answers)
        mark = self._marks[-1]
        return Head(mark.position, mark.time_us, mark.steps_through, mark.hash, answers)

    def append(self, commit: Commit) -> None:
        if not self._fits(commit):
            raise JournalFenced("journal.fenced", "Another writer has taken over this district; stop this one.")
        self._entries.extend(Entry(*entry) for entry in commit.entries)
        if commit.mark is not None:
            self._marks.append(commit.mark)
        self._answers.update({answer[0]: Answered(*answer) for answer in commit.answers})

    def extend(self, commits: Sequence[Commit]) -> None:
        before = list(self._entries), list(self._marks), dict(self._answers)
        try:
            for commit in commits:
                self.append(commit)
        except BaseException:
            self._entries, self._marks, self._answers = before
            raise

    def renew(self) -> None:
        pass

    def probe(self) -> None:
        pass

    def read(self, after: int = 0, *, limit: int | None = None) -> Iterator[Entry]:
        return iter(self._entries[after : None if limit is None else after + limit])

    def story(self, story: str, *, limit: int = 1_000) -> list[Entry]:
        return [entry for entry in self._entries if story and entry.story == story][:limit]

    def marks(self, after: int = 0) -> Iterator[Mark]:
        return (mark for mark in self._marks if mark.position > after)

    def answer(self, number: int) -> Answered | None:
        return self._answers.get(number)

    def answers_since(self, time_us: int) -> Iterator[tuple[int, str, str]]:
        return iter([(a.number, a.caller, a.key) for a in self._answers.values() if a.time_us >= time_us])

    def answers(self) -> Iterator[Answered]:
        return iter(list(self._answers.values()))

    def forget_answers(self, before_us: int, *, limit: int) -> int:
        old = [a.number for a in self._answers.values() if a.time_us < before_us][:limit]
        for number in old:
            del self._answers[number]
        return len(old)

    def close(self) -> None:
        pass

    def _fits(self, commit: Commit) -> bool:
        """Whether every position and number is new, as the primary keys of a database would see to."""
        positions = [entry[0] for entry in commit.entries]
        follows = positions == list(range(len(self._entries) + 1, len(self._entries) + len(positions) + 1))
        marked = commit.mark is None or not self._marks or commit.mark.position > self._marks[-1].position
        return follows and marked and all(answer[0] not in self._answers for answer in commit.answers)
