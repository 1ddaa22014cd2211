"""callpost's own API in front of cards in memory, and who asks there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx

from callpost.api.own.app import own
from callpost.web.openapi import CUSTOMERS_DOOR, About
from callpost.web.own import own_language
from card_house import CardHouse, a_client
from control_house import KnownHouse

Json = dict[str, Any]

ABOUT: Final = About(version="1.2.3", sentence=CUSTOMERS_DOOR, server="A door", is_open=False)
# Subscriptions of acme, of somebody else, and of nobody in particular.
FILES: Final = """
[[subscription]]
name = "crm"
customer = "acme"
url = "https://user:hidden-password@crm.example.com/calls?key=hidden-key"
headers = { "X-Key" = "hidden-header" }
proxy = "http://proxy-user:hidden-proxy@proxy.example.com:3128"

[[subscription]]
name = "bravo-crm"
customer = "bravo"
url = "https://bravo.example.com/"

[[subscription]]
name = "operators"
url = "https://noc.example.com/"

[[forward]]
customer = "acme"
number = "101"
to = ["102"]

[[forward]]
customer = "bravo"
number = "101"
to = ["103"]
"""
NEW: Final[Json] = {"url": "https://new.example.com/calls", "name": "shop"}


@asynccontextmanager
async def the_api(known: KnownHouse, who: str = "manager") -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API of this house, with the token of one of CALLERS."""
    language = own_language(
        [*own(known.cards, known.cards, known, known, known, known)], about=ABOUT
    )
    async with a_client(language, who=who) as client:
        yield client


def a_house(text: str = FILES) -> KnownHouse:
    """A house with these files."""
    return KnownHouse(cards=CardHouse(text))


async def made(client: httpx.AsyncClient, **more: object) -> Json:
    """The document of a new subscription."""
    answer = await client.post("/v1/subscriptions", json={**NEW, **more})
    assert answer.status_code == 201, answer.text
    document: Json = answer.json()
    return document


def faults(answer: httpx.Response) -> list[str]:
    """The fields at fault of a problem document."""
    told = answer.json()
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert told["status"] == answer.status_code
    return [f"{one['path']}: {one['detail']}" for one in told["errors"]]
