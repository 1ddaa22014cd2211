"""What the tests of VoipNow's door share: its example, its paths, a client at a fresh house."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from callpost.api.drawn import drawn
from callpost.api.voipnow.door import language
from callpost.model.card import Card
from callpost.model.drawn import Drawn
from card_house import CardHouse, a_client

EXTENSION = "0003*210"
EVENTS = f"/uapi/extensions/@me/{EXTENSION}/phoneCallEvents"
# The example of VoipNow's page "Create PhoneCallEvents".
EXAMPLE: dict[str, object] = {
    "type": "0",
    "method": "0",
    "note": "My phone call event is awesome",
    "url": "http://myevent.com/SaveMyPhoneCallDetails",
    "status": "1",
}


@dataclass
class Uapi:
    """A client with one token, and the house that it asks."""

    house: CardHouse
    client: httpx.AsyncClient

    async def make(self, *, at: str = EVENTS, **fields: object) -> dict[str, object]:
        """The whole of a new event, which is the example's with these fields."""
        made = await self.client.post(at, json=EXAMPLE | fields)
        assert made.status_code == 201, made.text
        whole: dict[str, object] = made.json()
        return whole

    async def listed(self, at: str = EVENTS) -> list[dict[str, object]]:
        """The events of a list."""
        answer = await self.client.get(at)
        assert answer.status_code == 200, answer.text
        entry: list[dict[str, object]] = answer.json()["entry"]
        return entry

    def cards(self) -> list[Card]:
        """Everything that was written down."""
        return list(self.house.cards("voipnow"))

    def drawn(self) -> list[Drawn]:
        """The subscriptions that they stand for."""
        return list(drawn(self.cards()))

    def names(self) -> dict[str, str]:
        """The subscription of each card, by its id."""
        return {card.id: card.subscription for card in self.cards()}


@asynccontextmanager
async def a_uapi(
    text: str = "",
    *,
    house: CardHouse | None = None,
    who: str = "manager",
    username: str | None = None,
) -> AsyncIterator[Uapi]:
    """A client with this token at a house with these files, or at a house that is there already."""
    house = house or CardHouse(text)
    async with a_client(language(house), who=who, username=username) as client:
        yield Uapi(house, client)


def refused(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of an answer that says no, in the form that all of them have."""
    error = answer.json()["error"]
    assert answer.headers["content-type"] == "application/json"
    assert set(error) == {"code", "message"}
    assert error["message"]
    return answer.status_code, error["code"]
