"""Whose a handler of SignalWire's is: that of the project, and nobody else's."""

import pytest

from api.signalwire.fabric import ALL, HANDLER, asked, made, refusal
from card_house import CardHouse

TWO_CUSTOMERS = '[[customer]]\nid = "acme"\n[[customer]]\nid = "bravo"\n'
REQUIRED = f'[tenancy]\ncustomers = "required"\n{TWO_CUSTOMERS}'
NOBODYS = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
# Each operation on the things of others, as it is answered where nobody has them.
TOUCHING = [
    ("GET", "", None),
    ("GET", "/addresses", None),
    ("PUT", "", {"name": "x"}),
    ("PATCH", "", {"name": 7}),
    ("DELETE", "", None),
]


@pytest.mark.parametrize(("method", "beneath", "body"), TOUCHING)
async def test_a_handler_of_another_project_is_none(
    method: str, beneath: str, body: object
) -> None:
    """The same answer as for one that nobody has."""
    house = CardHouse()
    identity = await made(house)
    answers = [
        await asked(house, method, f"{ALL}/{one}{beneath}", body, who="other")
        for one in (identity, NOBODYS)
    ]
    assert [refusal(one) for one in answers] == [(404, "Not Found")] * 2
    assert (await asked(house, "GET", f"{ALL}/{identity}")).json() == {"id": identity, **HANDLER}


async def test_a_list_has_nothing_of_others() -> None:
    """Nor does its length tell of them."""
    house = CardHouse()
    await made(house)
    assert (await asked(house, "GET", ALL, who="other")).content == b'{"data":[],"links":{}}'


@pytest.mark.parametrize(
    ("who", "username", "text", "project"),
    [
        ("reseller", "bravo", "", "bravo"),
        ("reseller", "bravo", TWO_CUSTOMERS, "bravo"),
        ("manager", "9915cf8-project", "", "acme"),
        ("manager", "bravo", TWO_CUSTOMERS, "acme"),
        ("admin", "bravo", TWO_CUSTOMERS, "bravo"),
        ("admin", "nobody", TWO_CUSTOMERS, ""),
        ("admin", None, "", ""),
    ],
)
async def test_the_project_is_a_customer(
    who: str, username: str | None, text: str, project: str
) -> None:
    """The user name, where the token acts for such a customer, else the token's own."""
    house = CardHouse(text)
    await made(house, who=who, username=username)
    [card] = house.cards("signalwire")
    assert card.customer == project


@pytest.mark.parametrize(
    ("who", "username", "text"),
    [
        ("reseller", None, ""),
        ("reseller", "nobody", TWO_CUSTOMERS),
        ("admin", None, REQUIRED),
        ("admin", "nobody", REQUIRED),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_token_that_leaves_the_project_open_is_told(
    method: str, who: str, username: str | None, text: str
) -> None:
    """What to send, in one sentence."""
    body = HANDLER if method == "POST" else None
    answer = await asked(CardHouse(text), method, ALL, body, who=who, username=username)
    assert (answer.status_code, "user name of Basic" in answer.json()) == (400, True)


async def test_a_strict_caller_makes_a_handler_strict() -> None:
    """Who changes it answers for it; an address that is closed to strangers is refused then."""
    house = CardHouse()
    identity = await made(
        house, HANDLER | {"primary_request_url": "http://10.0.0.7:8080/"}, who="trusted"
    )
    answer = await asked(house, "PUT", f"{ALL}/{identity}", {"name": "x"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["attribute"] == "primary_request_url"
    assert house.cards("signalwire")[0].trusted
