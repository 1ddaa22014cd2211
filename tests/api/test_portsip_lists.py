"""PortSIP's action URLs to subscriptions, and back."""

import json
from collections.abc import Mapping
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.lists import verdict
from callpost.api import portsip
from callpost.api.translated import MalformedDocument, Refused, Table, Translated

# As the pages show one: DTMF, GET, DISABLE, time-outs of 2, and "text" for the headers.
SHOWN: Final = {
    "name": "order status",
    "enabled": True,
    "type": "DTMF",
    "caller_mask": "+45*",
    "dtmf_mask": "1XXX;9.",
    "method": "GET",
    "headers": "text",
    "connection_timeout": 2,
    "request_timeout": 2,
    "auth": "DISABLE",
    "username": "",
    "password": "",
    "token": "",
    "url": "https://orders.example.com/ivr?menu=main",
}


def read(*changes: Mapping[str, object], of: str = "8000") -> tuple[Translated | Refused, ...]:
    """The list with one item for each set of changes to what the pages show."""
    listed = [{**SHOWN, **change} for change in changes or ({},)]
    return portsip.read(json.dumps({"items": listed}).encode(), of=of)


def one(**change: object) -> Translated:
    """The only item, which can be carried over."""
    [found] = read(change)
    assert isinstance(found, Translated), found
    return found


def faults(**change: object) -> list[tuple[str, str]]:
    """What is wrong with the only item: paths and sentences."""
    [found] = read(change)
    assert isinstance(found, Refused), found
    return [(fault.path, fault.sentence) for fault in found.faults]


def answered(*tables: Table) -> list[dict[str, object]]:
    """The items that the subscriptions are to PortSIP."""
    document = json.loads(portsip.written(tables).document)
    assert document.keys() == {"items"}
    listed = document["items"]
    assert isinstance(listed, list)
    return listed


def test_what_the_pages_show_becomes_a_subscription_to_digits() -> None:
    """Each field has its key."""
    assert one().table == {
        "name": "order status",
        "note": "order status",
        "url": "https://orders.example.com/ivr?menu=main",
        "method": "GET2",
        "extension": ["8000"],
        "extension_type": ["ivr"],
        "caller": ["+45*"],
        "dtmf": ["1XXX", "9."],
        "connect_timeout_s": 2,
        "first_byte_timeout_s": 2,
        "timeout_s": 2,
    }


def test_a_line_of_the_headers_that_is_none_is_lost_and_named_by_its_number() -> None:
    """The pages show the word "text" there; it could be a secret."""
    sentence = "$.items[0].headers: line 1 is no header such as X-Menu: main; it was left out"
    assert one().lost == (sentence,)


def test_nothing_is_lost_of_an_item_without_anything_odd() -> None:
    """And of fields that are null or not there."""
    assert one(headers=None, caller_mask=None, username=None, id="NzAw").lost == ()


def test_without_a_pattern_any_digits_are_meant() -> None:
    """And nothing but digits."""
    table = one(dtmf_mask="").table
    assert (table.get("events"), "dtmf" in table) == (["dtmf"], False)


def test_numbers_and_ranges_are_patterns() -> None:
    """With semicolons between them, as PortSIP documents it; a comma is as good."""
    table = one(dtmf_mask="1000; 2000,3000-4000").table
    assert table["dtmf"] == ["1000", "2000", "3XXX", "4000"]


def test_an_item_that_is_not_enabled_is_a_subscription_that_is_not() -> None:
    """It is kept for the day when it is."""
    assert one(enabled=False).table["enabled"] is False


def test_a_post_is_one_of_json() -> None:
    """What PortSIP's body is, is not documented."""
    assert one(method="POST").table["method"] == "POSTJSON"


def test_headers_are_one_a_line() -> None:
    """Content-Type has a key of its own."""
    text = "X-Menu: main\r\nX-Empty:\n\nContent-Type: text/plain"
    table = one(method="POST", headers=text).table
    assert (table["headers"], table["content_type"]) == (
        {"X-Menu": "main", "X-Empty": ""},
        "text/plain",
    )


@pytest.mark.parametrize(
    ("change", "auth"),
    [
        (
            {"auth": "BASIC", "username": "u", "password": "p"},
            {"type": "basic", "username": "u", "password": "credential:order-status-password"},
        ),
        (
            {"auth": "DIGEST", "username": "u", "password": "********"},
            {"type": "digest", "username": "u", "password": "credential:order-status-password"},
        ),
        (
            {"auth": "BEARER", "token": "t"},
            {"type": "bearer", "token": "credential:order-status-token"},
        ),
        ({"auth": "DISABLE"}, None),
    ],
)
def test_auth_of_each_kind_names_a_credential(change: Table, auth: object) -> None:
    """Whether the list has the secret or not."""
    assert one(**change).table.get("auth") == auth


