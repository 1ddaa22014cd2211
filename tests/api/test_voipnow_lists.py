"""VoipNow phoneCallEvents: types to events and directions, items to subscriptions, and back."""

import json

import pytest

from api.lists import as_json, faults, lost, tables, verdict
from callpost.api.voipnow import read, written

URL = "https://crm.example.com/voipnow/events"
LINK = "/uapi/extensions/12/0003*210/phoneCallEvents"


def item(type_: object = "0", **more: object) -> dict[str, object]:
    """An item as VoipNow answers it."""
    return {
        "id": "NqeyDRqo4FtabmFj8gNWq3hsiGNYyq",
        "type": type_,
        "method": "1",
        "note": "",
        "url": URL,
        "status": "1",
        "modified": "2026-11-21T10:00:00+01:00",
        "links": {"self": f"{LINK}/{type_}/NqeyDRqo4FtabmFj8gNWq3hsiGNYyq"},
        **more,
    }


def imported(*items: dict[str, object], of: str = "") -> list[dict[str, object]]:
    """The tables of a list of these."""
    return tables(read(as_json({"entry": list(items)}), of=of))


def shape(table: dict[str, object]) -> tuple[object, object]:
    """Which events of which calls."""
    return table["events"], table.get("flow")


def test_an_item_becomes_a_subscription() -> None:
    """Every field that it has."""
    assert imported(item("2", note="Front desk")) == [
        {
            "name": "voipnow-0003*210",
            "url": URL,
            "method": "POSTARGS",
            "vocabulary": "voipnow",
            "level": 1,
            "extension": ["0003*210"],
            "events": ["hangup"],
            "note": "Front desk",
        }
    ]


IN, OUT = ["in"], ["out"]


@pytest.mark.parametrize(
    ("types", "shapes"),
    [
        ([0], [(["newCall"], IN)]),
        ([1], [(["newCall"], OUT)]),
        ([2], [(["hangup"], None)]),
        ([3], [(["answer"], IN)]),
        ([4], [(["answer"], OUT)]),
        ([0, 1], [(["newCall"], None)]),
        ([3, 4], [(["answer"], None)]),
        ([0, 1, 2, 3, 4], [(["newCall", "answer", "hangup"], None)]),
        ([2, 3, 0], [(["newCall", "answer", "hangup"], IN), (["hangup"], OUT)]),
        ([1, 2], [(["hangup"], IN), (["newCall", "hangup"], OUT)]),
        ([0, 4], [(["newCall"], IN), (["answer"], OUT)]),
        ([0, 0], [(["newCall"], IN)]),
    ],
)
def test_types_are_events_and_flows(
    types: list[int], shapes: list[tuple[list[str], list[str] | None]]
) -> None:
    """All items of an extension and URL in one queue for each call."""
    found = imported(*map(item, types))
    assert ([shape(table) for table in found], [verdict("subscription", one) for one in found]) == (
        shapes,
        [[] for _ in shapes],
    )


@pytest.mark.parametrize("difference", [{"url": f"{URL}/2"}, {"method": "0"}, {"status": "0"}])
def test_items_that_differ_are_subscriptions_of_their_own(difference: dict[str, object]) -> None:
    """Another URL, method or status."""
    assert len(imported(item(2), item(2, **difference))) == 2


def test_another_extension_is_another_subscription() -> None:
    """By the item's own link."""
    link = {"self": "https://pbx.example/uapi/extensions/@me/0003%2A211/phoneCallEvents/2/x"}
    found = imported(item(2), item(2, links=link))
    assert [table["extension"] for table in found] == [["0003*210"], ["0003*211"]]


def test_without_a_link_the_extension_is_the_one_that_was_asked_for() -> None:
    """It was in the path of the request."""
    [table] = imported(item(2, links=None), of="0003*555")
    assert table["extension"] == ["0003*555"]


@pytest.mark.parametrize(("method", "ours"), [("0", "GET1"), ("1", "POSTARGS"), (0, "GET1")])
def test_get_and_post_are_query_and_form(method: object, ours: str) -> None:
    """As VoipNow sends its parameters."""
    [table] = imported(item(2, method=method))
    assert table["method"] == ours


@pytest.mark.parametrize(("status", "enabled"), [("1", None), ("0", False), (None, None)])
def test_the_status_says_whether_it_is_used(status: object, *, enabled: bool | None) -> None:
    """1 is what "is executed"."""
    [table] = imported(item(2, status=status))
    assert table.get("enabled") is enabled


def test_notes_of_items_that_are_one_stand_together() -> None:
    """Each once."""
    [table] = imported(item(0, note="a"), item(1, note="b"), item(0, note="a"))
    assert table["note"] == "a; b"


def test_notes_that_are_too_long_together_are_cut_and_told() -> None:
    """A subscription's note has 1,024 characters."""
    found = read(as_json([item(0, note="a" * 1_000), item(1, note="b" * 1_000)]))
    [table] = tables(found)
    assert (len(str(table["note"])), lost(found)) == (
        1_024,
        ["the notes are longer than 1,024 characters together"],
    )


