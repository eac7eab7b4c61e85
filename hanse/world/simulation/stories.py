"""Orders as an auditor keeps them: each story may only go on as the trade allows."""

from typing import Any

from hanse.world.simulation.report import Broken

__all__ = ["Piece", "Stories", "Tale", "bankers"]

Body = dict[str, Any]

ANSWER_WITHIN_US = 30 * 60 * 1_000_000
ENDS = {"refused", "cancelled", "expired", "settled"}
_BEFORE = {
    "market.part_accepted": ("placed",),
    "market.part_picked": ("accepted",),
    "market.part_handed_over": ("picked",),
    "market.part_delivered": ("handed_over",),
    "market.part_collected": ("handed_over",),
    "market.part_settled": ("delivered", "collected"),
}
_MAY_END = {
    "refused": ("placed", "accepted", "picked"),
    "cancelled": ("placed", "accepted"),
    "unanswered": ("placed",),
    "unpaid": ("placed",),
}


class Piece:
    """One part of an order."""

    def __init__(self, body: Body) -> None:
        self.shop: str = body["shop_id"]
        # item, pieces, price, units a piece
        self.lines = [(item, pieces, price, units) for _, _, item, pieces, price, _, units in body["lines"]]
        self.stage = "placed"
        self.goods_ordered: int = body["goods_minor"]
        self.commission_frozen: int = body["commission_minor"]
        self.goods, self.fee, self.commission = self.goods_ordered, body.get("fee_minor", 0), self.commission_frozen
        self.picked = [line[1] for line in self.lines]
        self.captured: tuple[int, int] | None = None
        self.settled: int | None = None
        self.back = [0, 0, 0]  # goods, fee, commission

    def units(self, pieces: list[int]) -> dict[str, int]:
        """Units by item of so many pieces of each line."""
        needs: dict[str, int] = {}
        for (item_id, _, _, units), count in zip(self.lines, pieces, strict=True):
            needs[item_id] = needs.get(item_id, 0) + units * count
        return needs


class Tale:
    """One order."""

    def __init__(self, body: Body) -> None:
        self.order_id: str = body["order_id"]
        self.shopper: str = body["shopper_id"]
        self.by_card = body["payment"] == "card"
        self.delivery = body["fulfilment"] == "delivery"
        self.pieces = {part["part_id"]: Piece(part) for part in body["parts"]}
        self.total: int = body["total_minor"]
        self.expires_us: int = body.get("expires_us", 0)
        self.promised_us: int = max(part["promised_us"] for part in body["parts"])
        self.answer_by_us = 0
        self.accepted = self.expired = False
        self.closed = ""
        self.charged = self.charge_returned = 0


