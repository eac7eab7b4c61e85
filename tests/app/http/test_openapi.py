"""The API's description: it says what is there, and nothing that fits or does not fit it makes the server fail."""

import asyncio
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hanse.app.auth import issue_token
from hanse.app.house import House, now_us
from hanse.app.http.description import EXAMPLES
from hanse.app.server import serve_house
from hanse.app.settings import Settings
from hanse.kernel.principal import Principal
from tests.app.http.town import Town, furnish, key

SEATS = {"shopper": "per_ada", "shop": "shp_1", "courier": "cou_1", "league": ""}
CHECKS = [not_a_server_error, response_schema_conformance, status_code_conformance, content_type_conformance]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """A town on the real server, in a thread with a loop of its own; its address, and a token a role."""
    ready: list[int] = []
    stop: list[Any] = []
    tokens: dict[str, str] = {}

    async def serve() -> None:
        house = House(Settings(folder=tmp_path_factory.mktemp("town"), port=0, demo=True))
        furnish(house)
        for role, id_ in SEATS.items():
            tokens[role] = issue_token(house.secret, Principal(role, id_), now_us=now_us())  # type: ignore[arg-type]
        event = asyncio.Event()
        stop.extend((asyncio.get_running_loop(), event))
        await serve_house(house, ready=ready.append, stop=event)

    thread = Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    while not ready and thread.is_alive():
        thread.join(0.05)
    yield f"http://127.0.0.1:{ready[0]}", tokens
    stop[0].call_soon_threadsafe(stop[1].set)
    thread.join(20)
    assert not thread.is_alive()


@pytest.mark.slow
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_nothing_makes_the_server_fail(served: tuple[str, dict[str, str]], mode: GenerationMode) -> None:
    address, tokens = served
    found = schemathesis.openapi.from_url(f"{address}/api/openapi.json")
    # The stream never ends, and who is forgotten can't ask again.
    left_out = {("get", "/api/events"), ("delete", "/api/members/me")}
    tried, failures = 0, []
    for result in found.get_all_operations():
        operation = result.ok()
        if (operation.method, operation.path) in left_out:
            continue
        headers = {"Authorization": f"Bearer {tokens[role_of(operation)]}"}
        try:
            hammer(operation, mode, headers)
        except Unsatisfiable:
            continue  # an operation that takes nothing can't be called wrongly
        except BaseException as failure:  # schemathesis raises groups of its own kind
            failures.append(f"{operation.label}: {failure!r}")
        tried += 1
    assert failures == []
    assert tried > 10


def hammer(operation: Any, mode: GenerationMode, headers: dict[str, str]) -> None:
    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    @given(case=operation.as_strategy(generation_mode=mode))
    def call(case: Any) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    call()


def role_of(operation: Any) -> str:
    """A role that the operation is for."""
    who = operation.definition.raw["description"].rpartition("For: ")[2]
    return next((role for role in SEATS if role in who), "shopper")


@pytest.mark.anyio
async def test_it_is_openapi_31_and_names_roles_keys_and_problems(town: Town) -> None:
    async with town.client() as anybody:
        answer = await anybody.get("/api/openapi.json")
    document = answer.json()
    assert document["openapi"].startswith("3.1")
    place = document["paths"]["/api/orders"]["post"]
    assert place["security"] == [{"token": []}, {"cookie": []}]
    assert place["description"].endswith("For: shopper.")
    assert [p["name"] for p in place["parameters"]] == ["Idempotency-Key"]
    assert "application/problem+json" in place["responses"]["4XX"]["content"]
    assert place["requestBody"]["content"]["application/json"]["example"] == EXAMPLES["POST /api/orders"]


@pytest.mark.anyio
async def test_every_body_has_an_example_that_fits(town: Town) -> None:
    async with town.client() as anybody:
        document = (await anybody.get("/api/openapi.json")).json()
    wanted = {
        f"{method.upper()} {path}"
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if "requestBody" in operation
    }
    assert wanted == EXAMPLES.keys()
    for name, example in EXAMPLES.items():
        method, path = name.split(" ")
        for role, id_ in SEATS.items():
            async with town.client(role, id_) as somebody:
                answer = await somebody.request(method, path, json=example, headers=key())
                code = answer.json().get("code", "") if answer.content and answer.status_code >= 400 else ""
                assert answer.status_code < 500
                assert code not in ("app.bad_json", "app.bad_field", "app.bad_query"), (name, role, answer.text)


@pytest.mark.anyio
async def test_the_description_holds_no_path_of_a_page(town: Town) -> None:
    async with town.client() as anybody:
        document = (await anybody.get("/api/openapi.json")).json()
    assert all(path.startswith(("/api/", "/health/")) for path in document["paths"])
