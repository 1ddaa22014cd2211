"""How long the door waits, in virtual time: for a body that does not come, on a stream."""

from typing import Any

import trio
from trio.testing import MockClock

from callpost.control.app import Premises
from callpost.engine.live import Live
from callpost.engine.witnesses import Witnesses
from control_house import KnownHouse, Uncounted, a_site


async def told(method: str, path: str, *, within_s: float) -> list[dict[str, Any]]:
    """What is sent in answer to a request whose body does not come."""
    known, sent = KnownHouse(), list[dict[str, Any]]()
    premises = Premises(
        operating=known,
        roster=known,
        purging=known,
        settings=known,
        metrics=known,
        live=Live(Witnesses(Uncounted())),
    )
    app = a_site(premises, known)
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": []}

    async def send(message: Any) -> None:  # noqa: ANN401 - ASGI's
        sent.append(dict(message))

    with trio.move_on_after(within_s):
        await app(scope, trio.sleep_forever, send)
    return sent


async def test_a_body_that_does_not_come_is_waited_for_ten_seconds(
    autojump_clock: MockClock,
) -> None:
    """Then its sender is told so."""
    assert await told("POST", "/v1/replay", within_s=9.9) == []
    assert (await told("POST", "/v1/replay", within_s=10.1))[0]["status"] == 408


async def test_a_stream_without_attempts_says_that_it_is_there(autojump_clock: MockClock) -> None:
    """Every fifteen seconds, with a comment that no reader takes for an event."""
    _, *sent = await told("GET", "/v1/attempts", within_s=31.0)
    assert [message["body"] for message in sent] == [
        b": listening\n\n",
        b": still here\n\n",
        b": still here\n\n",
    ]
