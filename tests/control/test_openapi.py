"""The OpenAPI document: valid 3.1 as far as we use it, complete, and true to what is answered."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from callpost.api.own.examples import FORWARD_SENT, NEW_SUBSCRIPTION_SENT
from callpost.control.app import Premises
from callpost.engine.live import Live
from callpost.engine.witnesses import Witnesses
from callpost.web.openapi import Described, document
from callpost.web.operation import Operation
from control.conftest import Ask
from control_house import ABOUT, KnownHouse, Uncounted, operations_of

Json = dict[str, Any]
JSON = {"content-type": "application/json"}

# The fixed fields of OpenAPI 3.1.0, sections 4.8.10, 4.8.12, 4.8.17 that are used here.
OPERATION = {"operationId", "summary", "parameters", "requestBody", "responses"}
PARAMETER = {"name", "in", "required", "description", "schema"}
RESPONSE = {"description", "content", "headers"}


def table() -> list[Operation]:
    """All that the operator's door knows."""
    known = KnownHouse()
    premises = Premises(
        operating=known,
        roster=known,
        purging=known,
        settings=known,
        metrics=known,
        live=Live(Witnesses(Uncounted())),
    )
    return operations_of(premises, known)


@pytest.fixture(scope="module")
def api() -> Json:
    """The document as a program reads it."""
    told = document(table(), about=ABOUT)
    decoded: Json = msgspec.json.decode(msgspec.json.encode(told))
    return decoded


def operations(api: Json) -> Iterator[tuple[str, str, Json]]:
    """Each with its path and its method."""
    for path, methods in api["paths"].items():
        for method, told in methods.items():
            yield path, method, told


def references(told: object) -> Iterator[str]:
    """All `$ref` in it."""
    if isinstance(told, dict):
        yield from (value for key, value in told.items() if key == "$ref")
        for value in told.values():
            yield from references(value)
    elif isinstance(told, list):
        for value in told:
            yield from references(value)


def test_its_head_is_that_of_3_1(api: Json) -> None:
    """Version, title and paths are what a document must have."""
    assert api["openapi"] == "3.1.0"
    assert (api["info"]["title"], api["info"]["version"]) == ("callpost", "1.2.3")
    assert all(path.startswith("/") for path in api["paths"])


def test_every_reference_leads_somewhere(api: Json) -> None:
    """Within the document."""
    for reference in references(api):
        found: Any = api
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
        assert found


def test_every_operation_has_what_the_standard_asks_for(api: Json) -> None:
    """Known fields only, a name of its own, a response that is a success."""
    names = [told["operationId"] for _, _, told in operations(api)]
    assert len(names) == len(set(names))
    for _, _, told in operations(api):
        assert set(told) <= OPERATION
        assert told["summary"]
        assert {"200", "201", "204"} & set(told["responses"])
        for response in told["responses"].values():
            assert "$ref" in response or {"description"} <= set(response) <= RESPONSE


def test_every_parameter_is_described(api: Json) -> None:
    """Those of the path are required and are all there; those of a query say what they do."""
    for path, _, told in operations(api):
        in_path = {one["name"] for one in told["parameters"] if one["in"] == "path"}
        assert in_path == set(re.findall(r"\{(\w+)\}", path))
        for one in told["parameters"]:
            assert set(one) <= PARAMETER
            assert one["required"] == (one["in"] == "path")
            assert one["in"] == "path" or one["description"]


def test_every_route_is_in_it(api: Json) -> None:
    """And nothing else."""
    known = {(one.method.lower(), re.sub(r":\w+\}", "}", one.path)) for one in table()}
    assert {(method, path) for path, method, _ in operations(api)} == known


