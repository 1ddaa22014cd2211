"""Forward rules of callpost's own API, and those of others as they are seen there."""

import re

import pytest

from api.own.own_api import Json, a_house, faults, the_api

RULE: Json = {"number": "200", "to": ["201", "sip:bob@pbx.example"], "link_id": 7}


async def test_a_rule_is_made_looked_at_replaced_and_taken_away() -> None:
    """Each time with its ETag."""
    async with the_api(a_house()) as client:
        answer = await client.post("/v1/forwards", json=RULE)
        place = answer.headers["location"]
        same = await client.get(place)
        known = await client.get(place, headers={"if-none-match": answer.headers["etag"]})
        replaced = await client.put(
            place,
            json={**answer.json(), "to": ["202"]},
            headers={"if-match": answer.headers["etag"]},
        )
        stale = await client.delete(place, headers={"if-match": answer.headers["etag"]})
        gone = await client.delete(place)
        after = await client.get(place)
    document = answer.json()
    assert re.fullmatch("[0-9a-f]{24}", document["id"])
    assert place == f"/v1/forwards/{document['id']}"
    assert (document["customer"], document["origin"]) == ("acme", "api")
    assert {key: document[key] for key in RULE} == RULE
    assert (same.json(), known.status_code) == (document, 304)
    assert (replaced.status_code, replaced.json()["to"]) == (200, ["202"])
    assert [one.status_code for one in (stale, gone, after)] == [412, 204, 404]


async def test_it_has_an_effect() -> None:
    """It is in the configuration in force, of its customer."""
    house = a_house()
    async with the_api(house) as client:
        await client.post("/v1/forwards", json=RULE)
    [rule] = [one for one in house.cards.registered.config.forwards if one.number == "200"]
    assert (rule.customer, rule.to, rule.link_id) == ("acme", ("201", "sip:bob@pbx.example"), 7)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"number": "200"}, "$.to"),
        ({"to": ["1"]}, "$.number"),
        ({**RULE, "too": 1}, "$.too"),
        ({**RULE, "to": []}, "$.to"),
        ({**RULE, "to": [1]}, "$.to[0]"),
        ({**RULE, "link_id": "7"}, "$.link_id"),
        ({**RULE, "number": "101"}, "$.number"),
        ({**RULE, "customer": "bravo"}, "$.customer"),
    ],
)
async def test_a_faulty_rule_is_refused_at_its_place(body: Json, path: str) -> None:
    """A second one for the same number too."""
    async with the_api(a_house()) as client:
        answer = await client.post("/v1/forwards", json=body)
    assert answer.status_code == 400
    assert [one["path"] for one in answer.json()["errors"]] == [path]


async def test_a_rule_of_a_file_is_read_only() -> None:
    """Its id stays while its customer and its number do."""
    async with the_api(a_house()) as client:
        [rule] = (await client.get("/v1/forwards")).json()["forwards"]
        answers = [
            await client.put(f"/v1/forwards/{rule['id']}", json=RULE),
            await client.delete(f"/v1/forwards/{rule['id']}"),
        ]
    assert {key: rule[key] for key in ("customer", "origin", "number", "to")} == {
        "customer": "acme",
        "origin": "file",
        "number": "101",
        "to": ["102"],
    }
    assert [one.status_code for one in answers] == [409, 409]


async def test_somebody_elses_rule_is_not_there() -> None:
    """By its id as little as in the list."""
    house = a_house()
    async with the_api(house, "other") as client:
        theirs = (await client.post("/v1/forwards", json=RULE)).json()["id"]
        of_file = (await client.get("/v1/forwards")).json()["forwards"][0]["id"]
    async with the_api(house) as client:
        listed = (await client.get("/v1/forwards?customer=bravo")).json()
        statuses = {
            (await client.request(method, f"/v1/forwards/{one}", json=body)).text
            for one in (theirs, of_file, "nobodys")
            for method, body in (("GET", None), ("PUT", RULE), ("DELETE", None))
        }
    assert (listed["forwards"], listed["total"], len(statuses)) == ([], 0, 1)


async def test_the_customer_of_a_rule_stays() -> None:
    """A rule of another customer is another rule."""
    async with the_api(a_house(), "admin") as client:
        answer = await client.post("/v1/forwards", json={**RULE, "customer": "acme"})
        changed = await client.put(answer.headers["location"], json={**RULE, "customer": "bravo"})
    assert faults(changed) == ["$.customer: cannot be changed"]


async def test_a_subscription_is_no_rule() -> None:
    """Nor can it be taken away as one."""
    async with the_api(a_house()) as client:
        made = (
            await client.post("/v1/subscriptions", json={"url": "https://a.example.com"})
        ).json()
        answer = await client.delete(f"/v1/forwards/{made['name']}")
        rule = (await client.post("/v1/forwards", json=RULE)).json()
        other = await client.delete(f"/v1/subscriptions/{rule['id']}")
    assert (answer.status_code, other.status_code) == (404, 404)


async def test_the_list_has_pages() -> None:
    """By customer and number."""
    async with the_api(a_house(), "reseller") as client:
        for number in ("3", "2", "1"):
            body = {"number": number, "to": ["9"], "customer": "bravo"}
            assert (await client.post("/v1/forwards", json=body)).status_code == 201
        found, cursor = list[str](), ""
        while True:
            page = (await client.get(f"/v1/forwards?limit=2&cursor={cursor}")).json()
            found += [f"{one['customer']} {one['number']}" for one in page["forwards"]]
            if not (cursor := page["next"]):
                break
    assert found == ["acme 101", "bravo 1", "bravo 101", "bravo 2", "bravo 3"]
