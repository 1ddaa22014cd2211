"""Whose events a client of VoipNow's sees and makes: users, extensions, strangers."""

import pytest

from api.voipnow.uapi import EVENTS, EXAMPLE, a_uapi, refused
from card_house import CardHouse

REGISTRY = """
[[customer]]
id = "acme"
extensions = ["0003*210", "0003*500"]

[[customer]]
id = "bravo"
extensions = ["0004*210"]

[[customer]]
id = "carol"
"""
REQUIRED = '[tenancy]\ncustomers = "required"\n'


def path(user: str, extension: str = "0003*210") -> str:
    """Where the events of an extension are."""
    return f"/uapi/extensions/{user}/{extension}/phoneCallEvents"


@pytest.mark.parametrize("user", ["bravo", "nobody", "@self", "@them", "*", "0", "acme ", "%00"])
async def test_a_user_that_is_not_the_callers_is_as_one_that_nobody_is(user: str) -> None:
    """The same answer for somebody else's id and for none at all."""
    async with a_uapi(REGISTRY) as uapi:
        answers = [
            await uapi.client.get(path(user)),
            await uapi.client.post(path(user), json=EXAMPLE),
            await uapi.client.delete(path(user)),
        ]
    message = "userId: expected your id, @me, @viewer or @owner."
    for answer in answers:
        assert refused(answer) == (400, "user_invalid")
        assert answer.json()["error"]["message"] == message


@pytest.mark.parametrize("extension", ["0004*210", "9999*999", "@self", "mask:0003*", "%0A", "@me"])
async def test_an_extension_that_is_not_the_callers_is_as_one_that_nobody_has(
    extension: str,
) -> None:
    """With a registry of extensions those of the customer are all that there are."""
    async with a_uapi(REGISTRY) as uapi:
        answers = [
            await uapi.client.get(path("@me", extension)),
            await uapi.client.post(path("@me", extension), json=EXAMPLE),
        ]
        assert {(refused(answer), answer.text) for answer in answers} == {
            ((400, "extension_invalid"), answers[0].text)
        }


@pytest.mark.parametrize("extension", ["0003*210", "210", "sales"])
async def test_without_a_registry_any_extension_may_be_named(extension: str) -> None:
    """But @self, and a mask, is none."""
    async with a_uapi() as uapi:
        await uapi.make(at=path("@me", extension))
        assert len(await uapi.listed(path("acme", extension))) == 1


@pytest.mark.parametrize("extension", ["@self", "mask:0003*", "x" * 256, "credential:a", "%7F"])
async def test_what_is_no_extension_is_refused_without_a_registry_too(extension: str) -> None:
    """Also a reference to a secret of the machine."""
    async with a_uapi() as uapi:
        answer = await uapi.client.post(path("@me", extension), json=EXAMPLE)
    assert refused(answer) == (400, "extension_invalid")


async def test_a_customer_without_extensions_in_the_registry_may_name_any() -> None:
    """Nobody else's calls are told for it: events are the customer's own."""
    async with a_uapi(REGISTRY, who="admin") as uapi:
        await uapi.make(at=path("carol", "0004*210"))
        assert [one.customer for one in uapi.drawn()] == ["carol"]


async def test_events_of_another_customer_are_not_there() -> None:
    """Not in a list, not by their id, not to be changed or deleted."""
    house = CardHouse()
    async with a_uapi(house=house) as mine, a_uapi(house=house, who="other") as theirs:
        made = await mine.make()
        one = f"{EVENTS}/0/{made['id']}"
        nobodys = f"{EVENTS}/0/{'1' * 30}"
        for method in ("GET", "PUT", "DELETE"):
            found = await theirs.client.request(method, one, json={})
            none = await theirs.client.request(method, nobodys, json={})
            assert (found.status_code, found.text) == (none.status_code, none.text)
        await theirs.client.delete(EVENTS)
        assert (await theirs.listed(), await mine.listed()) == ([], [made])


async def test_an_event_is_not_there_at_another_extension() -> None:
    """Of the same customer."""
    async with a_uapi() as uapi:
        made = await uapi.make()
        answer = await uapi.client.get(f"{path('@me', '0003*211')}/0/{made['id']}")
    assert refused(answer) == (404, "pce_id_invalid")


async def test_two_customers_with_one_extension_and_url_share_nothing() -> None:
    """Neither a queue nor a name."""
    house = CardHouse()
    async with a_uapi(house=house) as mine, a_uapi(house=house, who="other") as theirs:
        await mine.make()
        await theirs.make()
        assert [one.customer for one in mine.drawn()] == ["acme", "bravo"]
        assert len({one.name for one in mine.drawn()}) == 2


@pytest.mark.parametrize(
    ("who", "username", "user", "customer"),
    [
        ("manager", None, "@me", "acme"),
        ("manager", "somebody", "@me", "acme"),
        ("reseller", "bravo", "@me", "bravo"),
        ("reseller", None, "bravo", "bravo"),
        ("admin", None, "@me", ""),
        ("admin", None, "acme", "acme"),
        ("admin", "bravo", "@viewer", "bravo"),
    ],
)
async def test_me_is_the_customer_of_the_token(
    who: str, username: str | None, user: str, customer: str
) -> None:
    """Or the user name of Basic authentication, where the token acts for that one."""
    async with a_uapi(who=who, username=username) as uapi:
        await uapi.make(at=path(user))
        assert [card.customer for card in uapi.cards()] == [customer]


async def test_a_token_of_several_customers_must_say_which() -> None:
    """Nothing is guessed."""
    async with a_uapi(who="reseller") as uapi:
        answer = await uapi.client.get(path("@me"))
    assert refused(answer) == (400, "user_invalid")


async def test_nobodys_events_cannot_be_made_where_a_customer_is_required() -> None:
    """Not even by an admin."""
    async with a_uapi(REQUIRED, who="admin") as uapi:
        answer = await uapi.client.post(path("@me"), json=EXAMPLE)
    assert refused(answer) == (400, "user_invalid")


@pytest.mark.parametrize(
    ("who", "extension", "customer"),
    [
        ("admin", "0004*210", "bravo"),
        ("admin", "0003*500", "acme"),
        ("reseller", "0004*210", "bravo"),
    ],
)
async def test_the_owner_is_who_has_the_extension(who: str, extension: str, customer: str) -> None:
    """By the registry, where the caller acts for that customer."""
    async with a_uapi(REGISTRY, who=who) as uapi:
        await uapi.make(at=path("@owner", extension))
        assert [card.customer for card in uapi.cards()] == [customer]


async def test_somebody_elses_extension_is_not_betrayed_by_its_owner() -> None:
    """For @owner it is as one that nobody has."""
    async with a_uapi(REGISTRY) as uapi:
        theirs = await uapi.client.get(path("@owner", "0004*210"))
        nobodys = await uapi.client.get(path("@owner", "9999*999"))
    assert (theirs.status_code, theirs.text) == (nobodys.status_code, nobodys.text)