def test_the_fixed_routes_are_there(api: Json) -> None:
    """Programs rely on them."""
    assert {(method.upper(), path) for path, method, _ in operations(api)} == {
        ("GET", "/v1/health"),
        ("GET", "/v1/health/live"),
        ("GET", "/v1/health/ready"),
        ("GET", "/v1/status"),
        ("GET", "/v1/states"),
        ("GET", "/v1/subscriptions"),
        ("POST", "/v1/subscriptions"),
        ("GET", "/v1/subscriptions/{name}"),
        ("PUT", "/v1/subscriptions/{name}"),
        ("PATCH", "/v1/subscriptions/{name}"),
        ("DELETE", "/v1/subscriptions/{name}"),
        ("GET", "/v1/subscriptions/{name}/state"),
        ("POST", "/v1/subscriptions/{name}/pause"),
        ("POST", "/v1/subscriptions/{name}/resume"),
        ("POST", "/v1/subscriptions/{name}/test"),
        ("POST", "/v1/events"),
        ("GET", "/v1/deliveries"),
        ("GET", "/v1/dead-letters"),
        ("GET", "/v1/calls/{callId}"),
        ("GET", "/v1/events/{id}"),
        ("POST", "/v1/replay"),
        ("GET", "/v1/forwards"),
        ("POST", "/v1/forwards"),
        ("GET", "/v1/forwards/{id}"),
        ("PUT", "/v1/forwards/{id}"),
        ("DELETE", "/v1/forwards/{id}"),
        ("POST", "/v1/purge"),
        ("POST", "/v1/reload"),
        ("GET", "/v1/config"),
        ("GET", "/v1/log-level"),
        ("PUT", "/v1/log-level"),
        ("GET", "/v1/metrics"),
        ("GET", "/metrics"),
        ("GET", "/v1/attempts"),
    }


def test_every_body_and_every_answer_has_an_example() -> None:
    """People read those first."""
    for one in table():
        assert one.shown.answer is not None or not one.shown.statuses, one.path
        assert one.shown.example is not None or not one.accepts.types, one.path


async def test_every_answer_to_an_example_is_what_the_document_says(ask: Ask) -> None:
    """Status and content type are among those told, and JSON has the type of the table."""
    made = await ask("POST", "/v1/subscriptions", json=NEW_SUBSCRIPTION_SENT)
    rule = await ask("POST", "/v1/forwards", json={**FORWARD_SENT, "number": "200"})
    # What is taken away is asked for last.
    for one in sorted(table(), key=lambda one: one.method == "DELETE"):
        if one.path == "/v1/attempts":
            continue
        path = re.sub(r"\{callId[^}]*\}", "c%2F1", one.path)
        path = path.replace("{name}", made.json()["name"])
        path = path.replace("forwards/{id}", f"forwards/{rule.json()['id']}")
        path = re.sub(r"\{id[^}]*\}", "e%2F1", path)
        body = one.shown.example if one.shown.example is not None else {}
        # Only one rule may have a number.
        body = {**FORWARD_SENT, "number": one.method} if "forwards" in path else body
        content = msgspec.json.encode(body) if one.method not in {"GET", "DELETE"} else None
        answer = await ask(one.method, path, content=content, headers=JSON)
        assert answer.status_code in (*one.shown.statuses, *one.shown.bare), (path, answer.text)
        if one.shown.statuses:
            sent_as = answer.headers["content-type"].partition(";")[0]
            assert sent_as == one.shown.content_type
        kind: Any = one.returns
        if not isinstance(kind, Described) and sent_as == "application/json" and answer.content:
            assert msgspec.json.decode(answer.content, type=kind) is not None


async def test_it_is_served(ask: Ask) -> None:
    """By the door that it describes, with itself in it."""
    served = (await ask("GET", "/v1/openapi.json")).json()
    assert "/v1/openapi.json" in served["paths"]


def test_lists_say_what_is_in_them(api: Json) -> None:
    """By a schema: generators of clients stumble over a `false`, which 3.1 allows."""
    assert b'"items":false' not in msgspec.json.encode(api)


def test_no_enumeration_is_called_as_another_type(api: Json) -> None:
    """Generators call one after its type and its title, or else its key."""
    schemas = api["components"]["schemas"]
    names = [
        name + told.get("title", key[:1].upper() + key[1:])
        for name, schema in schemas.items()
        for key, told in schema.get("properties", {}).items()
        if "enum" in told
    ]
    assert names
    assert not {*names} & {*schemas}
