"""What the reliability tests share: a district in a folder, and an audit of a journal by other code."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path

from hanse.app.house import FLOWS, VIEWS
from hanse.district.core import Charter
from hanse.district.opening import opener
from hanse.district.writer import Writer
from hanse.journal.check import verify
from hanse.journal.protocol import Commit, Journal
from hanse.supply.stock import service as stock
from hanse.testing import Clock, district, fill_wallet, small_town
from hanse.testing.town import MEMBERS
from hanse.world.simulation.books import Books
from hanse.world.simulation.checks import check_all
from tests.reliability.zygote import journal_at


def open_writer(where: Path | str, clock: Callable[[], int], *, tag: str = "0") -> tuple[Journal, Writer]:
    """A writer over the journal in a folder, or in the database of an address."""
    journal = journal_at(where)
    return journal, Writer(journal, opener(Charter(tag=tag), views=VIEWS, flows=FLOWS), clock=clock)


def found_town(where: Path | str, clock: Callable[[], int], *, tag: str = "0") -> None:
    """The small town, with stock and money enough for any load."""
    town = small_town(district(Clock(clock()), Charter(tag=tag), journal_at(where)))
    for person_id in MEMBERS:
        fill_wallet(town, person_id, 900_000_00)
    for shop in ("mill", "quay"):
        town.do(stock.count, f"shp_{shop}", [(f"{shop}/tea", 10**9), (f"{shop}/salt", 10**9)])
    town.journal.close()


def audit(journal: Journal, writer: Writer) -> Books:
    """Read the whole journal with the auditor's books, and compare the views with them."""
    verdict = verify(journal)
    assert verdict.fault == ""
    books = Books()
    entries = journal.read()
    for mark in journal.marks():
        books.read(Commit(list(islice(entries, mark.entries)), [], mark))
    check_all(writer.district, books)
    return books
