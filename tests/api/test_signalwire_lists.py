"""SignalWire's external SWML handlers to subscriptions, and back."""

import json
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callpost.api import signalwire
from callpost.api.toml import toml_table
from callpost.api.translated import MalformedDocument, Refused, Table, Translated
from callpost.config import Source, parse

FIELDS: Final = {
    "name": "Reception",
    "used_for": "calling",
    "primary_request_url": "https://calls.example.com/handler",
    "primary_request_method": "POST",
    "fallback_request_url": "https://standby.example.net/handler",
    "fallback_request_method": "GET",
    "status_callback_url": "https://calls.example.com/status",
    "status_callback_method": "POST",
}
# An item of a list: what it is, and the handler's own fields in an object.
LISTED: Final = {
    "id": "a87db7ed-8ebe-42e4-829f-8ba5a4152f54",
    "project_id": "99151cf8-9548-4860-ba70-a8de824f3312",
    "display_name": "Reception",
    "type": "external_swml_handler",
    "created_at": "2026-05-06T12:20:00Z",
    "updated_at": "2026-05-06T12:20:00Z",
    "swml_webhook": FIELDS,
}
NUMBERS: Final = "which numbers lead to it is not in the list; all calls that come in are meant"


def one(**change: object) -> Translated:
    """The only handler, which can be carried over."""
    document = {"data": [{**LISTED, "swml_webhook": {**FIELDS, **change}}], "links": {}}
    [found] = signalwire.read(json.dumps(document).encode())
    assert isinstance(found, Translated), found
    return found


def faults(**change: object) -> list[tuple[str, str]]:
    """What is wrong with the only handler: paths and sentences."""
    document = {"data": [{**LISTED, "swml_webhook": {**FIELDS, **change}}]}
    [found] = signalwire.read(json.dumps(document).encode())
    assert isinstance(found, Refused), found
    return [(fault.path, fault.sentence) for fault in found.faults]


def answered(*tables: Table) -> list[dict[str, object]]:
    """The handlers that the subscriptions are to SignalWire."""
    document = json.loads(signalwire.written(tables).document)
    assert document["links"] == {}
    listed = document["data"]
    assert isinstance(listed, list)
    return listed


def test_a_handler_becomes_a_subscription_with_three_doors() -> None:
    """Each with its method, in SignalWire's own words."""
    assert one().table == {
        "name": "Reception",
        "note": "Reception",
        "url": "https://calls.example.com/handler",
        "method": "POSTJSON",
        "vocabulary": "swml",
        "direction": ["in"],
        "fallback": [{"url": "https://standby.example.net/handler", "method": "GET2"}],
        "status_callback": {"url": "https://calls.example.com/status", "method": "POSTJSON"},
    }


def test_an_answer_to_one_handler_is_read_too() -> None:
    """It has the fields flat."""
    document = json.dumps({"id": LISTED["id"], **FIELDS}).encode()
    [found] = signalwire.read(document)
    assert isinstance(found, Translated)
    assert (found.paths, found.table) == (("$",), one().table)


def test_a_list_with_the_fields_in_both_places_is_read_too() -> None:
    """As callpost's own answers have them; those in the object count."""
    document = json.dumps({"data": [{**LISTED, **FIELDS, "primary_request_url": "x"}]}).encode()
    [found] = signalwire.read(document)
    assert found == one()


def test_methods_are_post_where_nothing_is_said() -> None:
    """SignalWire's default."""
    nothing = dict.fromkeys([key for key in FIELDS if key.endswith("_method")])
    table = one(**nothing).table
    assert (table["method"], table["fallback"], table["status_callback"]) == (
        "POSTJSON",
        [{"url": "https://standby.example.net/handler", "method": "POSTJSON"}],
        {"url": "https://calls.example.com/status", "method": "POSTJSON"},
    )


@pytest.mark.parametrize("nothing", [None, ""])
def test_without_a_status_callback_new_calls_alone_are_told(nothing: str | None) -> None:
    """SignalWire tells nobody what becomes of such a call."""
    table = one(status_callback_url=nothing, fallback_request_url=nothing).table
    assert (table["events"], table.keys() & {"status_callback", "fallback"}) == (["newCall"], set())


def test_the_name_may_be_in_the_list_alone() -> None:
    """Clients look for it in both places."""
    assert one(name=None).table["name"] == "Reception"


def test_that_the_numbers_are_not_in_the_list_is_said() -> None:
    """And nothing else is lost."""
    assert one().lost == (NUMBERS,)


def test_what_nobody_knows_is_said() -> None:
    """With its path in the object."""
    assert one(colour="red").lost == (
        NUMBERS,
        "$.data[0].swml_webhook.colour is nothing that callpost knows; it was left out",
    )


