import csv
import json
import re
import sqlite3
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest

import hanse
from hanse.app.house import House
from hanse.app.origins import whereabouts
from hanse.app.settings import Settings
from hanse.district.snapshots import take
from hanse.supply.stock.views import Stock

Run = Callable[..., tuple[int, str, str]]


def order_id_of(data: Path) -> str:
    with sqlite3.connect(data / "journal.sqlite") as db:
        story: str = db.execute("SELECT story FROM entry WHERE name = 'market.order_placed'").fetchone()[0]
    return story


def test_the_story_is_told_with_the_code_that_wrote_it(run: Run, data: Path) -> None:
    code, out, _ = run("trace", order_id_of(data), "--data", data)
    told = [line.split() for line in out.splitlines()[2:]]
    names = [next(word for word in line if word.count(".") == 1 and "_" in word and "/" not in word) for line in told]
    assert code == 0
    assert names[0] == "market.order_placed"
    assert names[-1] == "market.order_closed"
    assert "supply.stock_issued" in names
    assert re.search(r"└─ \d+ → supply\.stock_issued +flows\.order\.leave_shelf +hanse/flows/order\.py:\d+", out)


def test_the_line_of_an_origin_is_where_the_function_begins() -> None:
    where = whereabouts("flows.order.place")
    assert where is not None
    path, _, line = where.partition(":")
    source = (Path(hanse.__file__).parent.parent / path).read_text(encoding="utf-8").splitlines()
    assert source[int(line) - 1].startswith("def place(")


@pytest.mark.parametrize("origin", ["", "district.note", "gone.module.act", "flows.order.gone", "kernel", "os.system"])
def test_an_origin_that_is_gone_leads_nowhere(origin: str) -> None:
    assert whereabouts(origin) is None


def test_an_unknown_story_is_not_found(run: Run, data: Path) -> None:
    code, _, err = run("trace", "ord_nix", "--data", data)
    assert (code, "The journal tells nothing of ord_nix" in err) == (3, True)


def test_reading_works_beside_a_running_district(run: Run, data: Path) -> None:
    house = House(Settings(folder=data))
    try:
        assert run("journal", "verify", "--data", data)[0] == 0
        assert run("trace", order_id_of(data), "--data", data)[0] == 0
    finally:
        house.journal.close()
        house.vault.close()


def test_a_whole_journal_verifies(run: Run, data: Path) -> None:
    with sqlite3.connect(data / "journal.sqlite") as db:
        entries, commits = db.execute("SELECT (SELECT count(*) FROM entry), (SELECT count(*) FROM mark)").fetchone()
        last = db.execute("SELECT hash FROM mark ORDER BY position DESC").fetchone()[0].hex()
    code, out, _ = run("journal", "verify", "--data", data)
    assert code == 0
    assert out.splitlines()[:3] == [f"entries  {entries}", f"commits  {commits}", f"hash     {last}"]


def test_a_changed_entry_is_found(run: Run, data: Path) -> None:
    with sqlite3.connect(data / "journal.sqlite") as db:
        db.execute("UPDATE entry SET body = replace(body, '199', '198') WHERE name = 'market.offers_set'")
    code, _, err = run("journal", "verify", "--data", data)
    assert code == 1
    assert "are not those that were committed" in err


def test_the_newest_entries_are_shown(run: Run, data: Path) -> None:
    code, out, _ = run("journal", "tail", "--no-follow", "-n", "2", "--data", data)
    assert code == 0
    assert len(out.splitlines()) == 2
    assert "market.order_closed" in out.splitlines()[-1]


def test_an_export_is_one_json_object_an_entry(run: Run, data: Path) -> None:
    _, out, _ = run("journal", "export", "--data", data, "--story", order_id_of(data))
    rows = [json.loads(line) for line in out.splitlines()]
    assert rows[0]["name"] == "market.order_placed"
    assert rows[0]["body"]["shopper_id"] == "per_1"
    assert [row["position"] for row in rows] == sorted(row["position"] for row in rows)


def test_an_export_for_others_is_cloudevents(run: Run, data: Path) -> None:
    order_id = order_id_of(data)
    _, out, _ = run("journal", "export", "--data", data, "--story", order_id, "--form", "cloudevents")
    events = [json.loads(line) for line in out.splitlines()]
    assert {event["specversion"] for event in events} == {"1.0"}
    assert {event["subject"] for event in events} == {order_id}
    assert len({(event["source"], event["id"]) for event in events}) == len(events)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", events[0]["time"])
    assert all(re.fullmatch(r"[a-z0-9]{1,20}", name) for name in events[0])


def test_an_export_to_a_table_has_a_head(run: Run, data: Path, tmp_path: Path) -> None:
    path = tmp_path / "entries.csv"
    assert run("journal", "export", "--data", data, "--form", "csv", "--out", path, "--after", "5")[0] == 0
    rows = list(csv.DictReader(StringIO(path.read_text(encoding="utf-8"))))
    assert rows[0]["position"] == "6"
    assert json.loads(rows[-1]["body"])["outcome"] == "fulfilled"


def test_a_replay_comes_to_what_the_snapshot_holds(run: Run, data: Path) -> None:
    code, out, _ = run("journal", "replay", "--data", data)
    assert code == 0
    assert "The newest snapshot holds exactly this." in out


def test_a_wrong_snapshot_is_found_by_replay(run: Run, data: Path) -> None:
    house = House(Settings(folder=data))
    house.district.view(Stock).items["itm_1"].on_hand += 1
    take(house.district, house.snapshots)
    house.journal.close()
    house.vault.close()
    code, _, err = run("journal", "replay", "--data", data)
    assert (code, err) == (1, "The newest snapshot differs in supply.stock.views.Stock: delete the folder snapshots.\n")
