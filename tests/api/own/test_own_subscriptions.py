"""Subscriptions of callpost's own API: made, looked at, changed, taken away."""

import re

import httpx
import pytest

from api.own.own_api import NEW, Json, a_house, faults, made, the_api
from callpost.model.card import Card, CardsChanged
from callpost.model.vocabulary import KINDS
from control_house import KnownHouse


async def test_a_new_one_is_answered_as_it_is() -> None:
    """With its name, whose it is, where it is from, when it was made, and how it stands."""
    async with the_api(a_house()) as client:
        answer = await client.post("/v1/subscriptions", json=NEW)
    document = answer.json()
    name = document.pop("name")
    assert answer.status_code == 201
    assert re.fullmatch(r"api\.shop\.[0-9a-f]{8}", name)
    assert answer.headers["location"] == f"/v1/subscriptions/{name}"
    assert re.fullmatch(r'"[0-9a-f]{20}"', answer.headers["etag"])
    assert document == {
        "customer": "acme",
        "origin": "api",
        "created_at": "2027-01-15T08:00:01.000Z",
        "modified_at": "2027-01-15T08:00:01.000Z",
        "state": "active",
        "url": "https://new.example.com/calls",
    }


async def test_what_was_made_is_found_again() -> None:
    """Alone and in the list, the same document with the same ETag."""
    async with the_api(a_house()) as client:
        answer = await client.post("/v1/subscriptions", json=NEW)
        one = await client.get(answer.headers["location"])
        listed = (await client.get("/v1/subscriptions?origin=api")).json()
    assert (one.json(), one.headers["etag"]) == (answer.json(), answer.headers["etag"])
    assert listed == {"subscriptions": [one.json()], "total": 1, "next": ""}


async def test_it_is_in_force() -> None:
    """With its customer, as what it is: strict."""
    house = a_house()
    async with the_api(house) as client:
        name = (await made(client))["name"]
    [one] = [one for one in house.cards.registered.config.subscriptions if one.name == name]
    assert (one.filter.customer, one.origin, one.endpoints[0].strict) == ("acme", "api", True)


async def test_a_trusted_token_may_deliver_at_home() -> None:
    """Another may not."""
    home = {"url": "http://192.168.1.5:8080/"}
    async with the_api(a_house(), "trusted") as client:
        assert (await made(client, **home))["url"] == home["url"]
    async with the_api(a_house()) as client:
        answer = await client.post("/v1/subscriptions", json=home)
    assert answer.status_code == 400
    assert faults(answer)[0].startswith("$.url: ")


async def test_a_strict_caller_makes_strict_what_was_trusted() -> None:
    """Nobody keeps rights that were somebody else's."""
    house = a_house()
    async with the_api(house, "trusted") as client:
        name = (await made(client, url="http://192.168.1.5:8080/"))["name"]
    async with the_api(house) as client:
        answer = await client.patch(f"/v1/subscriptions/{name}", json={"note": "mine"})
    assert faults(answer)[0].startswith("$.url: ")


async def test_what_a_stranger_has_made_stays_strict() -> None:
    """Also when somebody who is trusted has changed its note: nobody has looked at its URL."""
    house = a_house()
    async with the_api(house) as client:
        name = (await made(client))["name"]
    async with the_api(house, "trusted") as client:
        assert (await client.patch(f"/v1/subscriptions/{name}", json={"note": "x"})).is_success
    card = house.cards.card("api", name)
    assert card is not None
    assert not card.trusted


async def test_all_faults_are_told_at_once() -> None:
    """By their paths in the document, unknown keys with what is spelt most like them."""
    body = {
        "url": "https://crm.example.com/",
        "methd": "GET1",
        "events": ["newCall", "hangop"],
        "fallback": [{"url": "https://b.example.com/", "metod": 1}, {"method": "GET1"}],
        "headers": {"Host": "x"},
        "status_callback": {"url": "nonsense"},
    }
    async with the_api(a_house()) as client:
        answer = await client.post("/v1/subscriptions", json=body)
    assert answer.status_code == 400
    assert sorted(faults(answer)) == [
        f'$.events[1]: expected one of {" | ".join(KINDS)}; did you mean "hangup"?',
        '$.fallback[0].metod: there is no such key; did you mean "method"?',
        "$.fallback[1].url: is required",
        "$.headers.Host: this header is reserved: callpost writes it itself",
        '$.methd: there is no such key; did you mean "method"?',
        "$.status_callback.url: Invalid URL: it has no scheme, such as https://",
    ]


