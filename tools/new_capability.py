"""Write a new capability in the shape of the house: card, event, service, view and a test that passes.

``python -m tools.new_capability supply forecast`` writes hanse/supply/forecast/, tests/supply/test_forecast.py and the
event `ForecastNoted` into hanse/events/supply.py; a third argument names the event otherwise. What it writes
passes `make check`, so that the first own change starts from green.
"""

import re
import subprocess
import sys
from pathlib import Path
from string import Template

from tools.rules.source import CONTEXTS

__all__ = ["main", "write"]

_CARD = '''\
"""${Name}: what it does, in one line.

Question: Which question does this answer, in the words of whoever asks?
Engine: none
Method: counts what was noted, by subject
Reads: ${context}.${event}
Records: ${context}.${event}
Limits: not yet measured
Not for: what a neighbour answers better, and which neighbour
"""
'''

_VIEWS = '''\
"""How often a subject was noted."""

from hanse.district.core import District
from hanse.district.views import View, folds
from hanse.events.${context} import ${Event}

__all__ = ["${Name}", "times_noted"]


class ${Name}(View):
    """Counts by subject."""

    counts: dict[str, int] = {}

    @folds(${Event})
    def _note(self, event: ${Event}, now_us: int) -> None:
        self.counts[event.subject_id] = self.counts.get(event.subject_id, 0) + 1


def times_noted(district: District, subject_id: str) -> int:
    """How often the subject was noted; 0 for one never heard of."""
    return district.view(${Name}).counts.get(subject_id, 0)
'''

_SERVICE = '''\
"""Commands: note."""

from hanse.district.core import District
from hanse.events.${context} import ${Event}
from hanse.kernel.errors import must

__all__ = ["note"]


def note(district: District, subject_id: str) -> None:
    """Note a subject. Records `${Event}`."""
    must(subject_id, "${context}.no_subject", "Name the subject.", field="subject_id")
    district.record(${Event}(subject_id))
'''

_TEST = """\
from hanse.${context}.${name} import service, views
from hanse.district.core import Charter, District
from hanse.district.jobs import Job
from hanse.events.dictionary import kind_of
from hanse.events.${context} import ${Event}
from hanse.kernel.time import SECOND_US


def district() -> District:
    return District(Charter(), views=[views.${Name}], flows=[])


def test_a_noted_subject_is_counted_by_one_event() -> None:
    town = district()
    turn = town.turn([Job(service.note, ("sub_1",))], SECOND_US)
    assert [entry[2] for entry in turn.entries] == [kind_of(${Event}).name]
    assert views.times_noted(town, "sub_1") == 1
    assert views.times_noted(town, "sub_2") == 0


def test_a_subject_without_a_name_is_refused_and_nothing_changes() -> None:
    town = district()
    turn = town.turn([Job(service.note, ("",))], SECOND_US)
    assert turn.entries == []
    assert [answer.kind for answer in turn.answers] == ["InvalidInput"]
"""

_EVENT = '''

@stored("${context}.${event}", story="subject_id")
class ${Event}(Event, frozen=True):
    """A subject was noted: say here what has happened."""

    subject_id: str
'''

_NEW_DICTIONARY_FILE = '''\
"""What ${context} records."""

from hanse.events.dictionary import Event, stored

__all__: list[str] = []
'''

_NEXT = """\
Written. Next:
  1. Name the event for what happens (hanse/events/${context}.py): once released, its stored name is for ever.
  2. Write the test you wish for in tests/${context}/test_${name}.py, then the service and the view.
  3. Fill the card in hanse/${context}/${name}/__init__.py; `make docs` puts it into the reference.
  4. Enter the view ${Name} into VIEWS of hanse/app/house.py, and a route in hanse/${context}/web.py if people need one.
  5. An algorithm? Add engine.py, pure, and its public names to __all__ in the card's file.
  6. make check test; a line in CHANGELOG.md."""


def main(arguments: list[str]) -> int:
    """Write the capability that the arguments name; the exit code."""
    if not 2 <= len(arguments) <= 3:
        print("Say: python -m tools.new_capability CONTEXT NAME [EventName]")
        return 2
    try:
        print(write(Path(), *arguments))
    except ValueError as error:
        print(error)
        return 2
    return 0


def write(root: Path, context: str, name: str, event: str = "") -> str:
    """Write the files below `root`; returns what to do next.

    Raises
    ------
    ValueError
        The context is not one of the house's, a name has the wrong form, or the capability exists.
    """
    words = _words(context, name, event)
    folder = root / "hanse" / context / name
    if folder.exists():
        raise ValueError(f"hanse/{context}/{name} exists already.")
    dictionary = root / "hanse" / "events" / f"{context}.py"
    if dictionary.exists() and f"class {words['Event']}(" in dictionary.read_text(encoding="utf-8"):
        raise ValueError(f"{dictionary.name} has an event {words['Event']} already; name another.")
    _put(
        root / "hanse" / context / "__init__.py",
        '"""${Context}: say what belongs here, capability by capability."""\n',
        words,
    )
    for file, text in [("__init__.py", _CARD), ("views.py", _VIEWS), ("service.py", _SERVICE)]:
        _put(folder / file, text, words)
    _put(root / "tests" / context / f"test_{name}.py", _TEST, words)
    _put(dictionary, _NEW_DICTIONARY_FILE, words)
    _enter_event(dictionary, words)
    _sort_imports(root, ["hanse/events", f"hanse/{context}/{name}", f"tests/{context}/test_{name}.py"])
    return Template(_NEXT).substitute(words)


def _words(context: str, name: str, event: str) -> dict[str, str]:
    if context not in CONTEXTS:
        raise ValueError(f"There is no context {context}; there are: {', '.join(sorted(CONTEXTS))}.")
    if not re.fullmatch(r"[a-z]+", name):
        raise ValueError("A capability is named by one lower-case noun of the trade, such as forecast.")
    event = event or f"{name.title()}Noted"
    if not re.fullmatch(r"([A-Z][a-z]+)+", event):
        raise ValueError("An event is named in the past tense, such as ForecastMade.")
    return {
        "context": context,
        "Context": context.title(),
        "name": name,
        "Name": name.title(),
        "Event": event,
        "event": re.sub(r"(?<!^)(?=[A-Z])", "_", event).lower(),
    }


def _put(path: Path, text: str, words: dict[str, str]) -> None:
    """Write a file from its template, unless it is there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(Template(text).substitute(words), encoding="utf-8")


def _enter_event(dictionary: Path, words: dict[str, str]) -> None:
    """Append the event's class to its context's file of the dictionary, and its name to `__all__`."""
    text = dictionary.read_text(encoding="utf-8")
    text = re.sub(r"__all__(: list\[str\])? = \[", f'__all__ = ["{words["Event"]}", ', text, count=1)
    dictionary.write_text(text + Template(_EVENT).substitute(words), encoding="utf-8")


def _sort_imports(root: Path, paths: list[str]) -> None:
    """Let ruff order imports and names, which depend on what else is there."""
    ruff = Path(sys.executable).with_name("ruff")
    subprocess.run([ruff, "check", "--quiet", "--select", "I,RUF022", "--fix", *paths], cwd=root, check=True)
    subprocess.run([ruff, "format", "--quiet", *paths], cwd=root, check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
