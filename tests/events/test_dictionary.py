import re
from typing import Any

import msgspec
import pytest

from hanse.events import dictionary
from hanse.events.dictionary import Event, Kind, decode, kind_of, stored, upcast
from hanse.kernel.errors import Conflict
from tests.events.samples import all_kinds, sample
from tests.events.write_golden import FOLDER, path_of

KINDS = all_kinds()
GOLDEN = sorted(FOLDER.glob("*.json"))


def named(kind: Kind) -> str:
    return kind.name


@pytest.fixture
def scratch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made-up events that leave the dictionary again."""
    for table in ("_by_class", "_by_name", "_lifts"):
        monkeypatch.setattr(dictionary, table, dict(getattr(dictionary, table)))


@pytest.mark.parametrize("kind", KINDS, ids=named)
def test_a_stored_name_is_its_context_and_its_class_in_words(kind: Kind) -> None:
    context, _, words = kind.name.partition(".")
    assert kind.cls.__module__ == f"hanse.events.{context}"
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", kind.cls.__name__).lower()
    assert name in (words, f"{context}_{words}")
    assert kind_of(kind.cls) is kind


@pytest.mark.parametrize("kind", KINDS, ids=named)
def test_an_event_comes_back_from_the_journal_as_it_was(kind: Kind) -> None:
    event = sample(kind.cls)
    body = msgspec.json.encode(event)
    assert decode(kind.name, kind.version, body) == event
    assert decode(kind.name, kind.version, body.decode()) == event
    if kind.story is not None:
        assert isinstance(kind.story(event), str)


@pytest.mark.parametrize("kind", KINDS, ids=named)
def test_every_event_has_a_golden_file(kind: Kind) -> None:
    assert path_of(kind).exists(), f"{kind.name} is new: python -m tests.events.write_golden"


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_what_journals_out_there_hold_can_be_read(path: Any) -> None:
    name, version = path.stem.rsplit(".", 1)
    body = path.read_bytes()
    event = decode(name, int(version), body)
    assert event is not None, f"{name} was renamed or dropped; stored names are for ever"
    if int(version) == kind_of(type(event)).version:
        again = msgspec.json.decode(msgspec.json.encode(event))
        assert keeps(msgspec.json.decode(body), again), "a field is lost: raise the version and register an upcast"


def keeps(old: Any, new: Any) -> bool:
    """Whether all that was stored is still there; a new field with a default may have joined."""
    if isinstance(old, dict):
        return all(key in new and keeps(old[key], new[key]) for key in old)
    if isinstance(old, list):
        return len(old) == len(new) and all(map(keeps, old, new))
    return bool(old == new)


def test_every_older_version_has_its_way_up() -> None:
    wanted = {(kind.name, version) for kind in KINDS for version in range(1, kind.version)}
    assert wanted - dictionary._lifts.keys() == set()


@pytest.mark.usefixtures("scratch")
def test_older_versions_are_lifted_one_after_the_other() -> None:
    @upcast("example.lamp_lit", version=1)
    def _(body: dict[str, Any]) -> dict[str, Any]:
        return {"lamp_id": body["lamp"], "watts": 60}

    @upcast("example.lamp_lit", version=2)
    def _(body: dict[str, Any]) -> dict[str, Any]:
        return {"lamp_id": body["lamp_id"], "lumens": body["watts"] * 12, "at": [1, 2]}

    @stored("example.lamp_lit", version=3, story="lamp_id")
    class LampLit(Event, frozen=True):
        lamp_id: str
        lumens: int
        at: tuple[int, int]

    assert decode("example.lamp_lit", 1, '{"lamp":"l1"}') == LampLit("l1", 720, (1, 2))
    assert decode("example.lamp_lit", 2, b'{"lamp_id":"l1","watts":5}') == LampLit("l1", 60, (1, 2))
    assert decode("example.lamp_lit", 3, '{"lamp_id":"l1","lumens":7,"at":[3,4]}') == LampLit("l1", 7, (3, 4))


def test_an_event_from_the_future_asks_for_a_newer_program() -> None:
    with pytest.raises(Conflict) as refused:
        decode("people.member_erased", 2, '{"person_id":"per_1"}')
    assert refused.value.code == "events.from_the_future"


def test_an_event_of_an_absent_capability_is_skipped() -> None:
    assert decode("astrology.star_fallen", 1, "not even JSON") is None


@pytest.mark.usefixtures("scratch")
def test_a_stored_name_belongs_to_one_class() -> None:
    with pytest.raises(Conflict) as refused:

        @stored("people.member_joined")
        class Other(Event, frozen=True):
            pass

    assert refused.value.code == "events.name_taken"
    assert kind_of(dictionary._by_name["people.member_joined"].cls).cls.__name__ == "MemberJoined"