NO_SCHEME = "$.url: Invalid URL: it has no scheme, such as https://"
NO_NAME = "$.name: expected 1 to 40 characters of a-z 0-9 - . and _"


@pytest.mark.parametrize(
    ("said", "others"),
    [
        ({}, []),
        ({"url": "nonsense", "methd": 1}, [NO_SCHEME, "$.methd: there is no such key"]),
        ({"customer": "bravo"}, ["$.customer: is none that this token acts for"]),
        ({"headers": {"X-A": "********"}}, ["$.headers.X-A: "]),
    ],
)
async def test_a_faulty_name_is_told_with_all_that_is_wrong_besides(
    said: Json, others: list[str]
) -> None:
    """Once, though the rules of the configuration know no such name either."""
    house = a_house()
    async with the_api(house) as client:
        answer = await client.post("/v1/subscriptions", json={**NEW, "name": "A B", **said})
    first, *told = faults(answer)
    assert first == NO_NAME
    assert [
        one.startswith(begun) for one, begun in zip(sorted(told), sorted(others), strict=True)
    ] == [True] * len(others)
    assert house.cards.changes == []


STRANGE = [
    ({"headers": {"X-A": "credential:portal"}}, "$.headers.X-A"),
    ({"auth": {"type": "bearer", "token": "credential:portal"}}, "$.auth.token"),
    ({"secrets": ["credential:portal"]}, "$.secrets[0]"),
    ({"proxy": "http://proxy.example.com:3128"}, "$.proxy"),
    ({"tls": {"verify": False}}, "$.tls.verify"),
    ({"tls": {"ca_file": "/etc/passwd"}}, "$.tls.ca_file"),
    ({"url": "http://169.254.169.254/latest"}, "$.url"),
    ({"url": "http://127.0.0.1/"}, "$.url"),
    ({"fallback": [{"url": "http://[::1]/"}]}, "$.fallback[0].url"),
    ({"status_callback": {"url": "http://10.0.0.1/"}}, "$.status_callback.url"),
    ({"delivery_report": {"url": "http://10.0.0.1/"}}, "$.delivery_report.url"),
    ({"headers": {"X-A": "a\r\nHost: b"}}, "$.headers.X-A"),
    ({"headers": {"X-A\r\nHost": "b"}}, '$.headers."X-A\\r\\nHost"'),
    ({"preset": "popup"}, "$.preset"),
    ({"name": "A B"}, "$.name"),
    ({"name": "x" * 41}, "$.name"),
    ({"name": None}, "$.name"),
    ({"note": None}, "$.note"),
    ({"customer": "bravo"}, "$.customer"),
    ({"customer": "no-such"}, "$.customer"),
    ({"customer": "*"}, "$.customer"),
    ({"customer": ["acme"]}, "$.customer"),
    ({"url": 5}, "$.url"),
    ({"url": None}, "$.url"),
    ({"max_age_s": {"newCall": -1}}, "$.max_age_s.newCall"),
    ({"headers": {"X-A": "********"}}, "$.headers.X-A"),
    ({"url": "https://u:********@crm.example.com/"}, "$.url"),
]


@pytest.mark.parametrize(("said", "path"), STRANGE)
async def test_what_may_not_be_said_is_refused_at_its_place(said: Json, path: str) -> None:
    """And nothing is made."""
    house = a_house()
    async with the_api(house) as client:
        answer = await client.post("/v1/subscriptions", json={**NEW, **said})
    assert answer.status_code == 400
    assert path in {told["path"] for told in answer.json()["errors"]}
    assert house.cards.changes == []


async def test_a_customer_that_there_is_not_is_refused_as_somebody_elses() -> None:
    """Nobody learns whether there is such a one."""
    text = '[[customer]]\nid = "acme"\n[[customer]]\nid = "bravo"\n'
    async with the_api(a_house(text)) as client:
        answers = [
            await client.post("/v1/subscriptions", json={**NEW, "customer": one})
            for one in ("bravo", "nobody")
        ]
    assert answers[0].content == answers[1].content


async def test_a_token_of_several_customers_says_which() -> None:
    """It is not guessed."""
    async with the_api(a_house(), "reseller") as client:
        unsaid = await client.post("/v1/subscriptions", json=NEW)
        said = await made(client, customer="bravo")
    assert faults(unsaid) == ["$.customer: is required: this token acts for several customers"]
    assert said["customer"] == "bravo"


