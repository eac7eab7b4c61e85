"""The journal is a plain SQLite file: anybody can read it, and anybody can check that nobody changed it."""

import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory

from hanse.app.house import FLOWS, VIEWS
from hanse.district.core import Charter
from hanse.district.jobs import Job
from hanse.district.opening import opener
from hanse.district.writer import Writer
from hanse.journal.check import verify
from hanse.journal.sqlite import SqliteJournal
from hanse.supply.stock import service as stock
from hanse.testing import Clock


def main() -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "journal.sqlite"
        journal = SqliteJournal(path)
        writer = Writer(journal, opener(Charter(), views=VIEWS, flows=FLOWS), clock=Clock())
        counted = [("itm_tea", 12), ("itm_rope", 3)]
        writer.submit(Job(stock.count, ("shp_quay", counted)), lambda answer: print("answer:", answer.body.decode()))
        writer.run()

        with sqlite3.connect(path) as db:
            for position, name, items in db.execute(
                "SELECT position, name, json_extract(body, '$.item_ids') FROM entry ORDER BY position"
            ):
                print(position, name, items or "")
            print("sound:", verify(journal).fault == "")
            db.execute("UPDATE entry SET body = replace(body, '12', '21') WHERE position = 2")
        print("after tampering:", verify(journal).fault)
        journal.close()


if __name__ == "__main__":
    main()
