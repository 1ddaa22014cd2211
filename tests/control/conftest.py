"""The door on a socket, and whoever asks at it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from control_house import OpenDoor, an_open_door

Ask = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[OpenDoor]:
    """An open door."""
    async with an_open_door(tmp_path) as opened:
        yield opened


@pytest.fixture
async def ask(door: OpenDoor) -> AsyncIterator[Ask]:
    """Ask at the door: `ask("GET", "/v1/status")`, with httpx's own arguments."""
    transport = httpx.AsyncHTTPTransport(uds=str(door.path))
    async with httpx.AsyncClient(transport=transport, base_url="http://callpost") as client:
        yield client.request
