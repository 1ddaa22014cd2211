"""Secrets of a table: masked in every place, and kept where the mask comes back."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.own.own_api import Json, a_house, faults, made, the_api
from callpost.api.own.merge import merged
from callpost.api.own.secrets import masked, restored
from callpost.model.disclosure import MASK

# Each secret is another word, and each begins so.
SECRET = "hush-"


def a_door(mark: str, url: str = "") -> Json:
    """An endpoint with a secret in each place that one can be in."""
    return {
        "url": url or f"https://me:{SECRET}{mark}0@{mark}.example.com/p?q=1#rt=500",
        "headers": {"X-A": f"{SECRET}{mark}1", "X-B": f"{SECRET}{mark}2"},
        "auth": {"type": "basic", "username": "u", "password": f"{SECRET}{mark}3"},
    }


TABLE: Json = {
    **a_door("primary"),
    "note": "plain",
    "fallback": [a_door("one"), {**a_door("two"), "auth": {"token": f"{SECRET}b"}}],
    "status_callback": a_door("callback"),
    "delivery_report": {**a_door("report"), "on": ["dead"]},
    "secrets": [f"{SECRET}k1", f"{SECRET}k2"],
    "body_signature": {"header": "X-S", "secret": f"{SECRET}s"},
}


def test_no_secret_is_shown() -> None:
    """Whatever endpoint it belongs to."""
    shown = msgspec.json.encode(masked(TABLE)).decode()
    assert SECRET not in shown
    assert shown.count(MASK) == TABLE_SECRETS


TABLE_SECRETS = msgspec.json.encode(TABLE).decode().count(SECRET)


def test_what_is_no_secret_is_shown_as_it_is() -> None:
    """The user's name, path, query and fragment of a URL among it."""
    shown = masked(TABLE)
    assert shown["url"] == f"https://me:{MASK}@primary.example.com/p?q=1#rt=500"
    assert (shown["note"], list(shown["headers"])) == ("plain", ["X-A", "X-B"])  # type: ignore[call-overload] # a table


def test_of_a_file_a_url_is_shown_to_its_port() -> None:
    """Path and query may hold secrets that nobody has marked."""
    shown = masked({"url": "https://u:p@crm.example.com:8443/secret?key=secret"}, of_file=True)
    assert shown == {"url": "https://crm.example.com:8443"}


def test_what_is_shown_and_comes_back_is_what_was_stored() -> None:
    """Get, edit, put: nothing is lost."""
    assert restored(masked(TABLE), TABLE) == (TABLE, [])


def test_masking_leaves_the_table_alone() -> None:
    """It is what is stored."""
    before = msgspec.json.encode(TABLE)
    masked(TABLE)
    assert msgspec.json.encode(TABLE) == before


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        ({"headers": {"X-C": MASK}}, "$.headers.X-C"),
        ({"auth": {"token": MASK}}, "$.auth.token"),
        ({"secrets": [MASK, MASK, MASK]}, "$.secrets[2]"),
        ({"fallback": [{"url": "https://new.example.com/", "headers": {"X-A": MASK}}]}, "$.fall"),
        ({"status_callback": {"url": "https://x.example/", "auth": {"token": MASK}}}, "$.status"),
    ],
)
def test_a_mask_that_stands_for_nothing_is_a_fault(sent: Json, path: str) -> None:
    """It is never taken for the secret itself."""
    _, found = restored(sent, TABLE)
    assert [one.path.startswith(path) for one in found] == [True]


@pytest.mark.parametrize("door", ["status_callback", "delivery_report", None])
@pytest.mark.parametrize(
    "url", ["https://else.example.com/", "http://{}.example.com/", "https://{}.example.com:8443/"]
)
def test_no_secret_goes_along_to_another_endpoint(url: str, door: str | None) -> None:
    """Whoever may change a URL may not read what others have stored for the one before."""
    sent = masked(TABLE)
    one = sent if door is None else sent[door]
    mark = {"status_callback": "callback", "delivery_report": "report", None: "primary"}[door]
    one["url"] = url.format(mark)  # type: ignore[index] # a table
    place = "$" if door is None else f"$.{door}"
    _, found = restored(sent, TABLE)
    assert [fault.path for fault in found] == [
        *(f"{place}.headers.X-A", f"{place}.headers.X-B", f"{place}.auth.password")
    ]


def test_the_password_in_a_url_stays_with_its_host() -> None:
    """Another host does not get it."""
    _, found = restored({"url": f"https://me:{MASK}@else.example.com/"}, TABLE)
    assert [fault.path for fault in found] == ["$.url"]


