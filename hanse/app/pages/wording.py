"""What things are called on pages: kinds of shops, allergens, stages, events. Words are marked for gettext."""

from typing import Protocol

from hanse.app.i18n import N_
from hanse.kernel.errors import HanseError

__all__ = [
    "ALLERGENS",
    "AWAY_REFUSALS",
    "AWAY_STAGES",
    "PURPOSES",
    "REFUSALS",
    "SHOP_KINDS",
    "Speaker",
    "refusal",
    "shop_kind",
]


class Speaker(Protocol):
    """Whoever can say a text in the visitor's language."""

    def say(self, message: str, **values: object) -> str:
        """A text in the visitor's language."""
        ...


SHOP_KINDS = {
    "baby_shop": N_("Baby shop"),
    "bakery": N_("Bakery"),
    "butcher": N_("Butcher"),
    "confectioner": N_("Confectioner"),
    "convenience": N_("Corner shop"),
    "delicatessen": N_("Delicatessen"),
    "discounter": N_("Discounter"),
    "florist": N_("Florist"),
    "gift_shop": N_("Gift shop"),
    "grocer": N_("Grocer"),
    "health_food": N_("Health food shop"),
    "kiosk": N_("Kiosk"),
    "kitchen_shop": N_("Kitchen shop"),
    "market_hall": N_("Market hall"),
    "patisserie": N_("Patisserie"),
    "perfumery": N_("Perfumery"),
    "pet_shop": N_("Pet shop"),
    "pharmacy": N_("Pharmacy"),
    "supermarket": N_("Supermarket"),
    "tea_shop": N_("Tea shop"),
    "variety_store": N_("Variety store"),
}

ALLERGENS = {
    "celery": N_("celery"),
    "crustaceans": N_("crustaceans"),
    "eggs": N_("eggs"),
    "fish": N_("fish"),
    "gluten": N_("gluten"),
    "lupin": N_("lupin"),
    "milk": N_("milk"),
    "molluscs": N_("molluscs"),
    "mustard": N_("mustard"),
    "nuts": N_("nuts"),
    "peanuts": N_("peanuts"),
    "sesame": N_("sesame"),
    "soybeans": N_("soybeans"),
    "sulphites": N_("sulphites"),
}

PURPOSES = {
    "personalisation": (
        N_("Show what fits me"),
        N_("Your own orders may be used to show you what you buy again, and what is close to it."),
    ),
    "statistics": (
        N_("Count me in statistics"),
        N_("Your orders may be counted with everybody's, so that nobody can be recognised in them."),
    ),
}

# Where a part stands at a neighbour's shop.
AWAY_STAGES = {
    "placed": N_("waits for the shop"),
    "accepted": N_("the shop takes it on"),
    "picked": N_("it lies ready"),
    "collected": N_("it was collected"),
    "settled": N_("it was collected and paid"),
    "refused": N_("the shop refused it"),
    "cancelled": N_("it was cancelled"),
    "expired": N_("the shop did not answer in time"),
}

# Why a neighbour did not place an order.
AWAY_REFUSALS = {
    "late": N_("It heard of it too late."),
    "currency": N_("It counts in another currency."),
    "limit": N_("As much is owed to it as was agreed."),
    "changed": N_("A price changed, or an offer was taken off."),
    "sold_out": N_("Something was sold out."),
}


# What somebody at a page may be refused; everything else keeps the sentence that it was raised with.
REFUSALS = {
    "app.not_known": N_("Take a seat first: this page belongs to somebody."),
    "app.wrong_role": N_("You sit in another seat just now. Change seats, and this page opens."),
    "app.no_page": N_("There is no such page."),
    "app.bug": N_("This page met a bug. Nothing was changed; please report it with its time."),
    "app.bad_number": N_("Please give a whole number."),
    "app.foreign_page": N_("This request came from another site and was not carried out."),
    "app.nobody_here": N_("This district is still empty. Load it with “hanse demo”."),
    "finance.no_card": N_("Please choose a card."),
    "finance.wallet_full": N_("The wallet would hold too much; please pay in less."),
    "finance.not_owed": N_("This neighbour owes less than that."),
    "finance.refund_too_large": N_("No more can be given back than was paid."),
    "kernel.bad_amount": N_("Please give an amount such as 3.49."),
    "kernel.bad_quantity": N_("Please order between 1 and 10,000 pieces."),
    "market.basket_full": N_("A basket holds at most 100 lines."),
    "market.bad_lines": N_("The basket is empty."),
    "market.bad_price": N_("Please give a price that is not negative."),
    "market.bad_wishes": N_("Please choose from what the page shows."),
    "market.nothing_chosen": N_("Please choose at least one piece."),
    "finance.clearing_limit": N_("As much is owed to this neighbour as was agreed; please order there another day."),
    "app.neighbour_away": N_("The neighbour does not answer just now; please try again soon."),
    "district.unknown_neighbour": N_("There is no such neighbour."),
    "market.nothing_picked": N_("If nothing of it can be found, refuse the order instead."),
    "market.bad_picked": N_("Please give a number for each line, at most what was ordered."),
    "market.too_late": N_("It is too late for that; the shop has already packed it."),
    "market.wrong_stage": N_("Somebody was quicker: this order has moved on."),
    "market.no_open_order": N_("This order is closed already."),
    "market.unknown_offer": N_("This offer was taken off; please look for another one."),
    "market.unknown_order": N_("There is no such order of yours."),
    "market.unknown_part": N_("There is no such open order in your shop."),
    "market.unknown_product": N_("This product is not in the catalogue."),
    "market.unknown_shop": N_("There is no such shop in the league."),
    "people.unknown_address": N_("Please choose one of your addresses."),
    "people.too_many_addresses": N_("You keep as many addresses as fit."),
    "people.unknown_member": N_("This member is not here any more."),
    "supply.bad_count": N_("Please give a count that is not negative."),
    "district.queue_full": N_("The district has too much to do just now; please try again in a second."),
    "district.key_in_flight": N_("This order is already on its way; one moment."),
}


def refusal(visit: "Speaker", error: HanseError) -> str:
    """A refusal as a sentence in the visitor's language."""
    return visit.say(REFUSALS.get(error.code, error.message))


def shop_kind(kind: str) -> str:
    """The English word for a kind of shop; a kind that is not listed is shown as it was written."""
    return SHOP_KINDS.get(kind) or kind.replace("_", " ").capitalize()
