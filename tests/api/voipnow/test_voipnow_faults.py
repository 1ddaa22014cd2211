"""Every way in which VoipNow's door says no, each with its code."""

import pytest

from api.voipnow.uapi import EVENTS, EXAMPLE, a_uapi, refused
from callpost.api.voipnow import refusals
from callpost.web.problem import Refusal

NOBODYS = "1" * 30


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("type", None, "pcet_type_invalid"),
        ("type", 5, "pcet_type_invalid"),
        ("type", "-1", "pcet_type_invalid"),
        ("type", True, "pcet_type_invalid"),
        ("method", None, "pce_method_invalid"),
        ("method", "2", "pce_method_invalid"),
        ("method", "POST", "pce_method_invalid"),
        ("note", "x" * 1_025, "pce_note_invalid"),
        ("note", 1, "pce_note_invalid"),
        ("note", "credential:crm", "pce_note_invalid"),
        ("url", None, "pce_url_invalid"),
        ("url", "", "pce_url_invalid"),
        ("url", 1, "pce_url_invalid"),
        ("url", "nothing", "pce_url_invalid"),
        ("url", "credential:crm", "pce_url_invalid"),
        ("url", "tcp://203.0.113.9:4010", "pce_url_invalid"),
        ("url", "http://127.0.0.1/", "pce_url_invalid"),
        ("url", "http://169.254.169.254/latest", "pce_url_invalid"),
        ("url", "http://[::1]/", "pce_url_invalid"),
        ("url", "http://crm.example.com:22/", "pce_url_invalid"),
        ("url", "http://a.example/\r\nX-A: 1", "pce_url_invalid"),
        ("status", 2, "pce_status_invalid"),
        ("status", "on", "pce_status_invalid"),
    ],
)
async def test_a_field_at_fault_has_its_own_code(field: str, value: object, code: str) -> None:
    """With status 400, and nothing is made."""
    async with a_uapi() as uapi:
        answer = await uapi.client.post(EVENTS, json=EXAMPLE | {field: value})
        assert (refused(answer), uapi.cards()) == ((400, code), [])


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("type", 5, "pce_type_invalid"),
        ("method", 2, "pce_method_invalid"),
        ("note", "x" * 1_025, "pce_note_invalid"),
        ("url", "udp://203.0.113.9:4010", "pce_url_invalid"),
        ("url", "http://10.0.0.1/", "pce_url_invalid"),
        ("status", "", "pce_status_invalid"),
    ],
)
async def test_a_field_at_fault_changes_nothing(field: str, value: object, code: str) -> None:
    """An update has the same codes, but for that of the type."""
    async with a_uapi() as uapi:
        made = await uapi.make()
        answer = await uapi.client.put(f"{EVENTS}/0/{made['id']}", json={"note": "n", field: value})
        assert (refused(answer), await uapi.listed()) == ((400, code), [made])


async def test_a_fault_names_its_field_but_not_its_value() -> None:
    """A value could be a secret."""
    async with a_uapi() as uapi:
        answer = await uapi.client.post(EVENTS, json=EXAMPLE | {"url": "hunter2"})
    assert answer.json()["error"]["message"] == "url: Invalid URL."


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("place", ["0", "2"])
async def test_what_is_not_there_is_not_found(method: str, place: str) -> None:
    """An id that nobody has, and one that is there with another type."""
    async with a_uapi() as uapi:
        made = await uapi.make()
        path = f"{EVENTS}/{place}/{NOBODYS if place == '0' else made['id']}"
        answer = await uapi.client.request(method, path, json={})
        assert (refused(answer), await uapi.listed()) == ((404, "pce_id_invalid"), [made])


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("type_", ["5", "x", "00", "٣"])
async def test_a_type_that_there_is_not_is_a_fault_of_the_path(method: str, type_: str) -> None:
    """Whatever is to be done there."""
    async with a_uapi() as uapi:
        answer = await uapi.client.request(method, f"{EVENTS}/{type_}/{NOBODYS}", json={})
    assert refused(answer) == (400, "pce_type_invalid")


