"""How SignalWire says no: every bad attribute at once, and a bare text for everything else."""

import json

import httpx
import pytest

from api.signalwire.fabric import ALL, DOCUMENTED, HANDLER, WEBHOOKS, asked, made, refusal
from callpost.api.signalwire.door import language
from callpost.web.problem import Refusal
from card_house import CardHouse

EXPLAINED = "https://developer.signalwire.com/rest/overview/error-codes/#"
NOT_HTTP = "This value must be an HTTP or HTTPS URL."
CLOSED = "URL points to an invalid IP address"


def error(attribute: str | None, code: str, message: str) -> dict[str, str | None]:
    """One error of a 422."""
    return {
        "type": "validation_error",
        "code": code,
        "message": message,
        "attribute": attribute,
        "url": f"{EXPLAINED}{code}",
    }


def bad(answer: httpx.Response) -> list[tuple[str, str]]:
    """The attributes of a 422, and their codes."""
    assert answer.status_code == 422, answer.text
    return [(one["attribute"], one["code"]) for one in answer.json()["errors"]]


# --- attributes


async def test_a_bad_url_is_told_byte_for_byte() -> None:
    """In SignalWire's own words, with the page that explains them."""
    answer = await asked(CardHouse(), "POST", ALL, DOCUMENTED | {"primary_request_url": "ftp://h"})
    assert answer.content == (
        b'{"errors":[{"type":"validation_error","code":"http_url_required",'
        b'"message":"This value must be an HTTP or HTTPS URL.",'
        b'"attribute":"primary_request_url",'
        b'"url":"https://developer.signalwire.com/rest/overview/error-codes/#http_url_required"}]}'
    )


async def test_every_bad_attribute_is_told_at_once() -> None:
    """Of all eight."""
    sent = {
        "name": "x" * 51,
        "used_for": "messaging",
        "primary_request_url": "tcp://h:1",
        "primary_request_method": "PUT",
        "fallback_request_url": 7,
        "fallback_request_method": "get",
        "status_callback_url": "h",
        "status_callback_method": [],
    }
    answer = await asked(CardHouse(), "POST", ALL, sent)
    assert dict(bad(answer)) == {
        key: "http_url_required" if key.endswith("_url") else "invalid_parameter" for key in sent
    }


@pytest.mark.parametrize("sent", [{}, None, {"name": None, "primary_request_url": ""}])
async def test_what_is_required_is_told(sent: object) -> None:
    """A name, and where to ask."""
    answer = await asked(CardHouse(), "POST", ALL, sent)
    assert refusal(answer) == (
        422,
        {
            "errors": [
                error("name", "missing_required_parameter", "is required"),
                error("primary_request_url", "missing_required_parameter", "is required"),
            ]
        },
    )


@pytest.mark.parametrize(
    ("attribute", "value", "code"),
    [
        ("name", 7, "invalid_parameter"),
        ("name", ["x"], "invalid_parameter"),
        ("name", "a\0b", "invalid_parameter"),
        ("name", "credential:crm", "invalid_parameter"),
        ("used_for", "messaging", "invalid_parameter"),
        ("primary_request_url", "credential:crm", "http_url_required"),
        ("primary_request_url", "https://h/\r\nX-A: 1", "http_url_required"),
        ("primary_request_url", "https://" + "h" * 60_000, "http_url_required"),
        ("fallback_request_url", "file:///etc/passwd", "http_url_required"),
        ("fallback_request_url", "https://h/#rc=2", "invalid_parameter"),
        ("status_callback_url", {"url": "https://h/"}, "http_url_required"),
        ("status_callback_method", "post", "invalid_parameter"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_each_bad_value_is_told_by_its_attribute(
    method: str, attribute: str, value: object, code: str
) -> None:
    """When it is made and when it is changed; it is not quoted, and nothing changes."""
    house = CardHouse()
    identity = await made(house)
    path, rest = (ALL, HANDLER) if method == "POST" else (f"{ALL}/{identity}", {})
    answer = await asked(house, method, path, rest | {attribute: value})
    assert bad(answer) == [(attribute, code)]
    assert len(house.changes) == 1


@pytest.mark.parametrize("attribute", [key for key in HANDLER if key.endswith("_url")])
@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.7/",
        "http://[::1]:8080/",
        "http://[::ffff:10.0.0.7]/",
    ],
)
async def test_no_url_of_a_stranger_leads_into_the_house(attribute: str, url: str) -> None:
    """Each of the three is told as its own attribute."""
    answer = await asked(CardHouse(), "POST", ALL, HANDLER | {attribute: url})
    assert answer.json() == {"errors": [error(attribute, "invalid_parameter", CLOSED)]}


async def test_all_three_urls_are_told_at_once() -> None:
    """Where none of them may be asked."""
    urls = {key: f"http://10.0.0.{number}/" for number, key in enumerate(HANDLER) if "url" in key}
    answer = await asked(CardHouse(), "POST", ALL, HANDLER | urls)
    assert [attribute for attribute, _ in bad(answer)] == list(urls)


async def test_a_trusted_caller_may_send_into_the_house() -> None:
    """That is what trust is for."""
    handler = HANDLER | {"primary_request_url": "http://10.0.0.7:8080/swml"}
    assert (await asked(CardHouse(), "POST", ALL, handler, who="trusted")).status_code == 201


async def test_a_customer_may_have_so_many() -> None:
    """It is no attribute's fault."""
    house = CardHouse("[api]\nmax_subscriptions_per_customer = 1\n")
    await made(house)
    answer = await asked(house, "POST", ALL, HANDLER)
    sentence = "A customer may have at most 1 of them."
    assert refusal(answer) == (
        422,
        {"errors": [error(None, "account_limit_exceeded", sentence)]},
    )


# --- everything else


@pytest.mark.parametrize("path", [ALL, WEBHOOKS])
async def test_without_a_token_nobody_is_served(path: str) -> None:
    """The documented text, and how to ask again."""
    answer = await asked(CardHouse(), "GET", path, who="")
    assert (answer.status_code, answer.content) == (401, b'"Unauthorized"')
    assert "www-authenticate" in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        f"{ALL}/x",
        f"{ALL}/3fa85f64-5717-4562-b3fc-2c963f66afa6",
        f"{ALL}/%00",
        f"{ALL}//",
        f"{ALL}/{'x' * 5_000}",
        f"{ALL}/x/y",
        "/api/fabric/resources",
        "/api/fabric/",
    ],
)
async def test_what_is_not_there_is_not_found(path: str) -> None:
    """The documented text, whatever is missing."""
    answer = await asked(CardHouse(), "GET", path)
    assert (answer.status_code, answer.content) == (404, b'"Not Found"')


