"""Troubles over HTTP, on the league's page and on the command line: the same list, the same acts."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from hanse.app.house import House
from hanse.app.server import serve_house
from hanse.app.settings import Settings
from hanse.district.core import District
from hanse.events.district import EffectFailed, StepFailed
from tests.app.conftest import run
from tests.app.http.town import Town, furnish, key

__all__ = ["run"]

pytestmark = pytest.mark.anyio


def trouble(district: District) -> None:
    district.record(EffectFailed("card.charge", 1, "TimeoutError"))
    district.record(StepFailed("flows.order.close", 1, "ValueError: no"))


async def test_the_league_lists_and_settles_and_nobody_else(town: Town) -> None:
    await town.command(trouble)
    async with town.client("league") as league, town.client("shop", "shp_1") as shop:
        found = (await league.get("/api/league/troubles")).json()
        assert [(one["kind"], one["what"], one["ways"]) for one in found] == [
            ("effect", "card.charge", ["retry", "dismiss"]),
            ("step", "flows.order.close", ["retry", "dismiss"]),
        ]
        path = f"/api/league/troubles/{found[1]['id']}/dismiss"
        assert (await shop.post(path, headers=key())).status_code == 403
        again = key()
        for _ in range(2):
            assert (await league.post(path, headers=again)).status_code == 204
        assert (await league.post(path, headers=key())).json()["code"] == "district.no_trouble"
        assert (await league.post(f"/api/league/troubles/{found[0]['id']}/burn", headers=key())).status_code == 400
        assert len((await league.get("/api/league/troubles")).json()) == 1


async def test_a_step_is_run_again_for_its_event(town: Town) -> None:
    await town.command(trouble)
    async with town.client("league") as league:
        step = (await league.get("/api/league/troubles")).json()[1]
        answer = await league.post(f"/api/league/troubles/{step['id']}/retry", headers=key())
        # The entry at 1 is a deployment, which no order hangs on: the step fails again, and nothing is changed.
        assert (answer.status_code, answer.json()["code"]) == (409, "district.step_failed_again")
        assert len((await league.get("/api/league/troubles")).json()) == 2


async def test_the_command_line_lists_and_settles_in_a_running_district(
    tmp_path: Path, run: Callable[..., tuple[int, str, str]], anyio_backend: str
) -> None:
    house = House(Settings(folder=tmp_path / "data", port=0))
    furnish(house)
    listening, stop = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(serve_house(house, ready=lambda _: listening.set(), stop=stop))
    await listening.wait()

    async def hanse(*arguments: object) -> tuple[int, str, str]:
        return await asyncio.to_thread(run, "troubles", *arguments, "--at", house.settings.folder)

    assert await hanse("list") == (0, "Nothing waits for a person.\n", "")
    await Town(house, None).command(trouble)  # type: ignore[arg-type]
    rows = [line.split() for line in (await hanse("list"))[1].splitlines()]
    assert [row[1:3] for row in rows] == [["kind", "what"], ["effect", "card.charge"], ["step", "flows.order.close"]]
    assert await hanse("retry", rows[1][0]) == (0, "Done; see whether it stays off the list.\n", "")
    code, _, err = await hanse("unpark", rows[2][0])
    assert (code, "About this can be done: retry, dismiss." in err) == (4, True)
    assert (await hanse("dismiss", rows[2][0]))[0] == 0
    assert (await hanse("dismiss", "trb_nothing"))[0] == 3
    stop.set()
    await serving
    assert (await hanse("list"))[0] == 7