def test_a_page_of_a_longer_list_is_told_once() -> None:
    """SignalWire links to the next one."""
    document = {"data": [LISTED, LISTED], "links": {"next": "/api/fabric?page=2"}}
    found = signalwire.read(json.dumps(document).encode())
    told = [each.lost[1:] for each in found if isinstance(each, Translated)]
    assert told == [("the list has more pages, and this is one of them",), ()]


@pytest.mark.parametrize(
    ("change", "path", "sentence"),
    [
        ({"used_for": "messaging"}, "used_for", "expected one of calling"),
        ({"used_for": 1}, "used_for", "expected a text, found a whole number"),
        ({"name": "x" * 51}, "name", "must have at most 50 characters"),
        ({"name": 7}, "name", "expected a text, found a whole number"),
        ({"name": ""}, "name", "is required"),
        ({"primary_request_url": None}, "primary_request_url", "is required"),
        ({"primary_request_url": ""}, "primary_request_url", "is required"),
        ({"primary_request_url": {}}, "primary_request_url", "expected a text, found an object"),
        (
            {"primary_request_url": "tcp://h:1"},
            "primary_request_url",
            "This value must be an HTTP or HTTPS URL.",
        ),
        (
            {"fallback_request_url": "calls.example.com"},
            "fallback_request_url",
            "This value must be an HTTP or HTTPS URL.",
        ),
        (
            {"status_callback_url": "https://" + "x" * 1_048_576},
            "status_callback_url",
            "This value must be an HTTP or HTTPS URL.",
        ),
        (
            {"fallback_request_url": "https://h/#rc=1"},
            "fallback_request_url",
            "rc in the fragment belongs to the primary's URL only",
        ),
        ({"primary_request_method": "PUT"}, "primary_request_method", "expected one of GET | POST"),
        ({"fallback_request_method": 1}, "fallback_request_method", "expected a text, found a"),
        ({"status_callback_method": "post"}, "status_callback_method", "expected one of GET"),
    ],
)
def test_what_is_wrong_is_said_with_its_path(change: Table, path: str, sentence: str) -> None:
    """And the value is not quoted."""
    [(found_path, found)] = faults(**change)
    assert (found_path, found[: len(sentence)]) == (f"$.data[0].swml_webhook.{path}", sentence)


def test_everything_wrong_is_said_at_once() -> None:
    """As SignalWire names every bad attribute."""
    change = {"name": 1, "primary_request_url": "x", "status_callback_method": "x"}
    paths = [path.rpartition(".")[2] for path, _ in faults(**change)]
    assert paths == ["name", "primary_request_url", "status_callback_method"]


def test_a_bad_url_has_signalwires_own_code() -> None:
    """`http_url_required`."""
    document = {"data": [{**FIELDS, "primary_request_url": "ftp://h/"}]}
    [found] = signalwire.read(json.dumps(document).encode())
    assert isinstance(found, Refused)
    [fault] = found.faults
    assert (fault.path, fault.code) == ("$.data[0].primary_request_url", "http_url_required")


def test_what_is_no_object_is_told() -> None:
    """In place of the handler's fields."""
    [found] = signalwire.read(b'[{"swml_webhook": "x", "name": "a", "primary_request_url": "b"}]')
    assert isinstance(found, Refused)
    assert (found.faults[0].path, found.faults[0].sentence) == (
        "$[0].swml_webhook",
        "expected an object, found a text",
    )


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        (b"{", "$: syntax: is not JSON"),
        (b'"Not Found"', "$: type: expected a list or an object, found a text"),
        (b'{"data": "x"}', "$.data: type: expected a list, found a text"),
    ],
)
def test_what_is_no_list_is_refused_as_a_whole(document: bytes, fault: str) -> None:
    """Also the text that SignalWire answers in place of one."""
    with pytest.raises(MalformedDocument) as raised:
        signalwire.read(document)
    assert str(raised.value.fault).startswith(f": {fault}")


def test_an_item_that_is_none_does_not_spoil_the_others() -> None:
    """It alone is refused."""
    document = json.dumps({"data": [None, LISTED]}).encode()
    assert [type(each) for each in signalwire.read(document)] == [Refused, Translated]


def test_a_document_of_a_megabyte_is_read() -> None:
    """Thousands of handlers."""
    document = json.dumps({"data": [LISTED] * 2_000}).encode()
    assert (len(document) > 1_048_576, len(signalwire.read(document))) == (True, 2_000)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"fallback_request_url": None},
        {"status_callback_url": None},
        {"primary_request_url": "https://user:p%40ss@calls.example.com/a?b=c"},
        {"primary_request_method": "GET", "status_callback_method": "GET"},
    ],
)
def test_the_configuration_takes_what_comes_out(change: Table) -> None:
    """Without a fault and without a warning."""
    text = toml_table("subscription", one(**change).table | {"name": "imported"})
    source = Source("callpost.toml", text.encode())
    assert parse([source], secret=lambda *_: None, environment={}).warnings == ()


