"""VoipNow's operations as its clients use them: the pages' examples, paths and answers."""

import pytest

from api.voipnow.uapi import EVENTS, EXAMPLE, a_uapi, refused


async def test_the_example_is_answered_with_the_whole_event() -> None:
    """Byte for byte: the fields in the order of the resource's page, numbers as texts."""
    async with a_uapi() as uapi:
        made = await uapi.client.post(EVENTS, json=EXAMPLE)
        [card] = uapi.cards()
    link = f"http://api.example{EVENTS}/0/{card.id}"
    whole = (
        f'{{"type":"0","id":"{card.id}","method":"0","note":"My phone call event is awesome",'
        '"url":"http://myevent.com/SaveMyPhoneCallDetails","status":"1",'
        f'"modified":"2027-01-15T08:00:01+00:00","links":{{"self":"{link}"}}}}'
    )
    assert (made.status_code, made.text) == (201, whole)


async def test_an_id_is_alphanumeric_and_as_long_as_voipnow_makes_them() -> None:
    """30 characters."""
    async with a_uapi() as uapi:
        made = str((await uapi.make())["id"])
    assert (made.isalnum(), made.isascii(), len(made)) == (True, True, 30)


async def test_numbers_may_be_numbers() -> None:
    """They are answered as texts."""
    async with a_uapi() as uapi:
        made = await uapi.make(type=2, method=1, status=0)
    assert (made["type"], made["method"], made["status"]) == ("2", "1", "0")


async def test_an_event_without_status_and_note_is_used() -> None:
    """Only type, method and URL must be there; null is as good as absent."""
    async with a_uapi() as uapi:
        made = await uapi.make(status=None, note=None)
    assert (made["status"], made["note"]) == ("1", "")


@pytest.mark.parametrize(
    "at",
    [
        EVENTS,
        f"{EVENTS}/",
        "/uapi/extensions/@me/0003%2A210/phoneCallEvents",
        "/uapi/extensions/%40me/0003*210/phoneCallEvents/",
        "/uapi/extensions/@viewer/0003*210/phoneCallEvents",
        "/uapi/extensions/@owner/0003*210/phoneCallEvents",
        "/uapi/extensions/acme/0003*210/phoneCallEvents",
        f"{EVENTS}/0",
        f"{EVENTS}/0/",
    ],
)
async def test_an_event_is_made_at_each_of_its_paths(at: str) -> None:
    """With and without the slash, the type in the path or not, however the user is named."""
    async with a_uapi() as uapi:
        made = await uapi.make(at=at)
        [found] = await uapi.listed()
        assert found == made | {"links": found["links"]}


async def test_the_type_of_the_path_counts_where_the_body_has_none() -> None:
    """As in the fifth version of the UnifiedAPI."""
    async with a_uapi() as uapi:
        assert (await uapi.make(at=f"{EVENTS}/3", type=None))["type"] == "3"


async def test_the_link_names_the_user_as_the_client_did() -> None:
    """Whoever asks with an id finds the id, and @me stays @me."""
    async with a_uapi() as uapi:
        made = await uapi.make(at="/uapi/extensions/acme/0003*210/phoneCallEvents")
    assert str(made["links"]).count("/uapi/extensions/acme/0003*210/phoneCallEvents/0/") == 1


async def test_a_link_can_be_followed() -> None:
    """It leads to the event, alone in its collection."""
    async with a_uapi() as uapi:
        made = await uapi.make()
        links = made["links"]
        assert isinstance(links, dict)
        answer = await uapi.client.get(links["self"])
    assert answer.json() == {"entry": [made]}


async def test_a_host_that_is_none_is_not_repeated_in_a_link() -> None:
    """Then the link is the path alone."""
    async with a_uapi() as uapi:
        answer = await uapi.client.post(EVENTS, json=EXAMPLE, headers={"host": 'a"b'})
    assert answer.json()["links"]["self"].startswith("/uapi/extensions/@me/")


async def test_a_list_is_in_the_order_of_making() -> None:
    """The oldest first, under `entry`."""
    async with a_uapi() as uapi:
        made = [await uapi.make(type=type_) for type_ in (4, 0, 2)]
        assert await uapi.listed() == made


async def test_a_list_of_nothing_is_an_empty_one() -> None:
    """With status 200, so that a client can read it as JSON."""
    async with a_uapi() as uapi:
        assert await uapi.listed() == []


async def test_a_list_may_be_of_one_type() -> None:
    """With and without the slash."""
    async with a_uapi() as uapi:
        made = [await uapi.make(type=type_) for type_ in (0, 2, 0)]
        of_type = [await uapi.listed(f"{EVENTS}/0"), await uapi.listed(f"{EVENTS}/0/")]
    assert of_type == [[made[0], made[2]], [made[0], made[2]]]