class Stories:
    """All orders, the open ones apart, and what their steps still owe."""

    def __init__(self) -> None:
        self.all: dict[str, Tale] = {}
        self.open: dict[str, Tale] = {}
        self.part_of: dict[str, Tale] = {}
        self.owed: dict[tuple[str, str], str] = {}
        self.touched: set[str] = set()
        self.ends: dict[str, int] = {}

    def place(self, body: Body, shops: dict[str, Body], offers: dict[str, Body]) -> Tale:
        """`market.order_placed`: at the prices and the commission of this moment."""
        order_id = body["order_id"]
        if order_id in self.all:
            raise Broken("the order was placed twice", order_id)
        tale = self.all[order_id] = self.open[order_id] = Tale(body)
        self.touched.add(order_id)
        for part in body["parts"]:
            self.part_of[part["part_id"]] = tale
            _check_prices(part, shops[part["shop_id"]], offers, order_id)
            fee = shops[part["shop_id"]]["delivery_fee_minor"] if tale.delivery else 0
            if part.get("fee_minor", 0) != fee:
                raise Broken(f"the delivery fee is {part.get('fee_minor', 0)}, the shop asks {fee}", order_id)
        if tale.total != sum(piece.goods + piece.fee for piece in tale.pieces.values()):
            raise Broken("the total is not the sum of its parts", order_id)
        return tale

    def accept(self, body: Body, time_us: int, money: dict[str, tuple[str, str, int, int]]) -> None:
        """The money is held: the league stands for the order, once, and with exactly its money held."""
        tale = self._open(body)
        live = {part_id: piece for part_id, piece in tale.pieces.items() if piece.stage == "placed"}
        if tale.accepted or tale.expired or not live:
            raise Broken("an order was accepted that has ended or was accepted before", tale.order_id)
        for part_id, piece in tale.pieces.items():
            for kind, amount in (("goods", piece.goods), ("fee", piece.fee)):
                held = money.get(f"{part_id}/{kind}", ("", "", 0, 0))[2]
                if held != (amount if part_id in live else 0):
                    raise Broken(f"{part_id} was accepted with {held} held for its {kind}", tale.order_id)
        tale.accepted, tale.answer_by_us = True, max(time_us, tale.promised_us) + ANSWER_WITHIN_US

    def expire(self, body: Body, time_us: int, declined: bool) -> None:
        """`market.order_expired`: once, unpaid, and not before its time unless the card was declined."""
        tale = self._open(body)
        if tale.expired or tale.accepted:
            raise Broken("an order expired twice, or after it was paid", tale.order_id)
        if time_us < tale.expires_us and not declined:
            raise Broken("an order expired before its time", tale.order_id)
        tale.expired = True

    def move(self, name: str, body: Body) -> Piece:
        """A part goes on by one stage."""
        tale, piece = self._piece(body)
        if piece.stage not in _BEFORE[name] or not tale.accepted:
            raise Broken(f"{name} came while the part was {piece.stage}", tale.order_id)
        part_id = body["part_id"]
        piece.stage = name.removeprefix("market.part_")
        if name == "market.part_picked":
            _pick(piece, body, tale.order_id)
        elif name == "market.part_handed_over":
            self.owed["stock", part_id] = self.owed["money", part_id] = tale.order_id
        elif name in ("market.part_delivered", "market.part_collected"):
            self.owed["settle", part_id] = tale.order_id
        elif name == "market.part_settled":
            self.owed.pop(("part", part_id), None)
            self._owe_close(tale)
        return piece

    def end(self, body: Body, *, stock: bool, money: bool) -> None:
        """`market.part_ended`: once, from where that is allowed; what it holds has to be freed."""
        tale, piece = self._piece(body)
        if piece.stage not in _MAY_END[body["why"]]:
            raise Broken(f"a part that is {piece.stage} was ended as {body['why']}", tale.order_id)
        piece.stage = body["why"] if body["why"] in ENDS else "expired"
        if stock:
            self.owed["stock", body["part_id"]] = tale.order_id
        if money:
            self.owed["money", body["part_id"]] = tale.order_id
        self._owe_close(tale)

    def close(self, body: Body) -> Tale:
        """`market.order_closed`: once, after all its parts, under the right name."""
        tale = self._open(body)
        stages = [piece.stage for piece in tale.pieces.values()]
        if not ENDS.issuperset(stages):
            raise Broken(f"an order was closed while its parts are {stages}", tale.order_id)
        settled = stages.count("settled")
        outcome = "fulfilled" if settled == len(stages) else "partly" if settled else "unfulfilled"
        if body["outcome"] != outcome:
            raise Broken(f"an order was closed as {body['outcome']}, but is {outcome}", tale.order_id)
        tale.closed = outcome
        self.ends[outcome] = self.ends.get(outcome, 0) + 1
        del self.open[tale.order_id]
        self.owed.pop(("close", tale.order_id), None)
        return tale

    def _owe_close(self, tale: Tale) -> None:
        if all(piece.stage in ENDS for piece in tale.pieces.values()):
            self.owed["close", tale.order_id] = tale.order_id

    def _open(self, body: Body) -> Tale:
        tale = self.open.get(body["order_id"])
        if tale is None:
            raise Broken("something happened to an order that is closed", body["order_id"])
        self.touched.add(tale.order_id)
        return tale

    def _piece(self, body: Body) -> tuple[Tale, Piece]:
        tale = self._open(body)
        return tale, tale.pieces[body["part_id"]]


def bankers(numerator: int, denominator: int) -> int:
    """A quotient rounded half to even, by another way than the kernel's."""
    low = numerator // denominator
    twice = 2 * numerator - 2 * low * denominator
    return low + (twice > denominator or (twice == denominator and low % 2 == 1))


def _check_prices(part: Body, shop: Body, offers: dict[str, Body], story: str) -> None:
    goods = 0
    for line in part["lines"]:
        offer_id, _, item_id, pieces, price_minor, _, units = line
        offer = offers.get(offer_id)
        said = (item_id, price_minor, units, part["shop_id"])
        if offer is None or said != (offer["item_id"], offer["price_minor"], offer["units"], offer["shop_id"]):
            raise Broken(f"the line {line} is not what was offered: {offer}", story)
        goods += price_minor * pieces
    if goods != part["goods_minor"] or goods != sum(v["gross_minor"] for v in part["vat"]) - part.get("fee_minor", 0):
        raise Broken(f"the goods come to {goods}, the part says {part['goods_minor']}, VAT {part['vat']}", story)
    frozen = bankers(goods * shop["commission_bp"], 10_000)
    if part["commission_minor"] != frozen:
        raise Broken(f"the commission is {part['commission_minor']}, at this moment it is {frozen}", story)


def _pick(piece: Piece, body: Body, story: str) -> None:
    piece.picked = body["quantities"]
    goods = sum(line[2] * count for line, count in zip(piece.lines, piece.picked, strict=True))
    most = all(0 <= count <= line[1] for line, count in zip(piece.lines, piece.picked, strict=True))
    if not most or goods != body["goods_minor"] or body["fee_minor"] != piece.fee or not goods:
        raise Broken(f"picked {piece.picked} for {body['goods_minor']}", story)
    exact = piece.commission_frozen * goods
    kept = body["commission_minor"]
    if abs(kept * piece.goods_ordered - exact) >= piece.goods_ordered or not 0 <= kept <= piece.commission_frozen:
        raise Broken(f"the commission on {goods} of {piece.goods_ordered} became {kept}", story)
    piece.goods, piece.commission = goods, kept