async def test_an_admin_makes_what_is_nobodys_or_anybodys() -> None:
    """As in a file."""
    async with the_api(a_house(), "admin") as client:
        assert (await made(client))["customer"] == ""
        assert (await made(client, customer="*"))["customer"] == "*"


async def test_a_viewer_only_looks() -> None:
    """Every change is refused, whatever is there."""
    async with the_api(a_house(), "viewer") as client:
        listed = await client.get("/v1/subscriptions")
        refused = [
            await client.post("/v1/subscriptions", json=NEW),
            await client.put("/v1/subscriptions/crm", json=NEW),
            await client.patch("/v1/subscriptions/crm", json=NEW),
            await client.delete("/v1/subscriptions/nope"),
            await client.post("/v1/subscriptions/crm/pause"),
            await client.post("/v1/events", json={}),
            await client.post("/v1/replay", json={"dryRun": True}),
            await client.post("/v1/forwards", json={}),
        ]
    assert listed.status_code == 200
    assert {one.status_code for one in refused} == {403}


async def test_there_are_only_so_many() -> None:
    """Beyond them a customer must take one away first."""
    text = "[api]\nmax_subscriptions_per_customer = 1\n"
    async with the_api(a_house(text)) as client:
        await made(client)
        answer = await client.post("/v1/subscriptions", json=NEW)
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        "A customer may have at most 1 of them.",
    )


async def test_a_house_that_stops_says_so() -> None:
    """As something that may pass."""
    house = a_house()
    house.cards.closed = "callpost is stopping."
    async with the_api(house) as client:
        answer = await client.post("/v1/subscriptions", json=NEW)
    assert (answer.status_code, answer.json()["detail"]) == (503, "callpost is stopping.")


# --- changes


async def test_what_was_got_can_be_edited_and_put() -> None:
    """Read-only fields in it are passed over."""
    async with the_api(a_house()) as client:
        document = await made(client)
        document["url"] = "https://moved.example.com/"
        answer = await client.put(f"/v1/subscriptions/{document['name']}", json=document)
    changed = answer.json()
    assert answer.status_code == 200
    assert changed == {
        **document,
        "modified_at": changed["modified_at"],
        "url": "https://moved.example.com/",
    }
    assert changed["modified_at"] > changed["created_at"]


async def test_what_is_not_put_is_gone() -> None:
    """A PUT is all of it."""
    async with the_api(a_house()) as client:
        document = await made(client, note="old", events=["newCall"])
        answer = await client.put(
            f"/v1/subscriptions/{document['name']}", json={"url": "https://b.example.com/"}
        )
    assert {"note", "events"} & set(answer.json()) == set()


@pytest.mark.parametrize("media_type", ["application/merge-patch+json", "application/json"])
async def test_a_patch_changes_what_it_speaks_of(media_type: str) -> None:
    """Null takes a key out, a table is merged, a list is replaced (RFC 7396)."""
    async with the_api(a_house()) as client:
        document = await made(
            client, note="old", events=["newCall"], max_age_s={"newCall": 60, "hangup": 90}
        )
        answer = await client.patch(
            f"/v1/subscriptions/{document['name']}",
            content=b'{"note":null,"events":["hangup"],"max_age_s":{"newCall":null,"cdr":5}}',
            headers={"content-type": media_type},
        )
    changed = answer.json()
    assert "note" not in changed
    assert (changed["events"], changed["max_age_s"]) == (["hangup"], {"hangup": 90, "cdr": 5})


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize(
    ("key", "value"), [("name", "api.other.00000000"), ("customer", "bravo"), ("customer", "")]
)
async def test_what_stays_cannot_be_changed(method: str, key: str, value: str) -> None:
    """Its name and its customer."""
    async with the_api(a_house(), "admin") as client:
        document = await made(client, customer="acme")
        answer = await client.request(
            method, f"/v1/subscriptions/{document['name']}", json={**document, key: value}
        )
    assert faults(answer) == [f"$.{key}: cannot be changed"]


async def test_a_change_that_is_refused_changes_nothing() -> None:
    """The document is as it was, and so is its ETag."""
    async with the_api(a_house()) as client:
        answer = await client.post("/v1/subscriptions", json=NEW)
        place = answer.headers["location"]
        refused = await client.patch(place, json={"url": "nonsense"})
        after = await client.get(place)
    assert faults(refused) == [NO_SCHEME]
    assert after.headers["etag"] == answer.headers["etag"]


