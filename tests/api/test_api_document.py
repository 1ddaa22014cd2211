"""Saved documents to items, and items to fields: every fault has its place, and no value."""

import pytest

from callpost.api.document import DOCUMENT_MAX_BYTES, Item, items
from callpost.api.translated import MalformedDocument, Refused


def told(item: Item) -> list[str]:
    """The faults of an item, as they are shown."""
    return [str(fault).removeprefix(": ") for fault in item.faults]


def paths(document: bytes) -> list[str]:
    """Where the items of a document stand."""
    return [one.path if isinstance(one, Item) else "refused" for one in items(document, "items")]


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (b'[{"a":1},{"a":2}]', ["$[0]", "$[1]"]),
        (b'{"items":[{"a":1}]}', ["$.items[0]"]),
        (b'{"items":null,"a":1}', ["$"]),
        (b'{"a":1}', ["$"]),
        (b"[]", []),
        (b'\xef\xbb\xbf[{"a":1}]', ["$[0]"]),
        (b"[1, {}]", ["refused", "$[1]"]),
    ],
)
def test_items_are_found_wherever_a_list_stands(document: bytes, found: list[str]) -> None:
    """Alone, under a key, or as the one object."""
    assert paths(document) == found


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (b"", "is not JSON"),
        (b"<html>", "is not JSON"),
        (b"[1,", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b'["\\ud800"]', "is not JSON"),
        (b'"text"', "expected a list or an object, found a text"),
        (b"null", "expected a list or an object, found nothing"),
        (b'{"items":1}', "expected a list, found a whole number"),
        (b"[" * 200_000, "lists or objects are nested too deeply"),
        (b" " * (DOCUMENT_MAX_BYTES + 1), "is larger than 16 MiB"),
    ],
)
def test_what_is_no_list_is_told_in_one_sentence(document: bytes, sentence: str) -> None:
    """And nothing of it is quoted."""
    with pytest.raises(MalformedDocument) as raised:
        items(document, "items")
    assert (raised.value.fault.sentence.startswith(sentence), "<html>" in str(raised.value)) == (
        True,
        False,
    )


def test_a_megabyte_is_read() -> None:
    """A thousand subscriptions are a common thing."""
    document = b'[{"a":"' + b"x" * 2**20 + b'"}]'
    assert paths(document) == ["$[0]"]


def test_what_is_no_object_is_refused_by_its_place() -> None:
    """The other items are read all the same."""
    [refused, _] = items(b'["x", {}]')
    assert isinstance(refused, Refused)
    assert str(refused.faults[0]) == ": $[0]: type: expected an object, found a text"


ITEM: dict[str, object] = {"text": "t", "number": 7, "spelt": "12", "on": True, "none": None}


def an_item(**more: object) -> Item:
    """An item with these fields."""
    return Item("$[0]", ITEM | more)


def test_null_is_as_good_as_absent() -> None:
    """Empty properties are omitted, or null."""
    item = an_item()
    assert (item.text("none", code="c"), item.has("none"), told(item)) == ("", False, [])


@pytest.mark.parametrize(
    ("value", "found"), [(7, 7), ("12", 12), ("007", 7), (0, 0), (99, 99), ("99", 99)]
)
def test_numbers_may_travel_as_texts(value: object, found: int) -> None:
    """As VoipNow's do."""
    assert an_item(n=value).whole("n", code="c", least=0, most=99) == found


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (100, "expected a whole number from 0 to 99"),
        (-1, "expected a whole number from 0 to 99"),
        ("-1", "expected a whole number from 0 to 99, found a text"),
        ("1" * 30, "expected a whole number from 0 to 99, found a text"),
        ("٣", "expected a whole number from 0 to 99, found a text"),
        (True, "expected a whole number from 0 to 99, found true or false"),
        (1.5, "expected a whole number from 0 to 99, found a number"),
        ([], "expected a whole number from 0 to 99, found a list"),
        ({}, "expected a whole number from 0 to 99, found an object"),
    ],
)
def test_what_is_no_number_is_told(value: object, sentence: str) -> None:
    """With the code that the system has for it."""
    item = an_item(n=value)
    item.whole("n", code="c", least=0, most=99)
    assert told(item) == [f"$[0].n: c: {sentence}"]


@pytest.mark.parametrize(
    ("value", "sentence"),
    [(1, "expected a text, found a whole number"), ("x" * 11, "must have at most 10 characters")],
)
def test_what_is_no_text_is_told(value: object, sentence: str) -> None:
    """Or what is too long."""
    item = an_item(t=value)
    item.text("t", code="c", most=10)
    assert told(item) == [f"$[0].t: c: {sentence}"]


@pytest.mark.parametrize("fields", [{}, {"t": ""}, {"t": None}])
def test_what_is_needed_is_told_once(fields: dict[str, object]) -> None:
    """Absent, empty or null is all the same."""
    item = Item("$", fields)
    item.needed("t", code="c")
    assert told(item) == ["$.t: c: is required"]


def test_a_needed_text_of_a_wrong_type_is_told_once() -> None:
    """It is not missing as well."""
    item = an_item(t=1)
    item.needed("t", code="c")
    assert len(told(item)) == 1


def test_one_of_some_words_is_spelt_exactly() -> None:
    """Another case is another word."""
    item = an_item(w="get")
    item.word("w", ("GET", "POST"), code="c", default="GET")
    assert told(item) == ["$[0].w: c: expected one of GET | POST"]


def test_a_word_that_is_absent_is_the_default() -> None:
    """Without a fault."""
    item = an_item()
    assert (item.word("w", ("GET", "POST"), code="c", default="POST"), told(item)) == ("POST", [])


@pytest.mark.parametrize(("value", "found"), [(True, True), (False, False), (None, True)])
def test_true_and_false_are_read(value: object, *, found: bool) -> None:
    """And the default where there is neither."""
    assert an_item(f=value).flag("f", code="c", default=True) is found


def test_what_is_neither_true_nor_false_is_told() -> None:
    """1 is a number."""
    item = an_item(f=1)
    item.flag("f", code="c", default=True)
    assert told(item) == ["$[0].f: c: expected true or false, found a whole number"]


def test_what_nobody_has_asked_for_is_left_over() -> None:
    """By its path; a key that is no word in brackets."""
    item = Item("$", {"asked": 1, "other": 2, "a\x1b key": 3})
    item.value("asked")
    assert [sentence.split(" is ")[0] for sentence in item.left_over()] == [
        "$.other",
        '$["a\\u001b key"]',
    ]