def test_fallbacks_keep_their_secrets_wherever_they_stand() -> None:
    """By their URL: a list that was turned round sends nothing to somebody else."""
    sent = masked(TABLE)
    sent["fallback"] = list(reversed(sent["fallback"]))  # type: ignore[call-overload] # a list
    said, found = restored(sent, TABLE)
    assert (said["fallback"], found) == (list(reversed(TABLE["fallback"])), [])


def test_two_fallbacks_with_one_url_are_two() -> None:
    """In their order."""
    url = "https://same.example.com/"
    table = {"fallback": [a_door("one", url), a_door("two", url)]}
    assert restored(masked(table), table) == (table, [])


def test_a_new_signing_secret_stands_in_front_of_those_that_are_kept() -> None:
    """So a rotation names the new one only."""
    said, found = restored({"secrets": ["whsec_new", MASK]}, TABLE)
    assert (said["secrets"], found) == (["whsec_new", f"{SECRET}k1"], [])


def test_a_user_without_password_may_be_a_token() -> None:
    """As some services have it."""
    assert masked({"url": "https://sk_live@api.example.com/"}) == {
        "url": f"https://{MASK}@api.example.com/"
    }


@pytest.mark.parametrize("url", ["https://h.example:8080/a:b@c", "tcp://h.example:4010", "x", ""])
def test_a_url_without_a_user_has_nothing_to_mask(url: str) -> None:
    """An @ in the path is part of the path."""
    assert masked({"url": url}) == {"url": url}


PLACES = [
    *("url", "headers", "auth", "password", "token", "secrets", "secret", "fallback"),
    *("body_signature", "status_callback", "delivery_report", "x"),
]
_json: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.integers(-9, 9), st.text(max_size=4), st.just(MASK)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(PLACES),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)
_tables = st.dictionaries(
    st.sampled_from(["url", "headers", "auth", "secrets", "fallback", "body_signature", "x"]),
    _json,
    max_size=5,
)


@given(sent=_tables, stored=_tables)
def test_any_table_can_be_masked_and_restored(sent: Json, stored: Json) -> None:
    """Whatever stands in the places of secrets: faults at the most."""
    restored(sent, stored)
    masked(sent, of_file=True)


@given(table=_tables)
def test_what_is_masked_twice_is_masked_once(table: Json) -> None:
    """The mask is a secret like any other."""
    assert masked(masked(table)) == masked(table)


# RFC 7396, appendix A, of objects.
MERGED: list[tuple[Json, Json, Json]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("whole", "patch", "result"), MERGED)
def test_a_patch_is_applied_as_the_standard_has_it(whole: Json, patch: Json, result: Json) -> None:
    """Its own examples."""
    assert merged(whole, patch) == result


# --- over HTTP


async def test_secrets_are_stored_and_never_answered() -> None:
    """Kept by a patch that does not speak of them, and by a put that sends the mask."""
    house = a_house()
    async with the_api(house) as client:
        document = await made(client, headers={"X-A": "hidden"}, url="https://u:pw@a.example.com/")
        place = f"/v1/subscriptions/{document['name']}"
        assert document["headers"] == {"X-A": MASK}
        await client.patch(place, json={"note": "x"})
        answer = await client.put(place, json={**document, "note": "y"})
    card = house.cards.card("api", document["name"])
    assert card is not None
    assert card.said == {
        "url": "https://u:pw@a.example.com/",
        "headers": {"X-A": "hidden"},
        "note": "y",
    }
    assert "hidden" not in answer.text


@pytest.mark.parametrize(
    ("url", "status", "kept"),
    [("https://a.example.com/new", 200, "new"), ("https://evil.example.com/", 400, "old")],
)
async def test_a_patch_of_the_url_keeps_secrets_at_their_host(
    url: str, status: int, kept: str
) -> None:
    """Elsewhere they are needed again, so that nobody has them sent to a place of their own."""
    house = a_house()
    async with the_api(house) as client:
        document = await made(client, headers={"X-A": "hidden"}, url="https://a.example.com/old")
        place = f"/v1/subscriptions/{document['name']}"
        answer = await client.patch(place, json={"url": url})
    card = house.cards.card("api", document["name"])
    assert card is not None
    assert (answer.status_code, card.said) == (
        status,
        {"url": f"https://a.example.com/{kept}", "headers": {"X-A": "hidden"}},
    )


async def test_a_mask_for_nothing_is_refused() -> None:
    """With its place; nothing changes."""
    async with the_api(a_house()) as client:
        document = await made(client)
        answer = await client.put(
            f"/v1/subscriptions/{document['name']}", json={**document, "headers": {"X-A": MASK}}
        )
    [fault] = faults(answer)
    assert fault.startswith(
        "$.headers.X-A: ******** stands for what is stored, and nothing is stored here;"
    )
