"""The ledger alone: linked transfers, a hold, its capture, and a balance at a past moment."""

from datetime import timedelta

from hanse.finance.ledger import service as ledger
from hanse.finance.ledger.archive import change
from hanse.finance.ledger.views import account
from hanse.kernel.time import to_micros
from hanse.kernel.values import Transfer
from hanse.testing import small_town

ADA, BO = "per_ada/wallet", "per_bo/wallet"


def main() -> None:
    town = small_town()
    before = town.district.now

    # All of these or none: Bo has too little for the second, so the first is not made either.
    dinner = [Transfer("din_1", ADA, BO, 25_00), Transfer("din_2", BO, ADA, 999_00)]
    print("missing:", town.do(ledger.post, "din", "dinner", dinner))

    # Set money aside, then take a part of it: the rest is free again.
    town.clock.forward(hours=1)
    town.do(ledger.post, "dep", "deposit", [Transfer("dep_1", ADA, BO, 40_00, "hold")])
    print("free while held:", account(town.district, ADA).room())
    town.do(ledger.post, "dep", "deposit", [Transfer("dep_2", ADA, BO, 15_00, "capture", "dep_1")])
    print("free afterwards:", account(town.district, ADA).room())

    now = town.district.now
    for moment in (before, now - timedelta(minutes=30), now):
        print(f"{moment:%H:%M}", change(town.journal.read(), BO, until_us=to_micros(moment)))


if __name__ == "__main__":
    main()
