"""The archive holds what the journal says, each thing once, and is made anew from it when it cannot be trusted."""

import sqlite3
from pathlib import Path

import pytest

from hanse.app.house import ARCHIVED
from hanse.district import archive as archive_module
from hanse.district.archive import Archive, ArchiveReader
from hanse.finance.ledger import archive as ledger_archive
from hanse.finance.ledger.archive import balance_at, movements_before
from hanse.finance.ledger.views import Ledger
from hanse.finance.payments import service as payments
from hanse.finance.payments.views import sales_of, wallet_of
from hanse.flows.order import PlaceOrder, place
from hanse.kernel.errors import Unavailable
from hanse.kernel.values import Wish
from hanse.learning.decisions.archive import decisions_before
from hanse.learning.decisions.views import decisions
from hanse.market.orders import service as orders
from hanse.market.orders.archive import ended_parts, orders_before
from hanse.people.members import service as members
from hanse.testing import Stage, small_town
from hanse.testing.town import captured

pytestmark = pytest.mark.anyio

LATER = (1 << 62, "")
TEA = PlaceOrder((Wish("off_mill_tea", 1),))


@pytest.fixture
def town() -> Stage:
    return small_town()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "archive.sqlite"


def filled(town: Stage, path: Path) -> ArchiveReader:
    """An archive that has caught up."""
    archive = Archive(path, ARCHIVED, town.journal)
    while archive.advance():
        pass
    assert archive.position == town.district.position
    archive.close()
    return ArchiveReader(path)


def buy(town: Stage, person_id: str = "per_ada") -> str:
    """An order that goes all the way."""
    order_id: str = town.do(place, person_id, TEA)["order_id"]
    for command in (orders.accept_part, orders.pick_part, orders.hand_over_part):
        town.do(command, order_id, f"{order_id}-1")
    return order_id