def test_a_subscription_is_written_in_signalwires_words() -> None:
    """Flat and in the object, with an id that stays the same."""
    [item] = answered(one().table)
    identity = item.pop("id")
    assert (identity, item) == (
        "9b04d63e-21e1-5eb5-b20c-fde00c6615a9",
        {"display_name": "Reception", **FIELDS, "swml_webhook": FIELDS},
    )


def test_a_name_that_had_to_become_another_one_goes_back_as_it_was() -> None:
    """It stands in the note."""
    [item] = answered({**one().table, "name": "reception"})
    assert item["name"] == "Reception"


def test_a_note_that_is_no_name_cannot_be_said() -> None:
    """SignalWire has no notes."""
    table = one().table | {"name": "reception", "note": "the front desk's"}
    assert signalwire.written([table]).lost == ("reception: SignalWire has no word for note",)


def test_what_is_not_there_is_null() -> None:
    """With SignalWire's default method."""
    [item] = answered({"name": "a", "url": "http://h/", "vocabulary": "swml"})
    assert (item["fallback_request_url"], item["status_callback_method"]) == (None, "POST")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"vocabulary": "callpost"}, "SignalWire sends its own bodies only"),
        ({"name": "x" * 51, "note": ""}, "the name was cut after 50 characters"),
        ({"direction": []}, "SignalWire tells of calls that come in"),
        ({"events": ["newCall", "hangup"]}, "SignalWire tells of every state"),
        ({"fallback": [{"url": "http://h/"}] * 2}, "SignalWire has one fallback; the others were"),
        ({"method": "POSTXML1"}, "SignalWire has GET and POST, but no POSTXML1 (primary_request)"),
        (
            {"status_callback": {"url": "http://h/", "auth": {}}},
            "SignalWire has no word for auth of the status_callback",
        ),
        ({"auth": {"type": "bearer", "token": "t"}}, "SignalWire has no word for auth"),
        ({"caller": ["+45*"]}, "SignalWire has no word for caller"),
    ],
)
def test_what_signalwire_cannot_say_is_told(change: Table, sentence: str) -> None:
    """One sentence with the subscription's name."""
    table = one().table | change
    [lost] = signalwire.written([table]).lost
    assert lost.startswith(f"{table['name']}: {sentence}")


def test_states_without_a_callback_are_told() -> None:
    """SignalWire would send them to nobody."""
    table = one(status_callback_url=None).table
    del table["events"]
    assert signalwire.written([table]).lost == (
        "Reception: SignalWire tells of new calls alone, as there is no callback",
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"url": "udp://h:1"}, "SignalWire speaks HTTP only"),
        ({"status_callback": {"url": "tcp://h:1"}}, "SignalWire speaks HTTP only"),
        ({"enabled": False}, "it is not enabled, and SignalWire would use it"),
        ({"events": ["hangup"]}, "SignalWire always tells its handlers of new calls"),
    ],
)
def test_what_signalwire_has_nothing_like_is_left_out(change: Table, reason: str) -> None:
    """And said."""
    exported = signalwire.written([one().table | change])
    assert (json.loads(exported.document)["data"], exported.lost) == (
        [],
        (f"Reception: was left out, as {reason}",),
    )


_URLS: Final = st.sampled_from(
    ["http://h/", "https://u:********@h:8443/a?b=c", "http://[2001:db8::1]/"]
)
_METHODS: Final = st.sampled_from(["GET", "POST"])


@st.composite
def handlers(draw: st.DrawFn) -> dict[str, object]:
    """The fields of a handler; what has no URL has the default method."""
    fields: dict[str, object] = {"name": draw(st.text(min_size=1, max_size=50))}
    fields["used_for"] = "calling"
    for place in ("primary_request", "fallback_request", "status_callback"):
        url = draw(_URLS if place == "primary_request" else _URLS | st.none())
        fields[f"{place}_url"] = url
        fields[f"{place}_method"] = draw(_METHODS) if url else "POST"
    return fields


@given(st.lists(handlers(), max_size=4))
def test_a_list_comes_back_as_it_went(listed: list[dict[str, object]]) -> None:
    """Read, written, and every field is the same in both places."""
    items = [{"swml_webhook": fields} for fields in listed]
    found = signalwire.read(json.dumps({"data": items}).encode())
    tables = [each.table for each in found if isinstance(each, Translated)]
    back = answered(*tables)
    assert [item["swml_webhook"] for item in back] == listed


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists), st.data())
def test_no_value_of_any_type_is_more_than_a_fault(value: object, data: st.DataObject) -> None:
    """Nothing but a list that is none raises, and that says what it is."""
    key = data.draw(st.sampled_from([*FIELDS, *LISTED]))
    document = json.dumps([{**LISTED, **FIELDS, key: value}, {**FIELDS, key: value}]).encode()
    found = signalwire.read(document)
    assert all(isinstance(each, Translated | Refused) for each in found)