def test_what_has_become_of_a_secret_is_said() -> None:
    """And where it is to be put."""
    assert one(headers="", auth="BEARER", token="s3cret").lost == (
        (
            "$.items[0].token: is a secret and was not carried over; "
            "put it into the credential order-status-token"
        ),
    )


def test_two_items_of_one_name_have_two_credentials() -> None:
    """Their secrets may differ."""
    found = read({"auth": "BEARER"}, {"auth": "BEARER"})
    tables = [each.table["auth"] for each in found if isinstance(each, Translated)]
    assert tables == [
        {"type": "bearer", "token": "credential:order-status-token"},
        {"type": "bearer", "token": "credential:order-status-token-2"},
    ]


def test_a_masked_header_is_a_credential() -> None:
    """As callpost's own answers mask those that are."""
    headers = one(headers="X-Key: ********").table["headers"]
    assert headers == {"X-Key": "credential:order-status-x-key"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"username": "u"}, "$.items[0].username: has no use with auth DISABLE; it was left out"),
        ({"colour": 1}, "$.items[0].colour is nothing that callpost knows; it was left out"),
        (
            {"connection_timeout": 90},
            "$.items[0].connection_timeout: is longer than 60 s, the longest there is; it became",
        ),
        ({"request_timeout": 900}, "$.items[0].request_timeout: is longer than 300 s, the longest"),
        (
            {"request_timeout": 0},
            "$.items[0].request_timeout: 0 is no time-out; callpost's own counts",
        ),
        ({"headers": "Host: a"}, "$.items[0].headers: line 1 is a header that callpost writes"),
        ({"headers": "A: 1\na: 2"}, "$.items[0].headers: line 2 is a second a; it was left out"),
        ({"headers": "A: \u20ac"}, "$.items[0].headers: line 1 cannot be sent: A must hold"),
        (
            {"headers": "Authorization: x", "url": "http://u:p@h/"},
            "$.items[0].headers: Authorization makes no sense, as auth or the URL has it; it was",
        ),
        ({"headers": "Content-Type: a/b"}, "$.items[0].headers: Content-Type has no use, as a GET"),
        (
            {"headers": "Authorization: x", "auth": "BEARER"},
            "$.items[0].headers: Authorization makes no sense, as auth or the URL has it; it was",
        ),
    ],
)
def test_what_cannot_be_said_is_told(change: Table, sentence: str) -> None:
    """One sentence with its JSON path, never with a value."""
    lost = one(**{"headers": "", **change}).lost
    assert [each[: len(sentence)] for each in lost if "secret" not in each] == [sentence]


def test_without_a_receptionist_all_are_meant() -> None:
    """A list does not name it: it is in the path of the request."""
    [found] = read({"headers": "", "name": None}, of="")
    assert isinstance(found, Translated)
    assert (found.table["name"], found.table.get("extension"), found.lost) == (
        "portsip",
        None,
        ("the list does not say of which receptionist it is; all are meant",),
    )


def test_a_page_of_a_longer_list_is_told() -> None:
    """PortSIP answers at most a hundred at once."""
    document = {"count": 101, "items": [{**SHOWN, "headers": ""}, {**SHOWN, "headers": ""}]}
    first, second = portsip.read(json.dumps(document).encode(), of="8000")
    assert isinstance(first, Translated)
    assert isinstance(second, Translated)
    assert (first.lost, second.lost) == (
        ("there are 101 action URLs, and these are 2 of them",),
        (),
    )


