"""BAS-IP forward rules: its own examples, numbers and entities, and the way back."""

import json

import pytest

from api.lists import as_json, faults, lost, tables, verdict
from callpost.api.basip import is_entity, read, written

# The shape of the example on its pages.
EXAMPLE = {
    "list_items": [
        {
            "link_id": 7,
            "forward_number": 101,
            "forward_entity_list": ["sip:bob@pbx.example.com", "vizit:123", "sip:192.168.1.2"],
        }
    ],
    "list_option": {
        "pagination": {"total_items": 1, "items_limit": 10, "total_pages": 1, "current_page": 1},
        "sort": {"field": "forward_number", "asc": True, "available_fields": ["forward_number"]},
    },
}


def rule(**fields: object) -> bytes:
    """A list of one rule."""
    item = {"forward_number": "101", "forward_entity_list": ["102"]} | fields
    return as_json({"list_items": [item]})


def test_its_example_becomes_a_rule() -> None:
    """The number in digits, the entities in their order."""
    assert tables(read(as_json(EXAMPLE))) == [
        {
            "number": "101",
            "to": ["sip:bob@pbx.example.com", "vizit:123", "sip:192.168.1.2"],
            "link_id": 7,
        }
    ]


def test_a_rule_without_a_link_has_none() -> None:
    """The sibling lists have none either."""
    [table] = tables(read(rule()))
    assert (table, verdict("forward", table)) == ({"number": "101", "to": ["102"]}, [])


@pytest.mark.parametrize(
    "entity",
    [
        "1",
        "0101",
        "laskomex:12",
        "vizit:123",
        "sip:bob@pbx.example.com",
        "sip:bob.b-2@pbx.example.com:5060",
        "sip:192.168.1.250",
        "sip:192.168.1.250:5060",
        "sip:bob@192.168.1.250:5060",
        "sip:pbx",
        "sip:+45@pbx",
    ],
)
def test_somebody_is_known_by_any_of_its_forms(entity: str) -> None:
    """And by a host of one label, or with a port."""
    assert is_entity(entity)


@pytest.mark.parametrize(
    "entity",
    [
        "",
        "12a",
        "laskomex:",
        "vizit:a",
        "sip:",
        "sip:@pbx",
        "sip:a b@pbx",
        "sip:1:5060.2.3.4",
        "sip:1.2.3",
        "sip:1.2.3.256",
        "sip:pbx:0",
        "sip:pbx:65536",
        "sip:-pbx",
        "sip:a..b",
        "sips:bob@pbx",
        "tel:101",
        "101\n",
        "\u0661\u0660\u0661",
    ],
)
def test_nonsense_is_nobody(entity: str) -> None:
    """Also some that its own patterns let pass."""
    assert not is_entity(entity)


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"forward_number": None}, "forward_number"),
        ({"forward_number": "bob"}, "forward_number"),
        ({"forward_number": -1}, "forward_number"),
        ({"forward_number": 1.5}, "forward_number"),
        ({"forward_number": True}, "forward_number"),
        ({"forward_number": []}, "forward_number"),
        ({"forward_entity_list": None}, "forward_entity_list"),
        ({"forward_entity_list": "102"}, "forward_entity_list"),
        ({"forward_entity_list": []}, "forward_entity_list"),
        ({"forward_entity_list": ["1"] * 101}, "forward_entity_list"),
        ({"forward_entity_list": ["1", ["2"]]}, "forward_entity_list[1]"),
        ({"forward_entity_list": ["bob"]}, "forward_entity_list[0]"),
        ({"link_id": "x"}, "link_id"),
        ({"link_id": 2**53}, "link_id"),
    ],
)
def test_a_faulty_rule_is_told_by_its_place(fields: dict[str, object], path: str) -> None:
    """And nothing of it is carried over."""
    found = read(rule(**fields))
    assert ([one.split(": ")[0] for one in faults(found)], tables(found)) == (
        [f"$.list_items[0].{path}"],
        [],
    )


def test_entities_may_be_numbers() -> None:
    """And each counts once."""
    [table] = tables(read(rule(forward_entity_list=[102, "102", "103"])))
    assert table["to"] == ["102", "103"]


def test_the_last_rule_for_a_number_counts() -> None:
    """As there: what has the same number is updated."""
    items = [{"forward_number": 1, "forward_entity_list": [target]} for target in ("2", "3")]
    assert tables(read(as_json({"list_items": items}))) == [{"number": "1", "to": ["3"]}]


def test_a_page_of_several_is_told() -> None:
    """Once, with the first rule."""
    page = EXAMPLE | {"list_option": {"pagination": {"total_pages": 2}}}
    assert lost(read(as_json(page))) == ["the list has 2 pages, and this is one of them"]


def test_an_unknown_field_is_lost_and_told() -> None:
    """It is no reason to refuse."""
    assert lost(read(rule(mode="parallel"))) == [
        "$.list_items[0].mode is nothing that callpost knows; it was left out"
    ]


def test_the_way_back_is_the_same_list() -> None:
    """On one page."""
    exported = json.loads(written(tables(read(as_json(EXAMPLE)))).document)
    assert exported["list_items"] == EXAMPLE["list_items"]


def test_the_way_back_says_how_many_there_are() -> None:
    """For clients that read pages."""
    exported = json.loads(written([{"number": "1", "to": ["2"]}]).document)
    assert exported["list_option"]["pagination"] == {
        "total_items": 1,
        "items_limit": 1,
        "total_pages": 1,
        "current_page": 1,
    }


@pytest.mark.parametrize(("number", "told"), [("101", 101), ("0101", "0101"), ("9" * 20, "9" * 20)])
def test_a_number_is_whole_where_it_stays_the_same(number: str, told: object) -> None:
    """A zero in front is part of it."""
    [found] = json.loads(written([{"number": number, "to": ["2"]}]).document)["list_items"]
    assert found["forward_number"] == told


def test_what_it_has_no_word_for_is_told() -> None:
    """A name that is no number there, and whose rule it is."""
    rules: list[dict[str, object]] = [
        {"number": "bob", "to": ["1"]},
        {"number": "1", "to": ["2"], "customer": "acme"},
    ]
    assert written(rules).lost == (
        "forward bob: BAS-IP has no word for bob; it was left out",
        "forward 1: BAS-IP has no word for customer",
    )
