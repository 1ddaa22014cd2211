"""What the tests of PortSIP's door share: an action URL, its paths, one request to a house."""

import json
from typing import Final

import httpx

from callpost.api.portsip.door import language
from card_house import CardHouse, a_client

ALL: Final = "/api/ivrs/8000/action_urls"
ANOTHERS: Final = "/api/ivrs/9000/action_urls"
# Each customer with a receptionist of its own.
REGISTRY: Final = """
[[customer]]
id = "acme"
ivrs = ["8000", "8001"]
[[customer]]
id = "bravo"
ivrs = ["9000"]
"""
MASK: Final = "********"
# Every field that PortSIP's documentation has; the type, GET, DISABLE and 2 are what it shows.
ORDERS: Final[dict[str, object]] = {
    "name": "order status",
    "enabled": True,
    "type": "DTMF",
    "caller_mask": "+45*",
    "dtmf_mask": "1000;2000;3000-4000",
    "method": "GET",
    "headers": "",
    "connection_timeout": 2,
    "request_timeout": 2,
    "auth": "DISABLE",
    "username": "",
    "password": "",
    "token": "",
    "url": "https://orders.example.com/ivr?menu=main",
}
SECRET: Final[dict[str, object]] = ORDERS | {
    "method": "POST",
    "headers": "X-Api-Key: k3y\nContent-Type: text/json\nX-Empty:",
    "auth": "BASIC",
    "username": "menu",
    "password": "s3cret",
    "token": "t0ken",
}


def a_house(text: str = REGISTRY) -> CardHouse:
    """Where the two customers are registered."""
    return CardHouse(text)


async def asked(
    house: CardHouse,
    method: str,
    path: str,
    body: object = None,
    *,
    who: str = "manager",
    username: str | None = None,
    content: bytes | None = None,
    sent_as: str = "application/json",
) -> httpx.Response:
    """The answer to one request."""
    async with a_client(language(house), who=who, username=username) as client:
        if content is None and body is not None:
            content = json.dumps(body).encode()
        headers = {"content-type": sent_as} if content is not None else {}
        return await client.request(method, path, content=content, headers=headers)


async def made(
    house: CardHouse, item: dict[str, object] = ORDERS, *, at: str = ALL, who: str = "manager"
) -> str:
    """The path of a new action URL."""
    answer = await asked(house, "POST", at, item, who=who)
    assert answer.status_code == 201, answer.text
    return f"{at}/{answer.json()['id']}"


def no(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of an answer that says no, in the form that all of them have."""
    assert answer.headers["content-type"] == "application/json"
    assert answer.json().keys() == {"errors"}
    [error] = answer.json()["errors"]
    assert set(error) <= {"code", "message", "detail"}
    assert error["message"]
    return answer.status_code, error["code"]


def faults(answer: httpx.Response) -> list[tuple[str, str]]:
    """The fields that are at fault, and why."""
    assert answer.status_code == 400, answer.text
    errors = answer.json()["errors"]
    assert {error["code"] for error in errors} == {"VALIDATE_FAILED"}
    assert {error["message"] for error in errors} == {"field validation failed"}
    return [(error["detail"]["field"], error["detail"]["reason"]) for error in errors]


def table_of(house: CardHouse) -> dict[str, object]:
    """What the only action URL stands for."""
    [drawn] = house.registered.drawn
    return drawn.table
