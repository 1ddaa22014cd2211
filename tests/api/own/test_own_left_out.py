"""What was made in a dialect and is left out by now: everybody sees theirs, an admin takes it away.

A customer leaves the registry, and the paths of the dialects know nobody of that name any more.
"""

from collections.abc import Callable

import pytest

from api.own.own_api import a_house, the_api
from callpost.model.card import Card, CardsChanged, Dialect
from callpost.registered import Cards, Registered
from control_house import KnownHouse

DIALECTS: tuple[Dialect, ...] = ("telecomx", "voipnow", "portsip", "signalwire")
NAME = "telecomx.shop.00000000"
LANE = "voipnow.0003-210.00000000"
WITHOUT_ACME = '[[customer]]\nid = "bravo"\n'
URL = "https://t.example.com/x"


def a_card(dialect: Dialect, card_id: str, name: str, **said: object) -> Card:
    """An item of acme's."""
    return Card(
        dialect=dialect,
        id=card_id,
        customer="acme",
        scope="0003*210",
        subscription=name,
        said={"name": "shop", "url": URL, **said},
        created_at=1.0,
        modified_at=1.0,
    )


TELECOMX = a_card("telecomx", "0" * 24, NAME, method="POSTJSON")
# Calls that come in (0), calls that go out (1), and the hangups of both (2).
LANE_CARDS = tuple(
    a_card("voipnow", type_, LANE, type=type_, method="0", note="", status="1") for type_ in "012"
)
RULE = Card(
    dialect="basip",
    id="f" * 32,
    customer="acme",
    said={"link_id": 7, "forward_number": "300", "forward_entity_list": ["301"]},
    created_at=1.0,
    modified_at=1.0,
)


async def a_house_without_acme(*cards: Card) -> KnownHouse:
    """These were made while acme was there."""
    house = a_house("")
    await house.cards.change(lambda: CardsChanged(put=cards))
    house.cards.read_again(WITHOUT_ACME)
    return house


def all_cards(house: KnownHouse) -> list[Card]:
    """Whatever there is."""
    return list(house.cards.registered.cards.every())


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("who", ["admin", "viewer"])
async def test_what_is_left_out_is_seen_by_whose_it_is(dialect: Dialect, who: str) -> None:
    """In the list and by its name, whatever dialect it was made in, and if nobody can read it."""
    house = a_house(WITHOUT_ACME)
    card = a_card(dialect, "1" * 24, f"{dialect}.shop.00000000", type="0")
    house.cards.registered = Registered(house.cards.registered.files, Cards.of([card]))
    async with the_api(house, who) as client:
        listed = (await client.get("/v1/subscriptions")).json()["subscriptions"]
        one = await client.get(f"/v1/subscriptions/{card.subscription}")
    assert listed == [one.json()]
    assert [one.json()[key] for key in ("origin", "customer", "state")] == [
        dialect,
        "acme",
        "left_out",
    ]


async def test_what_is_left_out_is_not_there_for_others() -> None:
    """They cannot take it away either."""
    house = await a_house_without_acme(TELECOMX)
    async with the_api(house, "other") as client:
        listed = (await client.get("/v1/subscriptions")).json()["total"]
        answers = [
            await client.request(method, f"/v1/subscriptions/{NAME}")
            for method in ("GET", "DELETE")
        ]
    assert (listed, [one.status_code for one in answers]) == (0, [404, 404])


async def test_what_is_left_out_and_disabled_is_left_out() -> None:
    """To enable it would help nobody."""
    cards = [a_card("voipnow", "0", LANE, type="0", method="0", note="", status="0")]
    async with the_api(await a_house_without_acme(*cards), "admin") as client:
        assert (await client.get(f"/v1/subscriptions/{LANE}")).json()["state"] == "left_out"


async def test_an_admin_takes_away_what_is_left_out_of_a_dialect() -> None:
    """Its card is gone, and so is it."""
    house = await a_house_without_acme(TELECOMX)
    async with the_api(house, "admin") as client:
        answers = [
            await client.request(method, f"/v1/subscriptions/{NAME}")
            for method in ("DELETE", "GET", "DELETE")
        ]
    assert [one.status_code for one in answers] == [204, 404, 404]
    assert all_cards(house) == []


@pytest.mark.parametrize(("name", "left"), [(LANE, ["1"]), (f"{LANE}-out", ["0"])])
async def test_all_items_go_that_it_was_made_of(name: str, left: list[str]) -> None:
    """At once; a hangup of VoipNow's is one for both ways, and the other way loses it."""
    house = await a_house_without_acme(*LANE_CARDS)
    async with the_api(house, "admin") as client:
        answer = await client.delete(f"/v1/subscriptions/{name}")
    assert answer.status_code == 204
    assert [card.id for card in all_cards(house)] == left
    assert len(house.cards.changes) == 2


async def test_two_that_are_made_of_the_same_item_go_together() -> None:
    """There is nothing left that the other could be made of."""
    house = await a_house_without_acme(LANE_CARDS[2])
    async with the_api(house, "admin") as client:
        before = (await client.get("/v1/subscriptions")).json()["total"]
        await client.delete(f"/v1/subscriptions/{LANE}")
        after = (await client.get("/v1/subscriptions")).json()["total"]
    assert (before, after) == (2, 0)


