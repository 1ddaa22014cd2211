"""A link's deadline: no wait outlasts it, in whatever it waits for."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import trio
import trustme

from callpost.edge.dial import Dialer, Link

Serve = Callable[..., Awaitable[int]]


@pytest.fixture(autouse=True)
async def bounded() -> AsyncIterator[None]:
    """Nothing here takes long."""
    with trio.fail_after(2):
        yield


async def _silent(stream: trio.abc.Stream) -> None:
    """Read nothing, say nothing."""
    if isinstance(stream, trio.SSLStream):
        await stream.do_handshake()
    await trio.sleep_forever()


@pytest.fixture(params=["plain", "tls"])
async def link(
    request: pytest.FixtureRequest,
    serve: Serve,
    dialer: Dialer,
    authority: trustme.CA,
    server_context: ssl.SSLContext,
) -> AsyncIterator[Link]:
    """A link to a peer that is silent and deaf."""
    context = None
    if request.param == "tls":
        context = ssl.create_default_context()
        authority.configure_trust(context)
    port = await serve(_silent, tls=server_context if context else None)
    connected = await dialer.connect("localhost", port, tls=context, connect_timeout_s=1)
    assert isinstance(connected, Link)
    yield connected
    connected.close()


async def _seconds_until_late(link: Link) -> float:
    began = trio.current_time()
    with pytest.raises(TimeoutError):
        await link.receive_some(10)
    return trio.current_time() - began


async def test_waiting_for_bytes_ends_at_the_deadline(link: Link) -> None:
    """Neither before it nor long after."""
    link.set_deadline(trio.current_time() + 0.1)
    assert 0.09 < await _seconds_until_late(link) < 0.5


async def test_waiting_for_room_ends_at_the_deadline(link: Link) -> None:
    """The kernel's buffers are full and nobody reads."""
    link.set_deadline(trio.current_time() + 0.1)
    with pytest.raises(TimeoutError):
        await link.send_all(b"x" * 20_000_000)


async def test_a_deadline_may_be_moved_while_it_runs(link: Link) -> None:
    """From the first byte's to the whole answer's, for one."""
    link.set_deadline(trio.current_time() + 0.1)
    link.set_deadline(trio.current_time() + 0.3)
    assert 0.29 < await _seconds_until_late(link) < 0.6


async def test_a_deadline_that_passed_between_two_waits_ends_the_next(link: Link) -> None:
    """Whoever was busy learns of it as soon as it waits."""
    link.set_deadline(trio.current_time() + 0.02)
    await trio.sleep(0.05)
    assert await _seconds_until_late(link) < 0.05


async def test_a_link_that_expired_stays_so(link: Link) -> None:
    """Nobody knows where in an answer it stands."""
    link.set_deadline(trio.current_time() + 0.02)
    await _seconds_until_late(link)
    link.set_deadline(trio.current_time() + 1)
    assert await _seconds_until_late(link) < 0.05


async def test_a_link_that_expired_does_not_come_to_rest(link: Link) -> None:
    """It is closed instead."""
    link.set_deadline(trio.current_time() + 0.02)
    await _seconds_until_late(link)
    link.rest(trio.current_time())
    assert not link.wake(trio.current_time())


async def test_the_deadline_of_a_rest_does_not_end_what_comes_after_it(link: Link) -> None:
    """A link that is used again has no deadline until it is given one."""
    link.rest(trio.current_time())
    link.wake(trio.current_time())
    assert link.deadline == float("inf")


async def test_a_cancelled_wait_is_cancelled_and_not_late(link: Link) -> None:
    """A stop is no time-out of the peer's."""
    link.set_deadline(trio.current_time() + 1)
    with trio.move_on_after(0.02) as scope:
        await link.receive_some(10)
    assert (scope.cancelled_caught, link.expired) == (True, False)
