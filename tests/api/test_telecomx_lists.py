"""TelecomX callnotify: its own examples, every word and sentence of its, and the way back."""

import json

import pytest

from api.lists import as_json, faults, lost, tables, verdict
from callpost.api.telecomx import id_of, read, written
from callpost.model.vocabulary import METHODS

ID = "5f1e9a3b2c4d5e6f70819203"
# The two examples of its own pages.
TCP = {"_id": ID, "url": "tcp://100.64.123.103:4010", "method": "POSTJSON", "selection": "ALL"}
HTTP = {"_id": ID, "url": "http://100.64.123.100:4000/call", "method": "POSTXML2"}


def test_its_tcp_example_becomes_a_subscription() -> None:
    """Word for word, named by its id."""
    assert tables(read(as_json([TCP]))) == [
        {
            "name": f"telecomx-{ID}",
            "url": "tcp://100.64.123.103:4010",
            "method": "POSTJSON",
            "selection": "ALL",
        }
    ]


def test_an_omitted_selection_is_all() -> None:
    """Empty properties are omitted there."""
    [table] = tables(read(as_json([HTTP])))
    assert table["selection"] == "ALL"


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_the_same_word(method: str) -> None:
    """All six."""
    [table] = tables(read(as_json([HTTP | {"method": method}])))
    assert (table["method"], verdict("subscription", table)) == (method, [])


@pytest.mark.parametrize("selection", ["SIP", "MVNO", "ALL"])
def test_every_selection_is_the_same_word(selection: str) -> None:
    """All three."""
    [table] = tables(read(as_json([HTTP | {"selection": selection}])))
    assert table["selection"] == selection


@pytest.mark.parametrize("url", ["http://a.b/", "https://a.b/", "tcp://a.b:1", "udp://1.2.3.4:5"])
def test_every_scheme_is_carried_over(url: str) -> None:
    """All four, and the configuration takes them."""
    [table] = tables(read(as_json([HTTP | {"url": url}])))
    assert (table["url"], verdict("subscription", table)) == (url, [])


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "Invalid URL"),
        (None, "Invalid URL"),
        (7, "Invalid URL"),
        ("nothing", "Invalid URL"),
        ("ftp://a.b/", "URL protocol is invalid"),
        ("tcp://a.b:1/path", "Protocol types TCP and UDP only permit host and port"),
        ("udp://a.b", "Protocol types TCP and UDP requires a valid port"),
        ("http://a.b:0/", "Port is invalid"),
        ("http://1.2.3.999/", "URL points to an invalid IP address"),
        ("http://a..b/", "URL points to an invalid hostname"),
    ],
)
def test_every_fault_of_a_url_has_its_own_words(url: object, sentence: str) -> None:
    """As its table of errors has them."""
    assert faults(read(as_json([HTTP | {"url": url}]))) == [f"$[0].url: url: {sentence}"]


@pytest.mark.parametrize("value", ["PUT", "get1", "", 1, None, []])
def test_another_method_is_a_fault(value: object) -> None:
    """Also none at all."""
    assert faults(read(as_json([HTTP | {"method": value}]))) == [
        "$[0].method: method: Invalid method"
    ]


@pytest.mark.parametrize("value", ["ISDN", "all", "", 1, []])
def test_another_selection_is_a_fault(value: object) -> None:
    """In its own words."""
    assert faults(read(as_json([HTTP | {"selection": value}]))) == [
        "$[0].selection: selection: Invalid selection"
    ]


def test_every_fault_of_an_item_is_told() -> None:
    """Not only the first."""
    found = faults(read(as_json([{"_id": 1, "url": 2, "method": 3, "selection": 4}])))
    assert [one.split(":")[0] for one in found] == [
        "$[0]._id",
        "$[0].url",
        "$[0].method",
        "$[0].selection",
    ]


def test_a_good_item_beside_a_faulty_one_is_read() -> None:
    """They have nothing to do with each other."""
    found = read(as_json([{}, TCP]))
    assert (len(faults(found)), len(tables(found))) == (2, 1)


def test_an_unknown_field_is_lost_and_told() -> None:
    """It is no reason to refuse."""
    assert lost(read(as_json([TCP | {"comment": "x"}]))) == [
        "$[0].comment is nothing that callpost knows; it was left out"
    ]


def test_the_way_back_has_its_id() -> None:
    """What came from there is recognised."""
    exported = written(tables(read(as_json([TCP]))))
    assert (json.loads(exported.document), exported.lost) == ([TCP], ())


def test_a_name_of_ones_own_has_an_id_of_24_digits() -> None:
    """Always the same one."""
    assert (len(id_of("crm")), id_of("crm"), int(id_of("crm"), 16) > 0) == (24, id_of("crm"), True)


def test_what_it_has_no_word_for_is_told() -> None:
    """One sentence for each key, and none for what is a default."""
    table = {"name": "crm", "url": "http://a.b/", "caller": ["+45*"], "retry": "live", "level": 1}
    assert written([table]).lost == (
        "crm: TelecomX has no word for caller",
        "crm: TelecomX has no word for level",
    )


def test_what_is_not_enabled_is_left_out() -> None:
    """There it would be used."""
    exported = written([{"name": "crm", "url": "http://a.b/", "enabled": False}])
    assert (exported.document, exported.lost) == (
        b"[]",
        ("crm: is not enabled, so it was left out",),
    )