def tables(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables."""
    with sqlite3.connect(path) as db:
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {name: db.execute(f"SELECT * FROM {name} ORDER BY 1, 2, 3").fetchall() for name in names}
    db.close()
    return found


async def test_a_shoppers_orders_reach_back_to_the_first(town: Stage, path: Path) -> None:
    placed = [buy(town) for _ in range(7)]
    buy(town, "per_bo")
    archive = filled(town, path)
    assert await orders_before(archive, "per_ada", placed[4], limit=3) == placed[3:0:-1]
    assert await orders_before(archive, "per_ada", placed[1], limit=3) == placed[:1]
    assert await orders_before(archive, "per_ada", placed[0], limit=3) == []


async def test_a_shops_parts_are_there_once_they_ended_with_what_was_picked(town: Stage, path: Path) -> None:
    bought = buy(town)
    cancelled = town.do(place, "per_bo", TEA)["order_id"]
    town.do(orders.cancel, cancelled)
    town.do(place, "per_bo", TEA)
    found = await ended_parts(filled(town, path), "shp_mill", since_us=0, before=LATER, limit=10)
    assert [(part.part_id, part.ended, part.goods_minor) for part in found] == [
        (f"{cancelled}-1", "cancelled", 250),
        (f"{bought}-1", "settled", 250),
    ]
    assert await ended_parts(filled(town, path), "shp_quay", since_us=0, before=LATER, limit=10) == []


async def test_statements_agree_with_the_ledger(town: Stage, path: Path) -> None:
    order_id = buy(town)
    town.do(payments.refund, captured(town, f"{order_id}-1"), goods_minor=100, fee_minor=0, reason="quality")
    buy(town, "per_bo")
    archive = filled(town, path)
    for account_id in (wallet_of("per_ada"), sales_of("shp_mill"), "league/commission"):
        account = town.view(Ledger).accounts[account_id]
        latest = account.recent[-1]
        older = await movements_before(
            archive, account_id, time_us=latest.time_us, transfer_id=latest.transfer_id, limit=100
        )
        assert [latest, *older] == account.recent[::-1]


@pytest.mark.parametrize("archived", ["nothing", "half", "all"])
async def test_a_balance_can_be_asked_for_any_past_moment(
    town: Stage, path: Path, archived: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments, expected = [], []
    for number in range(4):
        buy(town)
        moments.append(town.district.now_us)
        expected.append(town.view(Ledger).accounts["shp_mill/sales"].balance_minor)
        if (archived, number) == ("half", 1):
            filled(town, path)
        town.clock.forward(hours=1)
    archive = filled(town, path) if archived == "all" else ArchiveReader(path)

    async def at(moment_us: int) -> int:
        return await balance_at(archive, town.journal, "shp_mill/sales", moment_us)

    assert [await at(moment) for moment in moments] == expected
    assert (await at(0), await at(moments[-1] + 1)) == (0, expected[-1])
    monkeypatch.setattr(ledger_archive, "LACKING_MAX", 3)
    if archived == "nothing":
        with pytest.raises(Unavailable) as refused:
            await at(moments[-1])
        assert refused.value.code == "finance.archive_behind"
    elif archived == "all":
        assert await at(moments[-1] + 1) == expected[-1]


async def test_decisions_come_with_what_came_of_them(town: Stage, path: Path) -> None:
    def decide(district: object, subject: str) -> str:
        made = town.district.decided(
            "store.picking", subject, policy="p", version="1", features={"a": 1.0}, action="go", probability=0.5,
            reasons=("because",),
        )  # fmt: skip
        town.district.outcome(made, subject, outcome="minutes", value=3)
        return made

    made = [town.do(decide, f"ord_{number}") for number in range(4)]
    archive = filled(town, path)
    logged = decisions(town.district)
    assert await decisions_before(archive, made[3], limit=2) == logged[1:3]
    assert await decisions_before(archive, made[3], capability="store.picking", limit=9) == logged[1:]
    assert await decisions_before(archive, made[3], capability="store.other", limit=9) == []
    assert await decisions_before(archive, made[0], limit=9) == []


def test_filling_in_small_steps_and_anew_gives_the_same(
    town: Stage, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(town, path)
    for _ in range(3):
        buy(town)
        filled(town, path)
    monkeypatch.setattr(archive_module, "ENTRIES_PER_STEP", 1)
    filled(town, tmp_path / "other.sqlite")
    assert tables(tmp_path / "other.sqlite") == tables(path)


def test_a_step_that_broke_off_is_done_again_and_only_once(town: Stage, path: Path) -> None:
    buy(town)
    filled(town, path)
    before = tables(path)
    buy(town)
    archive = Archive(path, ARCHIVED, town.journal)

    def stumble(*_: object) -> None:
        raise KeyboardInterrupt

    archive._writes["market.order_closed"] = [stumble]
    with pytest.raises(KeyboardInterrupt):
        archive.advance()
    archive.close()
    assert tables(path) == before
    filled(town, path)
    assert len(tables(path)["placed_order"]) == 2


@pytest.mark.parametrize("how", ["deleted", "damaged", "of other code", "of another history"])
def test_an_archive_that_cannot_be_trusted_is_made_anew(town: Stage, path: Path, how: str) -> None:
    buy(town)
    filled(town, path)
    whole = tables(path)
    if how == "deleted":
        path.unlink()
    elif how == "damaged":
        path.write_bytes(b"no database at all" * 500)
    else:
        with sqlite3.connect(path) as db:
            db.execute(
                "UPDATE archive SET version = 'x'" if how == "of other code" else "UPDATE archive SET hash = x'00'"
            )
            db.execute("DELETE FROM movement")
        db.close()
    filled(town, path)
    assert tables(path) == whole


async def test_what_is_not_there_yet_answers_nothing(path: Path) -> None:
    assert await orders_before(ArchiveReader(path), "per_ada", "~", limit=3) == []
    assert not path.exists()


def test_the_archive_knows_people_by_their_pseudonyms_only(town: Stage, path: Path) -> None:
    order_id = buy(town)
    town.do(members.erase, "per_ada")
    filled(town, path)
    rows = tables(path)["placed_order"]
    assert [row[:2] for row in rows] == [(order_id, "per_ada")]
