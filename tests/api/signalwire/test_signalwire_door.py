"""SignalWire's external SWML handlers over HTTP: every operation, whatever is sent."""

import json
import uuid
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.lists import tables
from api.signalwire.fabric import ALL, DOCUMENTED, HANDLER, WEBHOOKS, asked, made, refusal
from callpost.api.signalwire import read
from card_house import CardHouse


def resource_of(handler: dict[str, object], *, at: str, changed_at: str) -> dict[str, object]:
    """One item of a list."""
    return {
        "id": handler["id"],
        "project_id": "acme",
        "display_name": handler["name"],
        "type": "swml_webhook",
        "created_at": at,
        "updated_at": changed_at,
        **handler,
        "swml_webhook": handler,
    }


async def test_its_own_example_is_answered_with_an_id() -> None:
    """Flat, in its order of fields, as in the documentation; the id is a UUID."""
    answer = await asked(CardHouse(), "POST", ALL, DOCUMENTED)
    identity = answer.json()["id"]
    assert str(uuid.UUID(identity, version=4)) == identity
    said = json.dumps({"id": identity, **DOCUMENTED}, separators=(",", ":")).encode()
    assert (answer.status_code, answer.content) == (201, said)


async def test_what_is_not_said_is_the_default() -> None:
    """POST everywhere, for calls, and neither a fallback nor a callback."""
    sent = {"name": "Reception", "primary_request_url": "https://crm.example/"}
    answer = await asked(CardHouse(), "POST", ALL, sent)
    assert answer.json() == {
        "id": answer.json()["id"],
        "name": "Reception",
        "used_for": "calling",
        "primary_request_url": "https://crm.example/",
        "primary_request_method": "POST",
        "fallback_request_url": None,
        "fallback_request_method": "POST",
        "status_callback_url": None,
        "status_callback_method": "POST",
    }


@pytest.mark.parametrize("end", ["", "/"])
async def test_a_handler_is_shown(end: str) -> None:
    """With and without a slash at the end, and whatever the case of its id."""
    house = CardHouse()
    identity = await made(house)
    answer = await asked(house, "GET", f"{ALL}/{identity.upper()}{end}")
    assert refusal(answer) == (200, {"id": identity, **HANDLER})


@pytest.mark.parametrize("end", ["", "/"])
async def test_handlers_are_listed_as_clients_read_them(end: str) -> None:
    """The oldest first; each with its fields in both places, and the name as display name too."""
    house = CardHouse()
    ids = [await made(house), await made(house, DOCUMENTED)]
    answer = await asked(house, "GET", ALL + end)
    at = [f"2027-01-15T08:00:0{second}.000Z" for second in (1, 2)]
    assert answer.json() == {
        "data": [
            resource_of({"id": ids[0], **HANDLER}, at=at[0], changed_at=at[0]),
            resource_of({"id": ids[1], **DOCUMENTED}, at=at[1], changed_at=at[1]),
        ],
        "links": {},
    }


async def test_nobody_has_no_handlers() -> None:
    """An empty list, not none."""
    answer = await asked(CardHouse(), "GET", ALL)
    assert (answer.status_code, answer.content) == (200, b'{"data":[],"links":{}}')


async def test_a_list_can_be_read_as_a_saved_one() -> None:
    """By what imports lists, with nothing lost."""
    house = CardHouse()
    await made(house)
    answer = await asked(house, "GET", ALL)
    [table] = tables(read(answer.content))
    assert (table["name"], table["url"]) == (HANDLER["name"], HANDLER["primary_request_url"])


async def test_a_handler_has_an_address() -> None:
    """Clients read the first: its id, and the audio channel."""
    house = CardHouse()
    identity = await made(house)
    answers = [await asked(house, "GET", f"{ALL}/{identity}/addresses{end}") for end in ("", "/")]
    [found] = answers[0].json()["data"]
    assert (found["name"], found["channels"]) == (
        "Front desk",
        {"audio": "/public/Front%20desk"},
    )
    assert str(uuid.UUID(found["id"])) == found["id"] != identity
    assert answers[0].content == answers[1].content


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize(
    "sent",
    [
        {"name": "Night desk"},
        {"primary_request_url": "https://crm.example/2", "primary_request_method": "GET"},
        {"status_callback_method": "GET"},
        {"used_for": "calling"},
        {},
    ],
)
async def test_an_update_changes_what_it_says(method: str, sent: dict[str, str]) -> None:
    """And nothing else."""
    house = CardHouse()
    identity = await made(house)
    answer = await asked(house, method, f"{ALL}/{identity}", sent)
    assert refusal(answer) == (200, {"id": identity, **HANDLER, **sent})
    assert (await asked(house, "GET", f"{ALL}/{identity}")).json() == answer.json()


