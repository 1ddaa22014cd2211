"""What is wrong with an action URL: each field by its name, all faults at once, and any JSON."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.lists import as_json
from api.portsip.ivrs import ALL, ORDERS, SECRET, a_house, asked, faults, made, no


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"url": ""}, "url", "is required"),
        ({"url": 7}, "url", "expected a text, found a whole number"),
        ({"url": "text"}, "url", "Invalid URL"),
        ({"url": "credential:crm"}, "url", "Invalid URL"),
        ({"url": "ftp://a.b/"}, "url", "URL protocol is invalid"),
        ({"url": "file:///etc/passwd"}, "url", "URL protocol is invalid"),
        ({"url": "tcp://a.b:4010"}, "url", "expected a URL of http or https"),
        ({"url": "http://a.b:22/"}, "url", "Port is invalid"),
        ({"url": "http://127.0.0.1:8080/"}, "url", "URL points to an invalid IP address"),
        ({"url": "http://169.254.169.254/"}, "url", "URL points to an invalid IP address"),
        ({"url": "http://10.1.2.3:8080/"}, "url", "URL points to an invalid IP address"),
        ({"url": "http://[::ffff:127.0.0.1]:8080/"}, "url", "URL points to an invalid IP address"),
        ({"url": "http://1.2.3.999/"}, "url", "URL points to an invalid IP address"),
        ({"url": "http://a..b/"}, "url", "URL points to an invalid hostname"),
        ({"name": 1}, "name", "expected a text, found a whole number"),
        ({"name": "a\nb"}, "name", "must not hold control characters"),
        ({"name": "x" * 1_025}, "name", "must have at most 1,024 characters"),
        ({"name": "credential:crm"}, "name", "a credential of this machine cannot be used"),
        ({"enabled": "yes"}, "enabled", "expected true or false, found a text"),
        ({"enabled": 1}, "enabled", "expected true or false, found a whole number"),
        ({"type": "CALLER"}, "type", "expected one of DTMF"),
        ({"type": []}, "type", "expected a text, found a list"),
        ({"method": "PUT"}, "method", "expected one of GET | POST"),
        ({"method": "get"}, "method", "expected one of GET | POST"),
        ({"auth": "NTLM"}, "auth", "expected one of DISABLE | BASIC | DIGEST | BEARER"),
        ({"caller_mask": "[1"}, "caller_mask", "The mask has a [ without its ]"),
        ({"caller_mask": "credential:x"}, "caller_mask", "a credential of this machine cannot"),
        ({"caller_mask": {}}, "caller_mask", "expected a text, found an object"),
        ({"dtmf_mask": "text"}, "dtmf_mask", "The pattern may hold only digits"),
        ({"dtmf_mask": "1.2"}, "dtmf_mask", "The pattern has a . before its end"),
        ({"dtmf_mask": "4000-3000"}, "dtmf_mask", "a range runs backwards"),
        ({"dtmf_mask": "1;" * 1_500}, "dtmf_mask", "stands for more than 1,000 patterns"),
        ({"connection_timeout": -1}, "connection_timeout", "expected a whole number from 0 to"),
        ({"connection_timeout": 61}, "connection_timeout", "is longer than 60 s, the longest"),
        ({"request_timeout": 301}, "request_timeout", "is longer than 300 s, the longest"),
        ({"request_timeout": "2 s"}, "request_timeout", "expected a whole number from 0 to"),
        ({"request_timeout": True}, "request_timeout", "expected a whole number from 0 to"),
        ({"headers": {}}, "headers", "expected a text, found an object"),
        ({"headers": "text"}, "headers", "line 1 is no header such as X-Menu: main"),
        ({"headers": "X-A: 1\rX-B: 2"}, "headers", "line 1 cannot be sent: X-A must not hold CR"),
        ({"headers": "X-A: 1\0"}, "headers", "line 1 cannot be sent: X-A must not hold CR, LF"),
        ({"headers": "X-A: 1\nHost: b"}, "headers", "line 2 is a header that callpost writes"),
        ({"headers": "Content-Length: 0"}, "headers", "line 1 is a header that callpost writes"),
        ({"headers": "Webhook-Id: x"}, "headers", "line 1 is a header that callpost writes"),
        ({"headers": "X-A: 1\nx-a: 2"}, "headers", "line 2 is a second x-a"),
        ({"headers": "X-A: credential:crm"}, "headers", "line 1 begins with credential:, which"),
        ({"headers": "X-A: \u20ac"}, "headers", "line 1 cannot be sent: X-A must hold characters"),
        ({"headers": "Content-Type: x"}, "headers", "line 1 is no media type (Content-Type)"),
        ({"username": "credential:crm"}, "username", "begins with credential:, which names a"),
        ({"password": "credential:crm"}, "password", "begins with credential:, which names a"),
        ({"token": "credential:crm"}, "token", "begins with credential:, which names a secret"),
        ({"password": 1}, "password", "expected a text, found a whole number"),
        ({"auth": "BASIC"}, "username", "is required with auth BASIC"),
        ({"auth": "DIGEST", "username": "a\r\nb"}, "username", "must not hold control characters"),
        ({"auth": "BASIC", "username": "a:b"}, "username", "must not hold a colon (RFC 7617)"),
        (
            {"auth": "BASIC", "username": "u", "password": "a\r\nX-B: c"},
            "password",
            "must not hold line breaks or other control characters",
        ),
        (
            {"auth": "DIGEST", "username": "u", "password": "credential:crm"},
            "password",
            "begins with credential:, which names a secret here",
        ),
        ({"auth": "BEARER"}, "token", "must not be empty"),
        ({"auth": "BEARER", "token": "a\r\nb"}, "token", "must not hold line breaks or other"),
        (
            {"auth": "BEARER", "token": "t", "headers": "Authorization: x"},
            "headers",
            "Authorization makes no sense, as auth or the URL has it",
        ),
    ],
)
@pytest.mark.parametrize("is_update", [False, True])
async def test_each_field_has_its_faults(
    *, change: dict[str, object], field: str, reason: str, is_update: bool
) -> None:
    """In a new action URL as in an update, which then changes nothing."""
    house = a_house()
    path = await made(house) if is_update else ALL
    before = house.cards("portsip")
    [(found, told)] = faults(await asked(house, "POST", path, ORDERS | change))
    assert (found, told[: len(reason)], house.cards("portsip")) == (field, reason, before)


async def test_a_new_action_url_needs_a_url() -> None:
    """Nothing else is required."""
    assert faults(await asked(a_house(), "POST", ALL, {})) == [("url", "is required")]


async def test_every_fault_is_told_at_once() -> None:
    """Not only the first."""
    item = {"url": 1, "method": "PUT", "auth": "x", "dtmf_mask": "x.x", "headers": "x"}
    found = faults(await asked(a_house(), "POST", ALL, item))
    assert {field for field, _ in found} == set(item)


async def test_no_value_is_quoted() -> None:
    """It could be a secret."""
    item = dict.fromkeys(ORDERS, "s3cret\0")
    answer = await asked(a_house(), "POST", ALL, item)
    assert (answer.status_code, "s3cret" in answer.text) == (400, False)


async def test_what_is_no_field_is_passed_over() -> None:
    """Such as the id that a client read before."""
    house = a_house()
    path = await made(house)
    answer = await asked(house, "POST", path, {"id": "another", "scope": "9000", "customer": "b"})
    assert (answer.status_code, house.cards("portsip")[0].customer) == (200, "acme")


@pytest.mark.parametrize(
    ("content", "sent_as", "told"),
    [
        (b"{", "application/json", (400, "BAD_REQUEST")),
        (b"\xff", "application/json", (400, "BAD_REQUEST")),
        (b"[" * 60_000, "application/json", (400, "BAD_REQUEST")),
        (b"[]", "application/json", (400, "BAD_REQUEST")),
        (b"7", "application/json", (400, "BAD_REQUEST")),
        (b"null", "application/json", (400, "VALIDATE_FAILED")),
        (b"", "application/json", (400, "VALIDATE_FAILED")),
        (b"{}", "text/plain", (415, "UNSUPPORTED_MEDIA_TYPE")),
        (b"url=x", "application/x-www-form-urlencoded", (415, "UNSUPPORTED_MEDIA_TYPE")),
        (b'{"url":"' + b"x" * 1_048_576 + b'"}', "application/json", (413, "TOO_LARGE")),
    ],
)
async def test_a_body_that_is_no_object_is_refused(
    content: bytes, sent_as: str, told: tuple[int, str]
) -> None:
    """Each kind by itself."""
    assert no(await asked(a_house(), "POST", ALL, content=content, sent_as=sent_as)) == told


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
WORDS = st.sampled_from(
    ["", "DTMF", "GET", "POST", "BASIC", "DIGEST", "BEARER", "1-9;X.", "+45*", "********", "2"]
) | st.sampled_from(
    ["X-A: 1", "X-A: ********\nX-B: credential:x", "https://a.example/#ct=100&rt=0", "text", "0"]
)
FIELDS = st.dictionaries(st.sampled_from([*ORDERS, "id", "x"]), WORDS | JSON)


@pytest.mark.parametrize("is_update", [False, True])
@given(sent=FIELDS | JSON | FIELDS.map(lambda fields: SECRET | fields))
async def test_whatever_is_sent_is_taken_or_refused(*, is_update: bool, sent: object) -> None:
    """Never with a mistake of ours; what was taken is taken again as it is read."""
    house = a_house()
    path = await made(house, SECRET)
    answer = await asked(house, "POST", path if is_update else ALL, content=as_json(sent))
    assert answer.status_code in {200, 201, 400}
    for item in (await asked(house, "GET", ALL)).json()["items"]:
        again = await asked(house, "POST", f"{ALL}/{item['id']}", item)
        assert again.status_code == 200, again.text
