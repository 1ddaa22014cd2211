"""The OpenAPI document: valid 3.1 as far as we use it, complete, and true to what is answered."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from callpost.control.app import Premises, operations_of
from callpost.control.fields import read_fields
from callpost.control.openapi import document
from callpost.engine.live import Live
from callpost.engine.witnesses import Witnesses
from control.conftest import Ask
from control_house import KnownHouse, Uncounted

Json = dict[str, Any]

# The fixed fields of OpenAPI 3.1.0, sections 4.8.10, 4.8.12, 4.8.17 that are used here.
OPERATION = {"operationId", "summary", "parameters", "requestBody", "responses"}
PARAMETER = {"name", "in", "required", "description", "schema"}
RESPONSE = {"description", "content"}


def a_house() -> Premises:
    """All ports, known."""
    known = KnownHouse()
    return Premises(
        version="1.2.3",
        operating=known,
        records=known,
        purging=known,
        settings=known,
        metrics=known,
        live=Live(Witnesses(Uncounted())),
    )


@pytest.fixture(scope="module")
def api() -> Json:
    """The document as a program reads it."""
    told = document(operations_of(a_house()), version="1.2.3")
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
        assert "200" in told["responses"]
        for response in told["responses"].values():
            assert set(response) in ({"$ref"}, RESPONSE)


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
    table = {
        (one.method.lower(), re.sub(r":\w+\}", "}", one.path)) for one in operations_of(a_house())
    }
    assert {(method, path) for path, method, _ in operations(api)} == table


def test_the_fixed_routes_are_there(api: Json) -> None:
    """Programs rely on them."""
    assert {(method.upper(), path) for path, method, _ in operations(api)} == {
        ("GET", "/v1/health"),
        ("GET", "/v1/health/live"),
        ("GET", "/v1/health/ready"),
        ("GET", "/v1/status"),
        ("GET", "/v1/subscriptions"),
        ("GET", "/v1/subscriptions/{name}"),
        ("POST", "/v1/subscriptions/{name}/pause"),
        ("POST", "/v1/subscriptions/{name}/resume"),
        ("POST", "/v1/subscriptions/{name}/test"),
        ("GET", "/v1/pending"),
        ("GET", "/v1/dead-letters"),
        ("GET", "/v1/calls/{callId}"),
        ("GET", "/v1/events/{id}"),
        ("POST", "/v1/replay"),
        ("POST", "/v1/purge"),
        ("POST", "/v1/reload"),
        ("GET", "/v1/config"),
        ("GET", "/v1/log-level"),
        ("PUT", "/v1/log-level"),
        ("GET", "/v1/metrics"),
        ("GET", "/metrics"),
        ("GET", "/v1/attempts"),
        ("GET", "/v1/openapi.json"),
    }


def test_every_example_of_a_body_is_accepted_by_its_type() -> None:
    """An example that does not work is worse than none."""
    for one in operations_of(a_house()):
        if one.method != "GET" and one.example is not None:
            assert isinstance(read_fields(_as_json(one.example), one.body, place=""), one.body)


async def test_every_answer_is_what_the_document_says(ask: Ask) -> None:
    """Status and content type are among those told, and JSON has the type of the table."""
    for one in operations_of(a_house()):
        if one.path == "/v1/attempts":
            continue
        path = re.sub(r"\{callId[^}]*\}", "c%2F1", one.path).replace("{name}", "crm")
        path = re.sub(r"\{id[^}]*\}", "e%2F1", path)
        body = one.example if one.method != "GET" and one.example is not None else {}
        answer = await ask(one.method, path, json=body if one.method != "GET" else None)
        assert answer.status_code in one.statuses
        assert answer.headers["content-type"].partition(";")[0] == one.content_type
        if one.content_type == "application/json":
            kind: Any = one.returns
            assert msgspec.json.decode(answer.content, type=kind) is not None


async def test_it_is_served(ask: Ask) -> None:
    """By the door that it describes, with itself in it."""
    served = (await ask("GET", "/v1/openapi.json")).json()
    assert "/v1/openapi.json" in served["paths"]


def _as_json(value: object) -> Json:
    decoded: Json = msgspec.json.decode(msgspec.json.encode(value))
    return decoded