@pytest.mark.parametrize("nothing", [None, ""])
@pytest.mark.parametrize("place", ["fallback_request_url", "status_callback_url"])
async def test_null_takes_a_url_away(place: str, nothing: str | None) -> None:
    """A fallback or a callback; an empty text does, too."""
    house = CardHouse()
    identity = await made(house)
    answer = await asked(house, "PATCH", f"{ALL}/{identity}", {place: nothing})
    assert refusal(answer) == (200, {"id": identity, **HANDLER, place: None})


async def test_an_answer_can_be_sent_back_as_it_is() -> None:
    """What is no field of a handler is passed over."""
    house = CardHouse()
    identity = await made(house)
    listed = (await asked(house, "GET", ALL)).json()["data"][0]
    answer = await asked(house, "PUT", f"{ALL}/{identity}", listed)
    assert refusal(answer) == (200, {"id": identity, **HANDLER})


async def test_an_update_tells_when_it_was() -> None:
    """And when it was made stays."""
    house = CardHouse()
    identity = await made(house)
    await asked(house, "PUT", f"{ALL}/{identity}", {"name": "x"})
    [listed] = (await asked(house, "GET", ALL)).json()["data"]
    assert (listed["created_at"][-6:], listed["updated_at"][-6:]) == ("1.000Z", "2.000Z")


async def test_a_deleted_handler_is_gone() -> None:
    """The answer has no content; it cannot be deleted twice."""
    house = CardHouse()
    identity = await made(house)
    answers = [await asked(house, "DELETE", f"{ALL}/{identity}") for _ in range(2)]
    assert [(one.status_code, one.content) for one in answers] == [
        (204, b""),
        (404, b'"Not Found"'),
    ]


async def test_its_newer_name_leads_to_the_same_handlers() -> None:
    """SignalWire calls them SWML webhooks by now; there one is answered as in a list."""
    house = CardHouse()
    created = (await asked(house, "POST", WEBHOOKS, HANDLER)).json()
    path = f"/{created['id']}"
    handler = {"id": created["id"], **HANDLER}
    at = "2027-01-15T08:00:01.000Z"
    assert created == resource_of(handler, at=at, changed_at=at)
    assert (await asked(house, "GET", WEBHOOKS + path)).json() == created
    assert (await asked(house, "GET", WEBHOOKS)).json() == (await asked(house, "GET", ALL)).json()
    assert (await asked(house, "GET", ALL + path)).json() == handler


async def test_the_operator_sees_whose_it_is() -> None:
    """In the name of the subscription, and in its note as the client has called it."""
    house = CardHouse()
    await made(house)
    [one] = house.registered.config.subscriptions
    assert one.name.startswith("signalwire.front-desk.")
    assert (one.note, one.origin, one.filter.customer) == ("Front desk", "signalwire", "acme")


# --- anything


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)
_FIELDS = st.fixed_dictionaries({}, optional={key: st.just(HANDLER[key]) | _ANY for key in HANDLER})


@given(_FIELDS | _ANY, st.sampled_from(["POST", "PUT", "PATCH"]))
async def test_whatever_is_sent_is_answered(body: object, method: str) -> None:
    """With a handler, or with what is wrong; never with a mistake of ours."""
    house = CardHouse()
    identity = await made(house)
    path = ALL if method == "POST" else f"{ALL}/{identity}"
    answer = await asked(house, method, path, content=json.dumps(body).encode())
    assert answer.status_code in {200, 201, 400, 422}
    if answer.status_code == 422:
        errors = answer.json()["errors"]
        assert {one["attribute"] for one in errors} <= set(HANDLER)
    for card in house.cards("signalwire"):
        [again] = tables(read(json.dumps(card.said).encode()))
        assert again["url"] == card.said["primary_request_url"]


@given(st.text(max_size=40))
async def test_whatever_the_path_says_is_answered(rest: str) -> None:
    """With what nobody has, or as no such path."""
    answer = await asked(CardHouse(), "GET", f"{ALL}/{quote(rest)}")
    assert answer.status_code in {200, 404}