@pytest.mark.parametrize(
    ("field", "value", "code", "sentence"),
    [
        ("type", "5", "pcet_type_invalid", "expected a whole number from 0 to 4"),
        ("type", None, "pcet_type_invalid", "is required"),
        ("method", "2", "pce_method_invalid", "expected a whole number from 0 to 1"),
        ("method", None, "pce_method_invalid", "is required"),
        ("note", "x" * 1_025, "pce_note_invalid", "must have at most 1,024 characters"),
        ("note", 1, "pce_note_invalid", "expected a text, found a whole number"),
        ("url", None, "pce_url_invalid", "is required"),
        ("url", "nothing", "pce_url_invalid", "Invalid URL"),
        ("url", "tcp://a.b:1", "pce_url_invalid", "expected a URL of http or https"),
        ("status", 2, "pce_status_invalid", "expected a whole number from 0 to 1"),
        ("links", None, "extension_invalid", "names no extension; --extension tells it"),
        ("links", {"self": 1}, "extension_invalid", "names no extension; --extension tells it"),
        (
            "links",
            {"self": "/uapi/extensions/@me/@self/phoneCallEvents/0/x"},
            "extension_invalid",
            "expected an extension such as 0003*210",
        ),
        (
            "links",
            {"self": "/uapi/extensions/@me/mask:0003*/phoneCallEvents/0/x"},
            "extension_invalid",
            "expected an extension such as 0003*210",
        ),
    ],
)
def test_every_fault_has_its_own_code(field: str, value: object, code: str, sentence: str) -> None:
    """Those of its resource pages."""
    document = as_json({"entry": [item(2) | {field: value}]})
    assert faults(read(document)) == [f"$.entry[0].{field}: {code}: {sentence}"]


def test_an_unknown_field_is_lost_and_told() -> None:
    """It is no reason to refuse."""
    assert lost(read(as_json([item(2, colour="x")]))) == [
        "$[0].colour is nothing that callpost knows; it was left out"
    ]


@pytest.mark.parametrize("type_", range(5))
def test_nothing_of_a_type_is_lost(type_: int) -> None:
    """What the extension receives and what it makes is the same here as there."""
    assert lost(read(as_json([item(type_)]))) == []


@pytest.mark.parametrize("types", [[0], [2], [0, 1, 2, 3, 4], [0, 2, 3], [1, 2], [0, 4]])
def test_the_way_back_has_the_same_types(types: list[int]) -> None:
    """Each once, however many subscriptions they have become."""
    exported = json.loads(written(imported(*map(item, types))).document)["entry"]
    assert sorted(int(one["type"]) for one in exported) == types


def test_an_exported_item_has_every_field_but_its_time() -> None:
    """Numbers are texts, as there."""
    [found] = json.loads(written(imported(item(2, note="n"))).document)["entry"]
    identity = found["id"]
    assert found == {
        "id": identity,
        "type": "2",
        "method": "1",
        "note": "n",
        "url": URL,
        "status": "1",
        "links": {"self": f"/uapi/extensions/@me/0003*210/phoneCallEvents/2/{identity}"},
    }


def a_table(**keys: object) -> dict[str, object]:
    """A subscription that VoipNow could have made."""
    table = {"name": "crm", "url": URL, "method": "POSTARGS", "vocabulary": "voipnow", "level": 1}
    return {**table, "extension": ["0003*210"], **keys}


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"url": "tcp://a.b:1"}, "was left out, as VoipNow speaks HTTP only"),
        ({"extension": []}, "was left out, as VoipNow has no events but those of a named"),
        ({"extension": ["mask:*"]}, "was left out, as VoipNow has no events but those of a named"),
        ({"events": ["dtmf"]}, "was left out, as VoipNow has none of its events"),
        ({"vocabulary": "callpost"}, "VoipNow sends its own names and values only"),
        ({"extension": ["1", "mask:2*"]}, "VoipNow has no masks for extensions"),
        ({"events": ["hangup", "ringing"]}, "VoipNow has no event like ringing"),
        ({"method": "POSTJSON"}, "VoipNow sends GET or POST of a form, not POSTJSON"),
        ({"level": 2}, "VoipNow has no level 2"),
        ({"flow": ["in"]}, "VoipNow tells the hangups of calls received and of calls made"),
        (
            {"direction": ["in"], "events": ["answer"]},
            "VoipNow sees calls from the extension, calls within the house too",
        ),
        ({"caller": ["1"]}, "VoipNow has no word for caller"),
    ],
)
def test_what_it_cannot_say_is_told(keys: dict[str, object], sentence: str) -> None:
    """By the name of the subscription."""
    [found] = written([a_table(**keys)]).lost
    assert found.startswith(f"crm: {sentence}")


@pytest.mark.parametrize(
    ("keys", "types"),
    [
        ({"flow": ["in"]}, [0, 2, 3]),
        ({"flow": ["out"]}, [1, 2, 4]),
        ({"flow": ["in", "out"]}, [0, 1, 2, 3, 4]),
        ({"flow": []}, [0, 1, 2, 3, 4]),
        ({"direction": ["in", "internal"]}, [0, 2, 3]),
        ({"direction": ["out"]}, [1, 2, 4]),
        ({"direction": ["in", "out", "internal"]}, [0, 1, 2, 3, 4]),
        ({"direction": ["in", "out"], "flow": ["out"]}, [1, 2, 4]),
    ],
)
def test_a_flow_or_a_direction_is_types(keys: dict[str, object], types: list[int]) -> None:
    """Tables may have the one or the other."""
    exported = json.loads(written([a_table(**keys)]).document)["entry"]
    assert [int(one["type"]) for one in exported] == types


def test_a_subscription_to_several_extensions_is_items_of_each() -> None:
    """With one for each type."""
    table = a_table(extension=["1", "2"], events=["hangup"])
    exported = json.loads(written([table]).document)["entry"]
    assert [one["links"]["self"].split("/")[4] for one in exported] == ["1", "2"]
