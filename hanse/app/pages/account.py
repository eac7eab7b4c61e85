"""What belongs to the shopper: wallet, addresses, consents, a copy of everything, and the way out."""

from __future__ import annotations

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency

from hanse.app.http.placing import order_shown
from hanse.app.pages.buying import TOP_UPS_MINOR
from hanse.app.pages.seats import PERSON_COOKIE, forgotten
from hanse.app.pages.takings import moved
from hanse.app.pages.visit import Reply, Visit
from hanse.app.pages.wording import PURPOSES
from hanse.finance.ledger.views import account
from hanse.finance.payments.views import wallet_of
from hanse.kernel.errors import NotFound
from hanse.people.consent import service as consent
from hanse.people.members import service as members
from hanse.people.vault import Identity

__all__ = ["ROUTES"]

SHOPPER = ("shopper",)
MOVEMENTS_MAX = 20
EXPORT_ORDERS_MAX = 50


@get("/account", roles=SHOPPER, sync_to_thread=False)
def account_page(visit: NamedDependency[Visit]) -> Reply:
    """Wallet, addresses, consents."""
    wallet = account(visit.district, wallet_of(visit.me))
    given = consent.given(visit.district, visit.me)
    return visit.page(
        "shopper/account.html",
        section="account",
        name=_name(visit),
        wallet=wallet,
        movements=[moved(visit, m) for m in reversed(wallet.recent[-MOVEMENTS_MAX:])],
        top_ups=TOP_UPS_MINOR,
        addresses=visit.backstage.homes.addresses(visit.me),
        purposes=[
            (purpose, visit.say(title), visit.say(text), "" in given.get(purpose, ()))
            for purpose, (title, text) in PURPOSES.items()
        ],
        muted=visit.muted(),
        departments=[d for d in visit.shelves.departments if d.key != "other"],
        personal="" in given.get("personalisation", ()),
    )


@post("/account/consents", roles=SHOPPER)
async def set_consent(visit: NamedDependency[Visit]) -> Reply:
    """Allow a purpose or take it back; with a topic, mute that topic or hear of it again."""
    form = await visit.form()
    command = consent.give if form.get("allow") == "yes" else consent.withdraw
    await visit.run(command, visit.me, purpose=form.get("purpose", ""), topic=form.get("topic", "")[:80])
    back = "/" if form.get("next") == "/" else "/account#consent"
    return visit.go(back, toast=visit.say("Saved. You can change it at any time."))


@get("/account/export", roles=SHOPPER, sync_to_thread=False)
def export(visit: NamedDependency[Visit]) -> Response[bytes]:
    """Everything that is kept of the visitor, as one file."""
    wallet = account(visit.district, wallet_of(visit.me))
    kept = {
        "person_id": visit.me,
        "identity": _identity(visit),
        "addresses": [{"address_id": i, "address": a} for i, a in visit.backstage.homes.addresses(visit.me)],
        "consents": {purpose: sorted(topics) for purpose, topics in consent.given(visit.district, visit.me).items()},
        "muted_topics": sorted(visit.muted()),
        "wallet": wallet,
        "orders": [order_shown(found) for found in visit.orders(limit=EXPORT_ORDERS_MAX)],
    }
    headers = {"Content-Disposition": 'attachment; filename="hanse-my-data.json"', "Cache-Control": "no-store"}
    return Response(msgspec.json.format(msgspec.json.encode(kept)), media_type="application/json", headers=headers)


@post("/account/erase", roles=SHOPPER)
async def erase(visit: NamedDependency[Visit]) -> Reply:
    """Destroy the key to everything personal, and leave."""
    form = await visit.form()
    if form.get("sure") != "yes":
        return visit.go("/account#leave", toast=visit.say("Nothing was erased: tick the box first."))
    visit.house.vault.erase(visit.me)
    await visit.run(members.erase, visit.me)
    gone = [forgotten("hanse_seat"), forgotten(PERSON_COOKIE)]
    return visit.go("/", toast=visit.say("You are forgotten: the key to your data is destroyed."), cookies=gone)


ROUTES = (account_page, set_consent, export, erase)


def _identity(visit: Visit) -> Identity | None:
    try:
        return visit.house.vault.get(visit.me, Identity)
    except NotFound:
        return None


def _name(visit: Visit) -> str:
    identity = _identity(visit)
    return identity.name if identity else ""