@pytest.mark.parametrize(
    ("change", "path", "sentence"),
    [
        ({"type": "VOICE"}, "type", "expected one of DTMF"),
        ({"type": 1}, "type", "expected a text, found a whole number"),
        ({"method": "PUT"}, "method", "expected one of GET | POST"),
        ({"auth": "NTLM"}, "auth", "expected one of DISABLE | BASIC | DIGEST | BEARER"),
        ({"auth": "BASIC"}, "username", "is required with auth BASIC"),
        ({"auth": "BASIC", "username": "a:b"}, "username", "must not hold a colon (RFC 7617)"),
        ({"auth": "DIGEST", "username": "a\n"}, "username", "must not hold control characters"),
        (
            {"auth": "DIGEST", "username": "credential:crm-key"},
            "username",
            "begins with credential:, which names a secret here",
        ),
        ({"auth": "BASIC", "username": "u", "password": 1}, "password", "expected a text, found"),
        ({"enabled": "yes"}, "enabled", "expected true or false, found a text"),
        ({"url": None}, "url", "is required"),
        ({"url": ""}, "url", "is required"),
        ({"url": "ftp://h/"}, "url", "URL protocol is invalid"),
        ({"url": "tcp://h:1"}, "url", "expected a URL of http or https"),
        ({"url": 7}, "url", "expected a text, found a whole number"),
        ({"caller_mask": "[1"}, "caller_mask", "The mask has a [ without its ]"),
        ({"caller_mask": "1\x002"}, "caller_mask", "a mask has at most 255 characters, all of"),
        ({"caller_mask": "1" * 256}, "caller_mask", "a mask has at most 255 characters, all of"),
        ({"dtmf_mask": "1.2"}, "dtmf_mask", "The pattern has a . before its end"),
        ({"dtmf_mask": ["1"]}, "dtmf_mask", "expected a text, found a list"),
        ({"headers": {}}, "headers", "expected a text, found an object"),
        ({"connection_timeout": -1}, "connection_timeout", "expected a whole number from 0 to"),
        ({"request_timeout": 1.5}, "request_timeout", "expected a whole number from 0 to"),
        ({"name": False}, "name", "expected a text, found true or false"),
        ({"headers": "A: " + "x" * 1_048_576}, "headers", "must have at most 65,536 characters"),
    ],
)
def test_what_is_wrong_is_said_with_its_path(change: Table, path: str, sentence: str) -> None:
    """And the value is not quoted."""
    [(found_path, found)] = faults(**change)
    assert (found_path, found[: len(sentence)]) == (f"$.items[0].{path}", sentence)


def test_everything_wrong_is_said_at_once() -> None:
    """Not only the first fault."""
    paths = [path for path, _ in faults(type="X", method="X", auth="X", url=1)]
    assert paths == [f"$.items[0].{key}" for key in ("type", "method", "url", "auth")]


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        (b"", "$: syntax: is not JSON"),
        (b"7", "$: type: expected a list or an object, found a whole number"),
        (b'{"items": {}}', "$.items: type: expected a list, found an object"),
    ],
)
def test_what_is_no_list_is_refused_as_a_whole(document: bytes, fault: str) -> None:
    """With its path."""
    with pytest.raises(MalformedDocument) as raised:
        portsip.read(document)
    assert str(raised.value.fault).startswith(f": {fault}")


def test_an_item_that_is_none_does_not_spoil_the_others() -> None:
    """It alone is refused."""
    document = json.dumps({"items": ["text", SHOWN]}).encode()
    assert [type(each) for each in portsip.read(document)] == [Refused, Translated]


def test_a_document_of_a_megabyte_is_read() -> None:
    """Thousands of action URLs."""
    document = json.dumps({"items": [SHOWN] * 3_500}).encode()
    assert (len(document) > 1_048_576, len(portsip.read(document))) == (True, 3_500)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"auth": "BASIC", "username": "u", "password": "p"},
        {"auth": "DIGEST", "username": "u"},
        {"auth": "BEARER", "token": "t", "headers": "X-Key: ********"},
        {"method": "POST", "headers": "Content-Type: text/plain"},
        {"dtmf_mask": "", "caller_mask": "", "enabled": False},
        {"connection_timeout": 5_000, "request_timeout": 5_000},
    ],
)
def test_the_configuration_takes_what_comes_out(change: Table) -> None:
    """Once its credentials are there."""
    assert verdict("subscription", one(**{"headers": "", **change}).table) == []


def test_a_subscription_is_written_in_portsips_words() -> None:
    """Every field is there; secrets are masked."""
    table: Table = {
        "name": "menu",
        "url": "https://orders.example.com/ivr#ct=2000&tt=2500",
        "method": "GET2",
        "extension": ["8000"],
        "extension_type": ["ivr"],
        "caller": ["+45*"],
        "dtmf": ["1XXX", "9."],
        "headers": {"X-Menu": "main", "X-Key": "credential:key"},
        "auth": {"type": "basic", "username": "u", "password": "credential:p"},
    }
    assert answered(table) == [
        {
            "name": "menu",
            "enabled": True,
            "type": "DTMF",
            "caller_mask": "+45*",
            "dtmf_mask": "1XXX;9.",
            "method": "GET",
            "headers": "X-Menu: ********\nX-Key: ********",
            "connection_timeout": 2,
            "request_timeout": 3,
            "auth": "BASIC",
            "username": "u",
            "password": "********",
            "token": "",
            "url": "https://orders.example.com/ivr",
        }
    ]


