"""What waits for a person, over HTTP: to look at, and to act on."""

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from hanse.app.home import Home
from hanse.district.asking import Ask
from hanse.district.troubles import Trouble, Way, settle, troubles
from hanse.events.dictionary import Event, decode

__all__ = ["ROUTES", "event_of"]


@get(
    "/api/league/troubles", roles=("league",), tags=["league"], summary="What waits for a person", sync_to_thread=False
)
def list_troubles(house: NamedDependency[Home]) -> tuple[Trouble, ...]:
    """Failed steps and effects, commands that stopped the writer, parked channels; each with what can be done."""
    return tuple(troubles(house.district))


@post(
    "/api/league/troubles/{trouble_id:str}/{way:str}",
    roles=("league",),
    tags=["league"],
    summary="Do something about a trouble",
    status_code=204,
)
async def settle_trouble(
    ask: NamedDependency[Ask], house: NamedDependency[Home], trouble_id: FromPath[str], way: FromPath[Way]
) -> None:
    """`retry`: run a step, ask an effect again; `unpark`: let a command be repeated; `dismiss`: it was put right."""
    await ask.run(settle, trouble_id, way, event_of(house, trouble_id))


ROUTES = (list_troubles, settle_trouble)


def event_of(house: Home, trouble_id: str) -> Event | None:
    """The event that a failed step was to be run for; None for any other trouble, or one that was settled."""
    found = next((one for one in troubles(house.district) if one.id == trouble_id), None)
    if found is None or found.kind != "step" or not found.position:
        return None
    entry = next(house.journal.read(found.position - 1, limit=1), None)
    return decode(entry.name, entry.version, entry.body) if entry is not None else None
