"""The API's description: OpenAPI 3.1 from the routes themselves, with what the framework can't know.

Added to it: who may call a route, the Idempotency-Key of what changes something, problems as the answer to
everything that fails, and examples that can be tried on a demonstration.
"""

from functools import lru_cache
from typing import Any

import msgspec
from litestar import Controller, Litestar, Request, Response, get
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme

import hanse
from hanse.app.auth import COOKIE
from hanse.app.http.problems import PROBLEM_TYPE, Problem
from hanse.district.answers import KEY_LENGTH_MAX

__all__ = ["DESCRIBED_AT", "ROUTES", "config", "describe"]

DESCRIBED_AT = "/api/openapi.json"
UNSAFE = ("post", "put", "patch", "delete")

_OFFER = "off_07_01234"
_ORDER = {"lines": [{"offer_id": _OFFER, "quantity": 2}], "fulfilment": "pickup", "payment": "wallet"}
EXAMPLES: dict[str, Any] = {
    "POST /api/orders": _ORDER,
    "POST /api/orders:batch": [{"key": "till-3-000017", "shopper_id": "per_0042", **_ORDER}],
    "POST /api/league/neighbours/{tag}/payments": {
        "amount_minor": 50_000,
        "currency": "EUR",
        "reference": "Amber, November",
    },
    "POST /api/orders/{order_id}/cancel": {"reason": "changed_mind"},
    "POST /api/orders/{order_id}/parts/{part_id}/refund": {"goods_minor": 199, "reason": "damaged"},
    "PUT /api/basket/lines": {"lines": [{"offer_id": _OFFER, "quantity": 2}]},
    "PATCH /api/basket": {"fulfilment": "delivery", "address_id": "adr_5b1d3f7a9c2e4d6f8a0b"},
    "POST /api/basket/order": {"card_token": "tok_demo"},
    "POST /api/addresses": {
        "name": "Aino Virtanen",
        "street": "Mannerheimintie 1",
        "postcode": "00100",
        "city": "Helsinki",
        "lat": 60.1690,
        "lon": 24.9390,
    },
    "POST /api/members": {"name": "Aino Virtanen", "phone": "+358 40 000 0000", "locale": "en"},
    "PUT /api/consents": {"purpose": "personalisation", "topic": ""},
    "POST /api/wallet/top-up": {"amount_minor": 5_000, "currency": "EUR"},
    "PUT /api/shop/offers": [
        {"offer_id": _OFFER, "product_id": "prd_01234", "item_id": "itm_07_01234", "price_minor": 199}
    ],
    "PUT /api/shop/stock": [{"item_id": "itm_07_01234", "on_hand": 24}],
    "POST /api/shop/parts/{part_id}/pick": {"quantities": [2]},
    "POST /api/shop/parts/{part_id}/refuse": {"reason": "quality"},
    "POST /api/neighbours/{tag}/orders": {
        "lines": [{"offer_id": _OFFER, "quantity": 2, "shop_id": "shp_07", "price_minor": 199}]
    },
    "POST /api/demo/seat": {"role": "shop", "id": "shp_07"},
}
"""A body for each route that takes one, by method and path."""


class _NoPages(Controller):
    """Keeps the framework from serving pages of its own about the API."""

    path = "/api/description"


@get(DESCRIBED_AT, roles=("public",), include_in_schema=False, sync_to_thread=False)
def get_description(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The OpenAPI document."""
    return Response(_described(request.app), media_type="application/json")


ROUTES = (get_description,)


def config() -> OpenAPIConfig:
    """What the framework is told about the API."""
    return OpenAPIConfig(
        title="Hanse",
        version=hanse.__version__,
        description="The API of one district. Errors are RFC 9457 problems. Send an Idempotency-Key with what "
        "changes something, and repeat it without fear for a day.",
        openapi_controller=_NoPages,  # type: ignore[arg-type]
        use_handler_docstrings=True,
        components=Components(
            security_schemes={
                "token": SecurityScheme(type="http", scheme="bearer"),
                "cookie": SecurityScheme(type="apiKey", name=COOKIE, security_scheme_in="cookie"),
            }
        ),
    )


@lru_cache(maxsize=1)
def _described(app: Litestar) -> bytes:
    return describe(app)


def describe(app: Litestar) -> bytes:
    """The OpenAPI document of an application, as JSON."""
    document: dict[str, Any] = app.openapi_schema.to_schema()
    (problem,), components = msgspec.json.schema_components([Problem], ref_template="#/components/schemas/{name}")
    document["components"]["schemas"].update(components)
    for path, method, roles in _operations(app):
        operation = document["paths"].get(path, {}).get(method)
        if operation is not None:
            _complete(operation, f"{method.upper()} {path}", method, roles, problem)
    return msgspec.json.encode(document)


def _operations(app: Litestar) -> list[tuple[str, str, tuple[str, ...]]]:
    return [
        (route.path_format, method.lower(), tuple(handler.opt.get("roles", ())))
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        for method in sorted(handler.http_methods)
    ]


def _complete(operation: dict[str, Any], name: str, method: str, roles: tuple[str, ...], problem: Any) -> None:
    who = "anybody" if "public" in roles else " or ".join(roles)
    operation["description"] = f"{operation.get('description', '')}\n\nFor: {who}.".strip()
    operation["security"] = [{}] if "public" in roles else [{"token": []}, {"cookie": []}]
    said = {"description": "A problem that says what to do.", "content": {PROBLEM_TYPE: {"schema": problem}}}
    responses = operation["responses"]
    # The framework describes failures in a form of its own, which is never sent.
    for status in [status for status in responses if status >= "400"]:
        responses[status] = said | {"description": responses[status]["description"]}
    responses["4XX"] = said
    responses["503"] = said
    if method in UNSAFE:
        operation.setdefault("parameters", []).append(_KEY)
    if name in EXAMPLES and "requestBody" in operation:
        for content in operation["requestBody"]["content"].values():
            content["example"] = EXAMPLES[name]


_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A name of your own for this request: sent again within a day, it is answered, not done, again.",
    "schema": {"type": "string", "maxLength": KEY_LENGTH_MAX, "pattern": "^[!-~]*$"},
}