@pytest.mark.parametrize(("path", "type_"), [("1", "0"), ("x", "0"), ("7", None)])
async def test_a_type_in_the_path_must_be_that_of_the_body(path: str, type_: object) -> None:
    """It cannot be both."""
    async with a_uapi() as uapi:
        answer = await uapi.client.post(f"{EVENTS}/{path}", json=EXAMPLE | {"type": type_})
    assert refused(answer) == (400, "pcet_type_invalid")


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[]", b"1", b'"x"', b"[" * 100_000])
async def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    """With a code of ours, as VoipNow's pages have none."""
    async with a_uapi() as uapi:
        json = {"content-type": "application/json"}
        answer = await uapi.client.post(EVENTS, content=body, headers=json)
    assert refused(answer) in {(400, "request_invalid"), (413, "request_too_large")}


async def test_no_body_at_all_lacks_everything() -> None:
    """The type comes first."""
    async with a_uapi() as uapi:
        assert refused(await uapi.client.post(EVENTS)) == (400, "pcet_type_invalid")


async def test_a_body_of_another_type_is_refused() -> None:
    """A form is no JSON."""
    async with a_uapi() as uapi:
        answer = await uapi.client.post(EVENTS, data={"type": "0"})
    assert refused(answer) == (415, "content_type_invalid")


async def test_a_body_that_is_too_large_is_refused() -> None:
    """A megabyte is no event."""
    async with a_uapi() as uapi:
        answer = await uapi.client.post(EVENTS, json=EXAMPLE | {"note": "x" * 1_000_000})
    assert refused(answer) == (413, "request_too_large")


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", EVENTS), ("PATCH", EVENTS), ("POST", f"{EVENTS}/0/{NOBODYS}"), ("PUT", f"{EVENTS}/0")],
)
async def test_a_method_that_a_path_does_not_know_is_refused(method: str, path: str) -> None:
    """With those that it knows."""
    async with a_uapi() as uapi:
        answer = await uapi.client.request(method, path)
    assert refused(answer) == (405, "request_not_implemented")
    assert "DELETE" in answer.headers["allow"]


@pytest.mark.parametrize(
    "path",
    [
        "/uapi/",
        "/uapi/extensions/@me/0003*210/presence",
        "/uapi/extensions/@me/phoneCallEvents",
        "/uapi/extensions/@me//phoneCallEvents",
        f"{EVENTS}//",
        f"{EVENTS}/0/x/y",
        "/uapi/extensions/@me/0003%2F210/phoneCallEvents",
    ],
)
async def test_a_path_that_there_is_not_is_told_as_such(path: str) -> None:
    """In VoipNow's form."""
    async with a_uapi() as uapi:
        assert refused(await uapi.client.get(path)) == (404, "request_unknown")


async def test_who_has_no_token_is_told_to_bring_one() -> None:
    """VoipNow's code and status; the header says how."""
    async with a_uapi(who="") as uapi:
        answer = await uapi.client.get(EVENTS)
    assert refused(answer) == (401, "access_denied")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path"), [("POST", ""), ("PUT", "/0/x"), ("DELETE", "")])
async def test_a_viewer_may_only_look(method: str, path: str) -> None:
    """What it changes is denied, whatever it is."""
    async with a_uapi(who="viewer") as uapi:
        answer = await uapi.client.request(method, f"{EVENTS}{path}", json=EXAMPLE)
        assert (refused(answer), await uapi.listed()) == ((400, "pce_access_denied"), [])


async def test_a_customer_has_only_so_many() -> None:
    """The limit of the configuration; with a code of ours."""
    async with a_uapi("[api]\nmax_subscriptions_per_customer = 1\n") as uapi:
        await uapi.make()
        answer = await uapi.client.post(EVENTS, json=EXAMPLE)
    assert refused(answer) == (400, "pce_limit_reached")


async def test_what_cannot_be_written_down_now_may_be_later() -> None:
    """Status 503 and a sentence."""
    async with a_uapi() as uapi:
        uapi.house.closed = "The spool is full."
        answer = await uapi.client.post(EVENTS, json=EXAMPLE)
    assert refused(answer) == (503, "service_unavailable")


async def test_a_mistake_of_ours_is_told_in_the_same_form() -> None:
    """Without a word of what it was."""
    async with a_uapi() as uapi:
        uapi.house.random_bytes = None  # type: ignore[method-assign,assignment]  # a mistake
        answer = await uapi.client.post(EVENTS, json=EXAMPLE)
    assert refused(answer) == (500, "internal_server_error")


def test_who_failed_too_often_is_told_when_to_come_back() -> None:
    """The site's headers go along with the answer in VoipNow's form."""
    answer = refusals.refused(Refusal(429, "Too many tries.", headers={"Retry-After": "5"}))
    assert (answer.status_code, answer.headers["retry-after"], bytes(answer.body)) == (
        429,
        "5",
        b'{"error":{"code":"too_many_requests","message":"Too many tries."}}',
    )