async def test_what_was_taken_away_is_gone() -> None:
    """And a second time there is nothing to take."""
    async with the_api(a_house()) as client:
        name = (await made(client))["name"]
        first = await client.delete(f"/v1/subscriptions/{name}")
        second = await client.delete(f"/v1/subscriptions/{name}")
        looked = await client.get(f"/v1/subscriptions/{name}")
    assert (first.status_code, first.content, second.status_code) == (204, b"", 404)
    assert looked.status_code == 404


# --- conditions


async def test_who_has_not_seen_the_last_change_changes_nothing() -> None:
    """412; who has, may."""
    async with the_api(a_house()) as client:
        answer = await client.post("/v1/subscriptions", json=NEW)
        place, seen = answer.headers["location"], answer.headers["etag"]
        first = await client.patch(place, json={"note": "1"}, headers={"if-match": seen})
        statuses = [
            (await client.patch(place, json={"note": "2"}, headers={"if-match": seen})),
            (await client.put(place, json=NEW, headers={"if-match": f"W/{seen}"})),
            (await client.delete(place, headers={"if-match": '"x", nonsense'})),
            (await client.delete(place, headers={"if-match": f'"x", {first.headers["etag"]}'})),
        ]
    assert first.status_code == 200
    assert [one.status_code for one in statuses] == [412, 412, 412, 204]


async def test_a_secret_that_has_changed_makes_another_etag() -> None:
    """Though the document looks the same."""
    async with the_api(a_house()) as client:
        answer = await client.post("/v1/subscriptions", json={**NEW, "headers": {"X-A": "1"}})
        place = answer.headers["location"]
        changed = await client.patch(place, json={"headers": {"X-A": "2"}})
    assert changed.headers["etag"] != answer.headers["etag"]


@pytest.mark.parametrize("known", ["{}", "W/{}", '"x", {}', "*"])
async def test_who_has_it_as_it_is_need_not_get_it_again(known: str) -> None:
    """304, without content."""
    async with the_api(a_house()) as client:
        answer = await client.post("/v1/subscriptions", json=NEW)
        again = await client.get(
            answer.headers["location"],
            headers={"if-none-match": known.replace("{}", answer.headers["etag"])},
        )
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == answer.headers["etag"]


# --- those of others


async def test_those_of_a_file_are_shown_without_what_could_be_secret() -> None:
    """Of a URL scheme, host and port only."""
    async with the_api(a_house()) as client:
        answer = await client.get("/v1/subscriptions/crm")
    assert answer.json() == {
        "name": "crm",
        "customer": "acme",
        "origin": "file",
        "state": "active",
        "url": "https://crm.example.com",
        "headers": {"X-Key": "********"},
        "proxy": "********",
    }


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_those_of_a_file_stay_as_they_are(method: str) -> None:
    """409 says where they stand."""
    async with the_api(a_house()) as client:
        answer = await client.request(
            method, "/v1/subscriptions/crm", json=None if method == "DELETE" else NEW
        )
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        "It stands in the configuration file; change it there.",
    )


async def test_what_is_not_ones_own_is_not_there() -> None:
    """Somebody else's is answered as nobody's, to every method, word for word."""
    house = a_house()
    async with the_api(house, "other") as client:
        theirs = (await made(client))["name"]
    async with the_api(house) as client:
        answers = {
            name: [
                (await client.request(method, path.format(name), json=body)).text
                for method, path, body in (
                    ("GET", "/v1/subscriptions/{}", None),
                    ("GET", "/v1/subscriptions/{}/state", None),
                    ("PUT", "/v1/subscriptions/{}", NEW),
                    ("PATCH", "/v1/subscriptions/{}", {"note": "x"}),
                    ("DELETE", "/v1/subscriptions/{}", None),
                    ("POST", "/v1/subscriptions/{}/pause", {}),
                    ("POST", "/v1/subscriptions/{}/resume", {}),
                    ("POST", "/v1/subscriptions/{}/test", {}),
                )
            ]
            for name in (theirs, "bravo-crm", "operators", "nobodys")
        }
    texts = {tuple(text.replace(name, "NAME") for text in answers[name]) for name in answers}
    assert len(texts) == 1
    assert all("There is no subscription named 'NAME'." in text for text in texts.pop())


async def test_a_list_shows_ones_own_only() -> None:
    """Whatever customer is asked for; the total tells nothing more."""
    house = a_house()
    async with the_api(house, "other") as client:
        await made(client)
    async with the_api(house) as client:
        pages = [
            (await client.get(f"/v1/subscriptions{query}")).json()
            for query in ("", "?customer=acme", "?customer=bravo", "?customer=nobody")
        ]
    assert [[one["name"] for one in page["subscriptions"]] for page in pages] == [
        ["crm"],
        ["crm"],
        [],
        [],
    ]
    assert [page["total"] for page in pages] == [1, 1, 0, 0]