@pytest.mark.parametrize("who", ["manager", "owner", "reseller"])
async def test_who_is_no_admin_takes_nothing_away_of_a_dialect(who: str) -> None:
    """Not where it is left out either."""
    house = await a_house_without_acme(TELECOMX)
    async with the_api(house, who) as client:
        answer = await client.delete(f"/v1/subscriptions/{NAME}")
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        "It was made over telecomx; change it there.",
    )
    assert all_cards(house) == [TELECOMX]


async def test_an_admin_takes_nothing_away_that_is_in_force_of_a_dialect() -> None:
    """It is changed where it was made."""
    house = a_house("")
    await house.cards.change(lambda: CardsChanged(put=(TELECOMX, RULE)))
    async with the_api(house, "admin") as client:
        answers = [
            await client.delete(path)
            for path in (f"/v1/subscriptions/{NAME}", f"/v1/forwards/{RULE.id}")
        ]
    assert [one.status_code for one in answers] == [409, 409]
    assert all_cards(house) == [TELECOMX, RULE]


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_what_is_left_out_of_a_dialect_is_not_changed(method: str) -> None:
    """Nobody but its dialect has the words for it."""
    house = await a_house_without_acme(TELECOMX)
    async with the_api(house, "admin") as client:
        answer = await client.request(method, f"/v1/subscriptions/{NAME}", json={"url": URL})
    assert (answer.status_code, all_cards(house)) == (409, [TELECOMX])


@pytest.mark.parametrize("dialect", ["api", "telecomx"])
async def test_what_is_left_out_is_taken_away_as_it_was_seen(dialect: Dialect) -> None:
    """Its ETag is that of what was shown, also where it is disabled."""
    name = f"{dialect}.shop.00000000"
    card = a_card(dialect, name, name, enabled=False, method="POSTJSON")
    house = a_house(WITHOUT_ACME)
    house.cards.registered = Registered(house.cards.registered.files, Cards.of([card]))
    async with the_api(house, "admin") as client:
        etag = (await client.get(f"/v1/subscriptions/{name}")).headers["etag"]
        answers = [
            await client.delete(f"/v1/subscriptions/{name}", headers={"if-match": one})
            for one in ('"stale"', etag)
        ]
    assert [one.status_code for one in answers] == [412, 204]


@pytest.mark.parametrize(("text", "status", "left"), [("", 409, [TELECOMX]), (None, 404, [])])
async def test_what_has_changed_meanwhile_is_looked_at_again(
    text: str | None, status: int, left: list[Card]
) -> None:
    """It may be in force again, or gone."""
    house = Overtaken(await a_house_without_acme(TELECOMX), text)
    async with the_api(house.known, "admin") as client:
        answer = await client.delete(f"/v1/subscriptions/{NAME}")
    assert (answer.status_code, all_cards(house.known)) == (status, left)


class Overtaken:
    """Somebody else is quicker: the files say `text`, or where it is None the cards are gone."""

    def __init__(self, known: KnownHouse, text: str | None) -> None:
        self.known = known
        self._text = text
        self._change = known.cards.change
        known.cards.change = self.change  # type: ignore[method-assign]  # so that it comes in between

    async def change(self, decide: Callable[[], CardsChanged]) -> None:
        """After the other one."""
        cards = self.known.cards
        if self._text is None:
            cards.registered = Registered(cards.registered.files, Cards.of([]))
        else:
            cards.read_again(self._text)
        await self._change(decide)


async def test_a_rule_that_is_left_out_is_seen_and_taken_away() -> None:
    """BAS-IP's by an admin alone, for its list is not there without a customer."""
    house = await a_house_without_acme(RULE)
    async with the_api(house, "viewer") as client:
        seen = (await client.get("/v1/forwards")).json()["forwards"]
    place, refused = f"/v1/forwards/{RULE.id}", []
    for who in ("manager", "other"):
        async with the_api(house, who) as client:
            refused.append((await client.delete(place)).status_code)
    async with the_api(house, "admin") as client:
        one = (await client.get(place)).json()
        changed = await client.put(place, json={"number": "300", "to": ["302"]})
        stale = await client.delete(place, headers={"if-match": '"stale"'})
        gone = await client.delete(place)
    assert (seen, one["origin"], one["number"]) == ([one], "basip", "300")
    assert one["state"] == "left_out"
    assert refused == [409, 404]
    assert [answer.status_code for answer in (changed, stale, gone)] == [409, 412, 204]
    assert all_cards(house) == []


async def test_a_rule_that_is_left_out_is_mended_as_it_was_seen() -> None:
    """Its ETag is that of what was shown; afterwards it is in force."""
    house = a_house("")
    async with the_api(house, "admin") as client:
        body = {"number": "300", "to": ["301"]}
        made = await client.post("/v1/forwards", json=body)
        house.cards.read_again('[[forward]]\nnumber = "300"\nto = ["302"]\n')
        place = made.headers["location"]
        seen = await client.get(place)
        stale, mended = [
            await client.put(place, json={**body, "number": "310"}, headers={"if-match": etag})
            for etag in (made.headers["etag"], seen.headers["etag"])
        ]
    states = [one.json()["state"] for one in (made, seen, mended)]
    assert (stale.status_code, states) == (412, ["active", "left_out", "active"])