def test_no_secret_is_ever_written() -> None:
    """Not even one that stands in the configuration itself."""
    table = one().table | {"auth": {"type": "digest", "username": "u", "password": "s3cret"}}
    assert b"s3cret" not in portsip.written([table]).document


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"dtmf": []}, "PortSIP tells of digits only"),
        ({"extension": ["1", "2"]}, "an action URL of PortSIP belongs to one receptionist"),
        ({"extension": ["mask:8*"]}, "an action URL of PortSIP belongs to one receptionist"),
        ({"extension_type": []}, "PortSIP has action URLs of virtual receptionists only"),
        ({"method": "POSTXML1"}, "PortSIP has GET and POST, but no POSTXML1"),
        ({"caller": ["[4,5]"]}, "a mask with a comma or a semicolon is read as two"),
        ({"caller": ["[4;5]"]}, "a mask with a comma or a semicolon is read as two"),
        ({"url": "http://h/#rc=1"}, "PortSIP has no word for rt, rc and rp in the URL's fragment"),
        (
            {"timeout_s": 2.5, "first_byte_timeout_s": 2.5},
            "timeout_s was rounded up to whole seconds",
        ),
        ({"first_byte_timeout_s": 1}, "PortSIP has no word for first_byte_timeout_s"),
        ({"auth": {"type": "bearer", "token": "t"}}, "its auth was written without the secret"),
        (
            {"headers": {"X": "credential:x"}},
            "the header X was written without its value",
        ),
        ({"headers": {"X": "x"}}, "the header X was written without its value"),
        ({"url": "http://u:p@h/"}, "the secret in its URL was written as ********"),
        ({"fallback": [{"url": "http://h/"}]}, "PortSIP has no word for fallback"),
    ],
)
def test_what_portsip_cannot_say_is_told(change: Table, sentence: str) -> None:
    """One sentence with the subscription's name."""
    lost = portsip.written([one().table | change]).lost
    assert lost == (f"order status: {sentence}",)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"url": "tcp://h:1"}, "PortSIP speaks HTTP only"),
        ({"events": ["newCall"], "dtmf": []}, "PortSIP has no event but digits"),
        ({"vocabulary": "swml"}, "PortSIP has no event but digits"),
    ],
)
def test_what_portsip_has_nothing_like_is_left_out(change: Table, reason: str) -> None:
    """And said."""
    exported = portsip.written([one().table | change])
    assert (json.loads(exported.document), exported.lost) == (
        {"items": []},
        (f"order status: was left out, as {reason}",),
    )


_TEXTS: Final = st.text(st.characters(codec="latin-1", categories=["L", "N"]), min_size=1)
_ITEMS: Final = st.fixed_dictionaries(
    {
        "name": _TEXTS,
        "enabled": st.booleans(),
        "type": st.just("DTMF"),
        "caller_mask": st.sampled_from(["", "+45*", "+45*;1[2-4]", "anonymous"]),
        "dtmf_mask": st.sampled_from(["", "1X", "1X;[2-4].", "*#!"]),
        "method": st.sampled_from(["GET", "POST"]),
        "headers": st.dictionaries(
            st.sampled_from(["X-A", "X-B", "Accept"]), st.just("********")
        ).map(lambda headers: "\n".join(f"{name}: {value}" for name, value in headers.items())),
        "connection_timeout": st.integers(1, 60),
        "request_timeout": st.integers(1, 300),
        "url": st.sampled_from(["http://h/", "https://u:********@h:8443/a%20b?c=d"]),
    }
)
_SECRETS: Final = st.sampled_from(
    [
        {"auth": "DISABLE", "username": "", "password": "", "token": ""},
        {"auth": "BASIC", "username": "u", "password": "********", "token": ""},
        {"auth": "DIGEST", "username": "u", "password": "********", "token": ""},
        {"auth": "BEARER", "username": "", "password": "", "token": "********"},
    ]
)


@given(st.lists(st.builds(lambda item, auth: item | auth, _ITEMS, _SECRETS), max_size=4))
def test_a_list_comes_back_as_it_went(listed: list[dict[str, object]]) -> None:
    """Read, written, and every field is the same."""
    found = portsip.read(json.dumps({"items": listed}).encode(), of="8000")
    tables = [each.table for each in found if isinstance(each, Translated)]
    assert answered(*tables) == listed


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists), st.data())
def test_no_value_of_any_type_is_more_than_a_fault(value: object, data: st.DataObject) -> None:
    """Nothing but a list that is none raises, and that says what it is."""
    key = data.draw(st.sampled_from(sorted(SHOWN)))
    [found] = read({key: value})
    assert isinstance(found, Translated | Refused)