@pytest.mark.parametrize("dialect", ["telecomx", "api", "portsip"])
async def test_a_thing_of_another_dialect_is_none(dialect: str) -> None:
    """Whatever its id."""
    answer = await asked(CardHouse(), "GET", f"{ALL}/{dialect}.crm.3f9a0c51")
    assert refusal(answer) == (404, "Not Found")


@pytest.mark.parametrize(
    ("method", "beneath"), [("POST", ""), ("PUT", "/x"), ("PATCH", "/x"), ("DELETE", "/x")]
)
async def test_a_viewer_may_only_look(method: str, beneath: str) -> None:
    """Whether there is such a handler or not."""
    house = CardHouse()
    await made(house)
    answer = await asked(house, method, ALL + beneath, {}, who="viewer")
    assert (answer.status_code, answer.content) == (403, b'"Forbidden"')
    assert (await asked(house, "GET", ALL, who="viewer")).json()["data"]


@pytest.mark.parametrize(
    ("method", "beneath", "allowed"),
    [
        ("DELETE", "", "GET, HEAD, POST"),
        ("PUT", "", "GET, HEAD, POST"),
        ("POST", "/x", "DELETE, GET, HEAD, PATCH, PUT"),
        ("POST", "/x/addresses", "GET, HEAD"),
    ],
)
async def test_a_method_that_is_none_is_told(method: str, beneath: str, allowed: str) -> None:
    """Which there are."""
    answer = await asked(CardHouse(), method, ALL + beneath, {})
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    assert answer.json() == f"This path does not know that method; it knows {allowed}."


@pytest.mark.parametrize(
    ("content", "sent_as", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'"x"', "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[" * 50_000, "application/json", 400),
        (b"name=x", "application/x-www-form-urlencoded", 415),
        (b"{}", "text/plain", 415),
        (b" " * 1_048_576, "application/json", 413),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_a_body_that_is_none_is_told(
    method: str, content: bytes, sent_as: str, status: int
) -> None:
    """In a sentence, which is a bare text as well."""
    house = CardHouse()
    path = ALL if method == "POST" else f"{ALL}/{await made(house)}"
    answer = await asked(house, method, path, content=content, sent_as=sent_as)
    assert (answer.status_code, type(answer.json())) == (status, str)


async def test_what_cannot_be_stored_now_is_told() -> None:
    """With the reason, as the operator would see it."""
    house = CardHouse()
    house.closed = "The spool is full."
    answer = await asked(house, "POST", ALL, HANDLER)
    assert refusal(answer) == (503, "The spool is full.")


async def test_a_customer_that_is_no_longer_known_is_told() -> None:
    """As the project, which nobody can set here."""
    house = CardHouse('[[customer]]\nid = "acme"\n')
    identity = await made(house)
    house.read_again('[[customer]]\nid = "bravo"\n')
    answer = await asked(house, "PUT", f"{ALL}/{identity}", {"name": "x"})
    assert bad(answer) == [("project_id", "invalid_parameter")]


def test_a_mistake_of_ours_is_told_in_its_words() -> None:
    """And what a client has to wait for stays in the headers."""
    refused = language(CardHouse()).refused
    answer = refused(Refusal(500, "callpost has made a mistake."))
    assert json.loads(bytes(answer.body)) == "Internal Server Error"
    slowed = refused(Refusal(429, "Too many.", headers={"Retry-After": "5"}))
    assert (slowed.headers["retry-after"], slowed.body) == ("5", b'"Too many."')