async def test_a_list_is_of_one_extension() -> None:
    """Events of another extension are somewhere else."""
    async with a_uapi() as uapi:
        await uapi.make(at="/uapi/extensions/@me/0003*211/phoneCallEvents")
        assert await uapi.listed() == []


async def test_an_update_changes_what_it_names() -> None:
    """The example of the page "Update PhoneCallEvents"; all else stays, but for the time."""
    async with a_uapi() as uapi:
        made = await uapi.make()
        answer = await uapi.client.put(
            f"{EVENTS}/0/{made['id']}",
            json={"method": "1", "note": "I want to use POST for my event"},
        )
    assert (answer.status_code, answer.json()) == (
        200,
        made
        | {"method": "1", "note": "I want to use POST for my event"}
        | {"modified": "2027-01-15T08:00:02+00:00"},
    )


async def test_what_was_answered_can_be_sent_back() -> None:
    """Read, edited, put: what nobody can set is passed over."""
    async with a_uapi() as uapi:
        made = await uapi.make()
        answer = await uapi.client.put(f"{EVENTS}/0/{made['id']}/", json=made | {"note": "new"})
    assert answer.json() == made | {"note": "new", "modified": answer.json()["modified"]}


async def test_a_note_can_be_taken_away() -> None:
    """An empty one is none; null would leave it."""
    async with a_uapi() as uapi:
        made = await uapi.make()
        answer = await uapi.client.put(f"{EVENTS}/0/{made['id']}", json={"note": "", "url": None})
    assert (answer.json()["note"], answer.json()["url"]) == ("", made["url"])


async def test_another_type_is_another_path_for_the_same_id() -> None:
    """At the old path there is nothing any more."""
    async with a_uapi() as uapi:
        made = await uapi.make()
        changed = await uapi.client.put(f"{EVENTS}/0/{made['id']}", json={"type": 3})
        gone = await uapi.client.get(f"{EVENTS}/0/{made['id']}")
        there = await uapi.client.get(f"{EVENTS}/3/{made['id']}")
    assert (changed.json()["id"], refused(gone)) == (made["id"], (404, "pce_id_invalid"))
    assert there.json() == {"entry": [changed.json()]}


async def test_a_deleted_event_is_answered_once_more() -> None:
    """An array, as the page "Delete PhoneCallEvents" has it; then it is gone."""
    async with a_uapi() as uapi:
        made, kept = await uapi.make(), await uapi.make()
        gone = await uapi.client.delete(f"{EVENTS}/0/{made['id']}")
        assert (gone.status_code, gone.json(), await uapi.listed()) == (200, [made], [kept])


@pytest.mark.parametrize(("path", "left"), [("", []), ("/0", ["2"]), ("/1/", ["0", "2", "0"])])
async def test_without_an_id_all_of_them_are_deleted(path: str, left: list[str]) -> None:
    """Of the extension, or of one type of it; none is no fault."""
    async with a_uapi() as uapi:
        for type_ in (0, 2, 0):
            await uapi.make(type=type_)
        gone = await uapi.client.delete(f"{EVENTS}{path}")
        found = [event["type"] for event in await uapi.listed()]
    assert (gone.status_code, len(gone.json()), found) == (200, 3 - len(left), left)


async def test_the_head_of_a_list_can_be_asked_for() -> None:
    """HTTP has it wherever there is GET."""
    async with a_uapi() as uapi:
        assert (await uapi.client.head(EVENTS)).status_code == 200


async def test_a_line_break_may_stand_in_a_note() -> None:
    """The client gets its note back; only the subscription's own has a space there."""
    async with a_uapi() as uapi:
        made = await uapi.make(note="one\ntwo")
        [one] = uapi.drawn()
    assert (made["note"], one.table["note"]) == ("one\ntwo", "one two")


async def test_the_vendors_own_client_is_answered() -> None:
    """4psa/mcp-voipnow: a slash behind every path, a query at each list, JSON in every answer."""
    async with a_uapi() as uapi:
        body = {field: value for field, value in EXAMPLE.items() if field != "note"}
        made = (await uapi.client.post(f"{EVENTS}/", json=body)).json()
        one = f"{EVENTS}/0/{made['id']}/"
        listed = await uapi.client.get(f"{one}?count=20&startIndex=0&sortOder=ascending")
        put = await uapi.client.put(one, json={"status": "0"})
        deleted = await uapi.client.delete(one, headers={"content-type": "application/json"})
    assert (listed.json(), put.json()["status"]) == ({"entry": [made]}, "0")
    assert deleted.json() == [put.json()]
