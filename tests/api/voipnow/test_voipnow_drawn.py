"""What VoipNow events made over the API stand for: calls received, and calls made."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.lists import as_json, tables
from callpost.api.translated import Table
from callpost.api.voipnow.drawn import drawn
from callpost.api.voipnow.lists import read
from callpost.model.card import Card
from callpost.model.drawn import Drawn

NAME = "voipnow.0003-210.3f9a0c51"
TYPES = st.lists(st.integers(0, 4), min_size=1, max_size=8)


def lane(types: Sequence[int], **said: object) -> list[Card]:
    """Events of these types that are one lane."""
    return [
        Card(
            dialect="voipnow",
            id=f"{number}",
            customer="acme",
            scope="0003*210",
            subscription=NAME,
            said={
                "type": str(type_),
                "method": "1",
                "note": f"note {number}",
                "url": "https://crm.example.com/",
                "status": "1",
                **said,
            },
            created_at=float(number),
            modified_at=float(number),
        )
        for number, type_ in enumerate(types)
    ]


def told(one: Drawn) -> tuple[str, object, object, tuple[str, ...]]:
    """Under which name which events of which calls, and by which cards."""
    return one.name, one.table["events"], one.table["flow"], one.cards


IN, OUT = ["in"], ["out"]


@pytest.mark.parametrize(
    ("types", "shapes"),
    [
        ([0], [(NAME, ["newCall"], IN, ("0",))]),
        ([1], [(f"{NAME}-out", ["newCall"], OUT, ("0",))]),
        ([2], [(NAME, ["hangup"], IN, ("0",)), (f"{NAME}-out", ["hangup"], OUT, ("0",))]),
        ([3], [(NAME, ["answer"], IN, ("0",))]),
        ([4], [(f"{NAME}-out", ["answer"], OUT, ("0",))]),
        (
            [2, 3, 0, 1],
            [
                (NAME, ["newCall", "answer", "hangup"], IN, ("0", "1", "2")),
                (f"{NAME}-out", ["newCall", "hangup"], OUT, ("0", "3")),
            ],
        ),
        ([0, 0], [(NAME, ["newCall"], IN, ("0", "1"))]),
    ],
)
def test_each_way_is_a_subscription_of_its_own(types: list[int], shapes: list[object]) -> None:
    """With the events that its calls have, by the cards that ask for them."""
    assert [told(one) for one in drawn(lane(types))] == shapes


@given(TYPES, TYPES)
def test_no_event_moves_the_calls_of_others_to_another_queue(
    before: list[int], more: list[int]
) -> None:
    """Whatever is added, a name means the same calls as before, and has lost none of its events."""
    after = {one.name: one for one in drawn(lane(before + more))}
    for one in drawn(lane(before)):
        assert one.table["flow"] == after[one.name].table["flow"]
        assert {*_events(one)} <= {*_events(after[one.name])}


@given(TYPES)
def test_what_is_told_is_what_a_saved_list_of_them_tells(types: list[int]) -> None:
    """For every kind of event and every way of a call, from the same items."""
    cards = lane(types)
    listed = tables(read(as_json([card.said for card in cards]), of="0003*210"))
    assert _pairs([one.table for one in drawn(cards)]) == _pairs(listed)


def test_a_lane_speaks_voipnow() -> None:
    """The whole table, but for name and customer, which stand beside it."""
    [one] = drawn(lane([0]))
    assert (one.kind, one.origin, one.customer, one.trusted) == (
        "subscription",
        "voipnow",
        "acme",
        False,
    )
    assert one.table == {
        "url": "https://crm.example.com/",
        "method": "POSTARGS",
        "vocabulary": "voipnow",
        "level": 1,
        "extension": ["0003*210"],
        "events": ["newCall"],
        "flow": ["in"],
        "note": "note 0",
    }


def test_what_is_disabled_is_kept_and_matches_nothing() -> None:
    """As a subscription of a file that is not enabled."""
    [one] = drawn(lane([0], status="0"))
    assert one.table["enabled"] is False


def test_get_adds_to_the_query() -> None:
    """VoipNow's method 0."""
    [one] = drawn(lane([0], method="0"))
    assert one.table["method"] == "GET1"


def _events(one: Drawn) -> list[str]:
    return _texts(one.table, "events", [])


def _pairs(found: Sequence[Table]) -> set[tuple[str, str]]:
    """Every kind of event with every way of a call that it is told of."""
    return {
        (kind, way)
        for table in found
        for kind in _texts(table, "events", [])
        for way in _texts(table, "flow", ["in", "out"])
    }


def _texts(table: Table, key: str, default: list[str]) -> list[str]:
    texts = table.get(key, default)
    assert isinstance(texts, list)
    return texts
