"""The auditor: reads every durable commit as JSON and keeps books of its own, sharing no code with the views."""

from collections.abc import Callable
from typing import Any

import msgspec

from hanse.journal.protocol import Answered, Commit
from hanse.world.simulation.accounts import Accounts
from hanse.world.simulation.report import Broken
from hanse.world.simulation.shelves import Shelves
from hanse.world.simulation.stories import Piece, Stories, Tale

__all__ = ["DAY_US", "Books"]

DAY_US = 86_400_000_000

Body = dict[str, Any]


class Books:
    """Everything that was ever committed, checked entry by entry as it becomes durable."""

    def __init__(self) -> None:
        self.position = self.time_us = 0
        self.shelves, self.accounts, self.stories = Shelves(), Accounts(), Stories()
        self.shops: dict[str, Body] = {}
        self.offers: dict[str, Body] = {}
        self.products: dict[str, int] = {}
        self.members: dict[str, list[str]] = {}
        self.answers: dict[tuple[str, str], Answered] = {}
        self.stops: dict[tuple[str, str, str], int] = {}
        self.asked: dict[int, tuple[str, Body]] = {}
        self.newly_asked: list[int] = []
        self.charges: dict[int, int] = {}
        self.declined: set[str] = set()
        self.expected_stop = ""
        self._owed = self.stories.owed
        self._readers: dict[str, Callable[[Body], None]] = {
            name.replace("_", ".", 1): getattr(self, f"_{name}")
            for name in (n[1:] for n in dir(type(self)))
            if name.split("_")[0] in ("market", "supply", "finance", "people", "district")
        }

    def read(self, commit: Commit) -> None:
        """Take a durable commit in; raises `Broken` at the first thing that must not be."""
        for position, time_us, name, _, _, _, _, text in commit.entries:
            if position != self.position + 1:
                raise Broken(f"position {position} follows {self.position}")
            if time_us < self.time_us:
                raise Broken(f"time went back to {time_us} from {self.time_us} at position {position}")
            self.position, self.time_us = position, time_us
            body: Body = msgspec.json.decode(text)
            reader = self._readers.get(name)
            if reader is not None:
                reader(body)
            elif name.startswith("market.part_"):
                self._moved(name, body)
        if commit.mark is not None and commit.mark[0] != self.position:
            raise Broken(f"a mark at {commit.mark[0]} ends a commit at {self.position}")
        for row in commit.answers:
            self._answered(Answered(*row))

    def _answered(self, row: Answered) -> None:
        before = self.answers.get((row.caller, row.key))
        if before is not None and row.time_us - before.time_us <= DAY_US:
            raise Broken(f"the key {row.key} of {row.caller} was answered twice: {before.body!r}, {row.body!r}")
        if row.position > self.position:
            raise Broken(f"the answer to {row.key} speaks of position {row.position}, which is not there")
        self.answers[row.caller, row.key] = row

    # Market

    def _market_shop_joined(self, body: Body) -> None:
        self.shops[body["shop_id"]] = body
        if f"{body['shop_id']}/sales" not in self.accounts.purses:
            self._owed["account", f"{body['shop_id']}/sales"] = body["shop_id"]

    def _market_products_listed(self, body: Body) -> None:
        self.products.update(zip(body["product_ids"], body["vat_bp"], strict=True))

    def _market_offers_set(self, body: Body) -> None:
        columns = (body["offer_ids"], body["product_ids"], body["item_ids"], body["units"], body["prices_minor"])
        for offer_id, product_id, item_id, units, price in zip(*columns, strict=True):
            if price:
                self.offers[offer_id] = {
                    "shop_id": body["shop_id"],
                    "product_id": product_id,
                    "item_id": item_id,
                    "units": units,
                    "price_minor": price,
                }
            else:
                self.offers.pop(offer_id, None)

    def _market_order_placed(self, body: Body) -> None:
        body = {"transfers": [], **body}
        tale = self.stories.place(body, self.shops, self.offers)
        self.shelves.hold(tale.order_id, {part_id: p.units(p.picked) for part_id, p in tale.pieces.items()})
        if body["payment"] == "wallet":
            self._finance_payment_held(body)
        elif body["transfers"]:
            raise Broken("money was held for a card that nobody has charged yet", tale.order_id)

    def _market_order_expired(self, body: Body) -> None:
        self.stories.expire(body, self.time_us, body["order_id"] in self.declined)

    def _market_part_ended(self, body: Body) -> None:
        self.stories.end(body, stock=body["part_id"] in self.shelves.holds, money=self._holds_money(body["part_id"]))

    def _market_order_closed(self, body: Body) -> None:
        tale = self.stories.close(body)
        for part_id, piece in tale.pieces.items():
            # What the steps of its last parts still have to free is owed, and asked for when nothing is owed any more.
            stock = part_id in self.shelves.holds and ("stock", part_id) not in self._owed
            if stock or (self._holds_money(part_id) and ("money", part_id) not in self._owed):
                raise Broken(f"a closed order still holds stock or money for {part_id}", tale.order_id)
            if piece.stage == "settled" and (piece.captured is None or piece.settled is None):
                raise Broken(f"{part_id} is settled without its money", tale.order_id)

    def _moved(self, name: str, body: Body) -> None:
        piece = self.stories.move(name, body)
        if name == "market.part_picked":
            self.shelves.pick(body["part_id"], piece.units(piece.picked))

    def _holds_money(self, part_id: str) -> bool:
        return f"{part_id}/goods" in self.accounts.holds or f"{part_id}/fee" in self.accounts.holds

    def _part(self, body: Body) -> tuple[Tale, Piece]:
        tale = self.stories.part_of[body["part_id"]]
        self.stories.touched.add(tale.order_id)
        return tale, tale.pieces[body["part_id"]]

    # Supply

    def _supply_stock_counted(self, body: Body) -> None:
        self.shelves.count(body)

    def _supply_stock_short(self, body: Body) -> None:
        if not body["missing"] or min(body["missing"].values()) <= 0:
            raise Broken(f"somebody was refused although nothing was missing: {body}")

    def _supply_stock_released(self, body: Body) -> None:
        self.shelves.release(body)
        if self._part(body)[1].stage not in ("refused", "cancelled", "expired"):
            raise Broken(f"stock of {body['part_id']} was freed while the part goes on", body["order_id"])
        self._owed.pop(("stock", body["part_id"]), None)

    def _supply_stock_issued(self, body: Body) -> None:
        piece = self._part(body)[1]
        self.shelves.issue(body, piece.units(piece.picked))
        self._owed.pop(("stock", body["part_id"]), None)

    def _supply_stock_returned(self, body: Body) -> None:
        self.shelves.take_back(body)

    # Finance

    def _finance_account_opened(self, body: Body) -> None:
        self.accounts.open(body)
        self._owed.pop(("account", body["account_id"]), None)

    def _finance_transfers_posted(self, body: Body) -> None:
        self.accounts.move(body["transfers"], body["story_id"])

    def _finance_holds_expired(self, body: Body) -> None:
        self.accounts.expire(body, self.time_us)

    def _finance_payment_held(self, body: Body) -> None:
        self.accounts.move(body["transfers"], body["order_id"])
        self.stories.accept(body, self.time_us, self.accounts.holds)

    def _finance_payment_captured(self, body: Body) -> None:
        tale, piece = self._part(body)
        if piece.captured is not None:
            raise Broken(f"{body['part_id']} was captured twice", tale.order_id)
        taken = [
            sum(
                t["amount_minor"] for t in body["transfers"] if t["action"] == "capture" and t["hold_id"].endswith(kind)
            )
            for kind in ("/goods", "/fee")
        ]
        if taken != [piece.goods, piece.fee] or piece.stage not in ("handed_over", "delivered", "collected"):
            raise Broken(f"captured {taken} of {piece.goods} + {piece.fee}, the part is {piece.stage}", tale.order_id)
        piece.captured = taken[0], taken[1]
        self.accounts.move(body["transfers"], tale.order_id)
        self._owed.pop(("money", body["part_id"]), None)

    def _finance_payment_released(self, body: Body) -> None:
        tale, piece = self._part(body)
        if piece.stage not in ("refused", "cancelled", "expired") or any(
            t["action"] != "void" for t in body["transfers"]
        ):
            raise Broken(f"money of {body['part_id']} was freed while the part is {piece.stage}", tale.order_id)
        self.accounts.move(body["transfers"], tale.order_id)
        self._owed.pop(("money", body["part_id"]), None)

    def _finance_payment_settled(self, body: Body) -> None:
        tale, piece = self._part(body)
        taken = sum(t["amount_minor"] for t in body["transfers"])
        if piece.settled is not None or piece.stage not in ("delivered", "collected"):
            raise Broken(f"{body['part_id']} was settled twice, or while it is {piece.stage}", tale.order_id)
        if taken != piece.commission:
            raise Broken(f"the league took {taken}, frozen at the sale was {piece.commission}", tale.order_id)
        piece.settled = taken
        self.accounts.move(body["transfers"], tale.order_id)
        self._owed.pop(("settle", body["part_id"]), None)
        self._owed["part", body["part_id"]] = tale.order_id

    def _finance_payment_refunded(self, body: Body) -> None:
        tale, piece = self._part(body)
        if piece.captured is None or piece.settled is None:
            raise Broken(f"{body['part_id']} was refunded before it was settled", tale.order_id)
        for index, kind in enumerate(("goods_minor", "fee_minor", "commission_minor")):
            piece.back[index] += body[kind]
        goods, fee, commission = piece.back
        if min(piece.back) < 0 or goods > piece.captured[0] or fee > piece.captured[1] or commission > piece.settled:
            raise Broken(f"{piece.back} refunded of {piece.captured}, {piece.settled}", tale.order_id)
        if goods == piece.captured[0] and commission != piece.settled:
            raise Broken(f"all goods were refunded, of the commission {commission} of {piece.settled}", tale.order_id)
        if sum(body[k] for k in ("goods_minor", "fee_minor", "commission_minor")) != sum(
            t["amount_minor"] for t in body["transfers"]
        ):
            raise Broken("a refund's transfers are not what it says", tale.order_id)
        self.accounts.move(body["transfers"], tale.order_id)

    def _finance_card_payment_asked(self, body: Body) -> None:
        self._ask("card.charge", body)

    def _finance_card_payment_declined(self, body: Body) -> None:
        self.declined.add(body["order_id"])

    def _finance_card_refund_asked(self, body: Body) -> None:
        self._ask("card.refund", body)
        tale = self.stories.all[body["order_id"]]
        tale.charge_returned += body["amount_minor"]
        self.stories.touched.add(tale.order_id)
        if tale.charge_returned > tale.total:
            raise Broken(f"a card gets {tale.charge_returned} back of {tale.total}", tale.order_id)

    # People

    def _people_member_joined(self, body: Body) -> None:
        if body["person_id"] in self.members:
            raise Broken(f"{body['person_id']} joined twice", body["person_id"])
        self.members[body["person_id"]] = []
        if f"{body['person_id']}/wallet" not in self.accounts.purses:
            self._owed["account", f"{body['person_id']}/wallet"] = body["person_id"]

    def _people_member_erased(self, body: Body) -> None:
        del self.members[body["person_id"]]

    def _people_address_kept(self, body: Body) -> None:
        self.members[body["person_id"]].append(body["address_id"])

    # The district itself

    def _district_effect_answered(self, body: Body) -> None:
        tale = self._end_effect(body)
        if body["effect"] == "card.charge":
            tale.charged += self.charges.get(body["position"], 0)

    def _district_effect_failed(self, body: Body) -> None:
        tale = self._end_effect(body)
        if body["position"] in self.charges:
            raise Broken(f"a charge was made, and its answer refused: {body['error']}", tale.order_id)

    def _ask(self, effect: str, body: Body) -> None:
        self.asked[self.position] = effect, body
        self.newly_asked.append(self.position)

    def _end_effect(self, body: Body) -> Tale:
        effect, asked = self.asked.pop(body["position"], ("", {}))
        if effect != body["effect"]:
            raise Broken(f"the effect {body['effect']} of {body['position']} was answered twice")
        return self.stories.all[asked["order_id"]]

    def _district_step_failed(self, body: Body) -> None:
        raise Broken(f"the step {body['step']} of position {body['position']} failed: {body['error']}")

    def _district_command_stopped(self, body: Body) -> None:
        what = body["what"], body["caller"], body["key"]
        self.stops[what] = self.stops.get(what, 0) + 1
        if self.expected_stop not in body["error"] or not self.expected_stop:
            raise Broken(f"{body['what']} stopped the writer: {body['error']}")