async def test_a_list_has_pages() -> None:
    """By name, so that nothing is missed and nothing comes twice while others come and go."""
    async with the_api(a_house(), "admin") as client:
        names = [(await made(client, name=f"n{n}", customer="acme"))["name"] for n in range(5)]
        found, cursor = list[str](), ""
        while True:
            page = (await client.get(f"/v1/subscriptions?limit=2&cursor={cursor}")).json()
            found += [one["name"] for one in page["subscriptions"]]
            await client.delete(f"/v1/subscriptions/{found[-1]}")
            cursor = page["next"]
            if not cursor:
                break
    assert found == sorted([*names, "crm", "bravo-crm", "operators"])


@pytest.mark.parametrize("cursor", ["nonsense", "WyJsaXN0ZWQiLCJ4IixbXV0", "é"])
async def test_a_cursor_that_nobody_gave_out_is_told_so(cursor: str) -> None:
    """Also one of another listing."""
    async with the_api(a_house()) as client:
        answer = await client.get(f"/v1/subscriptions?cursor={cursor}")
    assert faults(answer) == ["cursor: no listing has given out this cursor"]


async def test_one_that_is_not_enabled_says_so() -> None:
    """It has no state, and nothing to pause."""
    async with the_api(a_house()) as client:
        document = await made(client, enabled=False)
        answer = await client.post(f"/v1/subscriptions/{document['name']}/pause")
    assert (document["state"], answer.status_code) == ("disabled", 409)


async def test_what_the_files_forbid_by_now_can_still_be_taken_away() -> None:
    """It is shown as left out, and can be mended or deleted."""
    house = a_house("")
    async with the_api(house) as client:
        document = await made(client)
        house.cards.read_again('[[customer]]\nid = "bravo"\n')
        place = f"/v1/subscriptions/{document['name']}"
        left_out = await client.get(place)
        listed = (await client.get("/v1/subscriptions")).json()
        gone = await client.delete(place)
    assert left_out.json()["state"] == "left_out"
    assert [one["name"] for one in listed["subscriptions"]] == [document["name"]]
    assert gone.status_code == 204


async def test_one_of_another_dialect_is_read_and_moved_but_not_changed() -> None:
    """409 says where it was made; it can be paused and tried out."""
    house = a_house()
    name = await of_telecomx(house)
    async with the_api(house) as client:
        document = (await client.get(f"/v1/subscriptions/{name}")).json()
        changed = await client.patch(f"/v1/subscriptions/{name}", json={"note": "x"})
        paused = await client.post(f"/v1/subscriptions/{name}/pause")
    assert (document["origin"], document["url"]) == ("telecomx", "https://t.example.com/x")
    assert (changed.status_code, changed.json()["detail"]) == (
        409,
        "It was made over telecomx; change it there.",
    )
    assert paused.status_code == 200


async def of_telecomx(house: KnownHouse) -> str:
    """The name of a subscription that a client of TelecomX's API has made."""
    card = Card(
        dialect="telecomx",
        id="0" * 24,
        customer="acme",
        subscription="telecomx.shop.00000000",
        said={"url": "https://t.example.com/x", "method": "POSTJSON"},
        created_at=1.0,
        modified_at=1.0,
    )
    await house.cards.change(lambda: CardsChanged(put=(card,)))
    return card.subscription


# --- what is no document


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"null", "application/json", 400),
        (b"", "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"{}", "application/merge-patch+json", 415),
        (b'{"note":"' + b"x" * 70_000 + b'"}', "application/json", 413),
        (b"[" * 5_000, "application/json", 400),
        (b'{"a":"\xff"}', "application/json", 400),
    ],
)
async def test_what_is_no_document_is_told_so(content: bytes, media_type: str, status: int) -> None:
    """With the status that fits."""
    async with the_api(a_house()) as client:
        answer = await client.post(
            "/v1/subscriptions", content=content, headers={"content-type": media_type}
        )
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_who_is_nobody_is_told_so() -> None:
    """401, as a problem document."""
    async with the_api(a_house(), "") as client:
        answer: httpx.Response = await client.get("/v1/subscriptions")
    assert (answer.status_code, answer.json()["status"]) == (401, 401)
