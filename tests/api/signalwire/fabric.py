"""SignalWire's documented example, a handler of the tests, and one request for it."""

import json
from typing import Final

import httpx

from callpost.api.signalwire.door import language
from card_house import CardHouse, a_client

ALL: Final = "/api/fabric/resources/external_swml_handlers"
WEBHOOKS: Final = "/api/fabric/resources/swml_webhooks"
# The example of developer.signalwire.com, "Create External SWML Handler".
DOCUMENTED: Final = {
    "name": "My External SWML Handler",
    "used_for": "calling",
    "primary_request_url": "https://primary.com",
    "primary_request_method": "GET",
    "fallback_request_url": "https://fallback.com",
    "fallback_request_method": "GET",
    "status_callback_url": "https://callback.com",
    "status_callback_method": "GET",
}
HANDLER: Final = {
    "name": "Front desk",
    "used_for": "calling",
    "primary_request_url": "https://signalwire:s3cret@crm.example/swml?key=1",
    "primary_request_method": "POST",
    "fallback_request_url": "https://standby.example/swml",
    "fallback_request_method": "GET",
    "status_callback_url": "https://crm.example/state",
    "status_callback_method": "POST",
}


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
    house: CardHouse,
    handler: dict[str, str] = HANDLER,
    *,
    who: str = "manager",
    username: str | None = None,
) -> str:
    """The id of a new handler."""
    answer = await asked(house, "POST", ALL, handler, who=who, username=username)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def refusal(answer: httpx.Response) -> tuple[int, object]:
    """Status and body."""
    return answer.status_code, answer.json()
