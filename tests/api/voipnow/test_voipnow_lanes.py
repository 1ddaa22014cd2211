"""Names and so queues: who shares one, who keeps one, who gets a new one, whatever is done."""

from collections.abc import Iterator
from itertools import count

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from api.voipnow.uapi import EVENTS, a_uapi
from callpost.api.voipnow.lanes import placed
from callpost.model.card import Card
from card_house import CardHouse

# What makes a lane; type and note do not.
PLACES = st.tuples(
    st.sampled_from(["0003*210", "0003*211"]),
    st.booleans(),
    st.fixed_dictionaries(
        {
            "type": st.sampled_from("012"),
            "note": st.sampled_from(["", "n"]),
            "url": st.sampled_from(["https://a.example/", "https://b.example/"]),
            "method": st.sampled_from("01"),
            "status": st.sampled_from("01"),
        }
    ),
)
# Which card is written or, without a place, taken away.
Steps = list[tuple[int, tuple[str, bool, dict[str, object]] | None]]
STEPS = st.lists(st.tuples(st.integers(0, 5), st.none() | PLACES), max_size=30)


def card(card_id: str, extension: str, *, trusted: bool, said: dict[str, object]) -> Card:
    """A card of acme without a name."""
    return Card(
        dialect="voipnow",
        id=card_id,
        customer="acme",
        scope=extension,
        trusted=trusted,
        said=said,
        created_at=0.0,
        modified_at=0.0,
    )


def lane_of(one: Card) -> tuple[object, ...]:
    """What those that share a name have in common."""
    return one.scope, one.trusted, one.said["url"], one.said["method"], one.said["status"]


def lives(
    steps: Steps,
) -> Iterator[tuple[str, dict[str, Card], dict[str, Card]]]:
    """The card of each step, with all cards before and after it."""
    numbers = count()
    cards: dict[str, Card] = {}
    for number, place in steps:
        before, card_id = dict(cards), str(number)
        if place is None:
            cards.pop(card_id, None)
        else:
            extension, trusted, said = place
            new = card(card_id, extension, trusted=trusted, said=said)
            known = cards.get(card_id)
            new = replace(new, subscription=known.subscription) if known else new
            cards[card_id] = placed(new, before.values(), lambda: f"voipnow.{next(numbers)}")
        yield card_id, before, dict(cards)


@given(STEPS)
def test_two_cards_share_a_name_if_and_only_if_they_are_one_lane(
    steps: Steps,
) -> None:
    """At every moment."""
    for _, _, cards in lives(steps):
        for one in cards.values():
            for other in cards.values():
                shared = one.subscription == other.subscription
                assert shared == (lane_of(one) == lane_of(other))


@given(STEPS)
def test_a_write_or_a_deletion_never_renames_another_card(steps: Steps) -> None:
    """What is left keeps its queue."""
    for written, before, after in lives(steps):
        others = before.keys() & after.keys() - {written}
        assert all(before[one] is after[one] for one in others)


@given(STEPS)
def test_a_card_joins_others_or_keeps_its_name_or_leaves_others_with_a_new_one(
    steps: Steps,
) -> None:
    """Its own deliveries wait under that name."""
    for written, before, after in lives(steps):
        if written in before and written in after:
            old, new = before[written].subscription, after[written].subscription
            rest = [one for card_id, one in before.items() if card_id != written]
            if joined := [one for one in rest if lane_of(one) == lane_of(after[written])]:
                assert new == joined[0].subscription
            elif any(one.subscription == old for one in rest):
                assert new not in {one.subscription for one in before.values()}
            else:
                assert new == old


async def test_dial_in_answer_and_hangup_are_one_subscription() -> None:
    """So that they arrive in order; the name tells of the extension."""
    async with a_uapi() as uapi:
        for type_ in (0, 3, 2):
            await uapi.make(type=type_)
        [name] = {*uapi.names().values()}
    assert name.startswith("voipnow.0003-210.")


async def test_who_is_alone_takes_the_queue_along_to_another_url() -> None:
    """What waits for the old URL goes to the new one."""
    async with a_uapi() as uapi:
        made = await uapi.make()
        before = uapi.names()
        await uapi.client.put(f"{EVENTS}/0/{made['id']}", json={"url": "http://new.example/"})
        assert uapi.names() == before


async def test_who_leaves_others_behind_gets_a_name_of_its_own() -> None:
    """And the others keep theirs."""
    async with a_uapi() as uapi:
        made, other = await uapi.make(), await uapi.make(type=2)
        before = uapi.names()
        await uapi.client.put(f"{EVENTS}/0/{made['id']}", json={"status": 0})
        after = uapi.names()
    assert after[str(other["id"])] == before[str(other["id"])]
    assert after[str(made["id"])] not in before.values()


async def test_who_comes_to_a_url_that_others_have_joins_them() -> None:
    """One queue for one URL."""
    async with a_uapi() as uapi:
        made, other = await uapi.make(), await uapi.make(type=2, url="http://new.example/")
        await uapi.client.put(f"{EVENTS}/0/{made['id']}", json={"url": "http://new.example/"})
        names = uapi.names()
    assert names[str(made["id"])] == names[str(other["id"])]


async def test_what_a_stranger_makes_is_never_in_one_lane_with_what_is_trusted() -> None:
    """Neither has the reach of the other."""
    house = CardHouse()
    async with a_uapi(house=house) as strict, a_uapi(house=house, who="trusted") as trusted:
        await strict.make()
        await trusted.make(type=2)
        assert {one.trusted for one in strict.drawn()} == {False, True}


async def test_what_a_stranger_changes_is_no_longer_trusted() -> None:
    """So that a private address cannot be kept under another note."""
    house = CardHouse()
    async with a_uapi(house=house) as strict, a_uapi(house=house, who="trusted") as trusted:
        made = await trusted.make(url="http://10.0.0.9/")
        path = f"{EVENTS}/0/{made['id']}"
        refused = await strict.client.put(path, json={"note": "mine"})
        changed = await strict.client.put(path, json={"url": "http://crm.example.com/"})
        assert (refused.status_code, changed.status_code) == (400, 200)
        assert [card.trusted for card in strict.cards()] == [False]
