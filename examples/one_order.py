"""One order, from the click to the ledger, in a town that lives in memory."""

from hanse.finance.ledger.views import Ledger
from hanse.flows.order import PlaceOrder, place
from hanse.kernel.values import Wish
from hanse.market.orders import service as orders
from hanse.testing import small_town


def main() -> None:
    town = small_town()

    # Ada orders three packets of tea from the mill; stock and money are held in one commit.
    placed = town.do(place, "per_ada", PlaceOrder((Wish("off_mill_tea", 3),)))
    order_id, part_id = placed["order_id"], placed["parts"][0]["part_id"]
    print("placed:", placed["result"], placed["total_minor"], placed["currency"])

    # The shop takes it on and finds two; Ada collects them.
    town.do(orders.accept_part, order_id, part_id)
    town.do(orders.pick_part, order_id, part_id, (2,))
    town.do(orders.hand_over_part, order_id, part_id)

    # The story tells what happened, and which code did it.
    for entry in town.journal.story(order_id):
        print(f"{entry.name:28} {entry.origin}")

    accounts = town.view(Ledger).accounts
    for account_id in ("per_ada/wallet", "shp_mill/sales", "league/commission"):
        print(account_id, accounts[account_id].balance_minor)


if __name__ == "__main__":
    main()
