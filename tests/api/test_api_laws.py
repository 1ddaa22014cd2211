"""What holds of every dialect whatever it is given: there and back, and nothing but sentences."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.lists import as_json, tables, verdict
from callpost.api.systems import SYSTEMS
from callpost.api.translated import MalformedDocument, Refused, Table, Translated

URLS = st.sampled_from(
    ["https://a.example/x?y=1", "http://10.0.0.1:8080/", "tcp://a.example:4010", "udp://a.b:1"]
)
TELECOMX = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["crm", "telecomx-5f1e9a3b2c4d5e6f70819203"]),
        "url": URLS,
        "method": st.sampled_from(["POSTARGS", "POSTXML1", "POSTXML2", "POSTJSON", "GET1", "GET2"]),
        "selection": st.sampled_from(["SIP", "MVNO", "ALL"]),
    }
)
VOIPNOW = st.fixed_dictionaries(
    {
        "name": st.just("crm"),
        "url": st.sampled_from(["https://a.example/x?y=1", "http://10.0.0.1:8080/"]),
        "method": st.sampled_from(["POSTARGS", "GET1"]),
        "vocabulary": st.just("voipnow"),
        "level": st.just(1),
        "extension": st.lists(st.sampled_from(["0003*210", "1", "ä b/c"]), min_size=1, unique=True),
        "events": st.lists(
            st.sampled_from(["newCall", "answer", "hangup"]), min_size=1, unique=True
        ),
    },
    optional={
        "direction": st.lists(st.sampled_from(["in", "out", "internal"]), min_size=1, unique=True),
        "flow": st.lists(st.sampled_from(["in", "out"]), max_size=2, unique=True),
        # The table of characters takes a second to make on a busy machine, once.
        "note": st.text("aZ0 -_/\\\"'#=äß漢🙂\u202e\u00a0", max_size=200),
        "enabled": st.booleans(),
    },
)
ENTITY = st.sampled_from(
    ["101", "0102", "vizit:1", "laskomex:2", "sip:bob@pbx:5060", "sip:1.2.3.4"]
)
BASIP = st.fixed_dictionaries(
    {"number": ENTITY, "to": st.lists(ENTITY, min_size=1, max_size=5, unique=True)},
    optional={"link_id": st.integers(-(2**53) + 1, 2**53 - 1)},
)


def again(name: str, made: list[Table]) -> list[Table]:
    """The tables after a way there and back."""
    return tables(SYSTEMS[name].read(SYSTEMS[name].written(made).document))


@given(st.lists(TELECOMX, max_size=5))
def test_a_telecomx_subscription_comes_back_as_it_was(made: list[Table]) -> None:
    """All but a name that it has no place for."""
    keys = ("url", "method", "selection")
    found = [[one[key] for key in keys] for one in again("telecomx", made)]
    assert found == [[one[key] for key in keys] for one in made]


@given(st.lists(BASIP, max_size=5, unique_by=lambda one: str(one["number"])))
def test_a_basip_rule_comes_back_as_it_was(made: list[Table]) -> None:
    """Number, targets and link."""
    assert again("basip", made) == made


@given(st.lists(VOIPNOW, max_size=4))
def test_voipnow_is_told_the_same_of_what_it_has_told(made: list[Table]) -> None:
    """As far as it can say it: another way there and back changes nothing."""
    once = again("voipnow", made)
    assert sorted(map(str, again("voipnow", once))) == sorted(map(str, once))


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
WORDS = st.sampled_from(
    (
        *("", "0", "1", "4", "101", "GET", "POST", "GET1", "ALL", "BASIC", "DTMF", "1XX"),
        *("https://a.b/", "tcp://a.b:1", "a\r\nb: c", "X: y\nZ: w"),
        "/uapi/extensions/@me/0003*210/phoneCallEvents/0/x",
    )
)
KEYS = sorted(
    {"_id", "url", "method", "selection", "type", "note", "status", "id", "links", "self"}
    | {"forward_number", "forward_entity_list", "link_id", "name", "enabled", "caller_mask"}
    | {"dtmf_mask", "headers", "connection_timeout", "request_timeout", "auth", "username"}
    | {"password", "token", "primary_request_url", "primary_request_method", "used_for"}
    | {"fallback_request_url", "fallback_request_method", "status_callback_url"}
    | {"status_callback_method", "swml_webhook", "display_name"}
)
ITEMS = st.dictionaries(
    st.sampled_from(KEYS),
    WORDS | JSON | st.dictionaries(st.sampled_from(KEYS), WORDS, max_size=4),
    max_size=12,
)


@pytest.mark.parametrize("name", SYSTEMS)
@given(items=st.lists(ITEMS | JSON, max_size=3))
def test_whatever_is_carried_over_can_be_used(name: str, items: list[Any]) -> None:
    """The dialect refuses what the configuration would, with the field of its own system."""
    read = SYSTEMS[name].read(as_json(items), of="7001")
    carried = [one for one in read if isinstance(one, Translated)]
    assert [fault for one in carried for fault in verdict(one.kind, one.table)] == []


@pytest.mark.parametrize("name", SYSTEMS)
@given(document=st.binary(max_size=200) | JSON.map(as_json))
def test_any_document_is_read_or_told_to_be_none(name: str, document: bytes) -> None:
    """Nothing else is ever raised."""
    try:
        read = SYSTEMS[name].read(document)
    except MalformedDocument:
        read = ()
    assert all(isinstance(one, Translated | Refused) for one in read)


@pytest.mark.parametrize("name", SYSTEMS)
def test_an_empty_list_is_written_and_read(name: str) -> None:
    """And is still JSON."""
    document = SYSTEMS[name].written([]).document
    assert (SYSTEMS[name].read(document), json.loads(document) is not None) == ((), True)


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_megabyte_of_one_item_is_refused_or_read(name: str) -> None:
    """In one piece."""
    read = SYSTEMS[name].read(as_json([{"name": "x" * 2**20, "url": "y" * 2**20}]))
    assert len(read) == 1
