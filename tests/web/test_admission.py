"""Who is let in from the network, and how long the others wait."""

from base64 import b64encode
from collections.abc import Sequence

import pytest
import trio
from starlette.requests import Request
from trio.testing import MockClock

from callpost.model.api_door import Token, digest_of
from callpost.model.caller import Caller
from callpost.web.admission import PEERS_MAX, WAITING_MAX, Admission
from callpost.web.problem import Refusal
from callpost.web.site import Admitted
from doubles import logs_into

PORTAL = Caller(name="portal", role="manager", customers=("acme",))
ADMIN = Caller(name="admin", role="admin")
TOKENS = (
    Token(caller=PORTAL, digest=digest_of(b"portal-portal-portal")),
    Token(caller=ADMIN, digest=digest_of(b"admin-admin-admin")),
)


def a_request(*fields: str, host: str | None = "192.0.2.1") -> Request:
    """A request with these Authorization headers."""
    return Request(
        {
            "type": "http",
            "headers": [(b"authorization", field.encode("latin-1")) for field in fields],
            "client": None if host is None else (host, 4711),
        }
    )


class Desk:
    """An admission and what it tells."""

    def __init__(self, tokens: Sequence[Token] = TOKENS) -> None:
        self.tokens = tokens
        self.lines: list[dict[str, object]] = []
        self.admission = Admission(
            lambda: self.tokens, now=trio.current_time, log=logs_into(self.lines).log
        )

    async def took_s(self, *fields: str, host: str | None = "192.0.2.1") -> float:
        """How long an answer took."""
        before = trio.current_time()
        await self.admission.admit(a_request(*fields, host=host))
        return trio.current_time() - before

    async def denied(self, *fields: str) -> Refusal:
        """The refusal."""
        refusal = await self.admission.admit(a_request(*fields))
        assert isinstance(refusal, Refusal)
        return refusal


WRONG = "Bearer not-a-token-of-anybody"


@pytest.mark.parametrize(
    ("field", "admitted"),
    [
        ("Bearer portal-portal-portal", Admitted(PORTAL)),
        ("bearer admin-admin-admin", Admitted(ADMIN)),
        (
            f"Basic {b64encode(b'project-7:portal-portal-portal').decode()}",
            Admitted(PORTAL, "project-7"),
        ),
        (f"Basic {b64encode(b':admin-admin-admin').decode()}", Admitted(ADMIN)),
    ],
)
async def test_who_has_a_token_comes_in(field: str, admitted: Admitted) -> None:
    """As its caller, with the name that came along."""
    assert await Desk().admission.admit(a_request(field)) == admitted


@pytest.mark.parametrize(
    "fields",
    [
        (),
        (WRONG,),
        ("Bearer portal-portal-porta",),
        ("Bearer portal-portal-portal-",),
        ("Bearer PORTAL-PORTAL-PORTAL",),
        ("Bearer portal-portal-portal x",),
        ("Bearer \xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9\xe9",),
        ("Bearer " + "a" * 10_000,),
        ("Bearer portal-portal-portal", "Bearer portal-portal-portal"),
        ("portal-portal-portal",),
        ("Digest portal-portal-portal",),
        ("Basic portal-portal-portal",),
        (f"Basic {b64encode(b'portal-portal-portal:').decode()}",),
        (f"Basic {b64encode(b'portal-portal-portal').decode()}",),
        ("Basic \xff\xfe",),
    ],
)
async def test_everybody_else_is_told_what_is_needed(
    fields: tuple[str, ...], autojump_clock: MockClock
) -> None:
    """With 401, and a challenge for both schemes (RFC 9110, section 11.6.1)."""
    refusal = await Desk().denied(*fields)
    assert (refusal.status, dict(refusal.headers or {})) == (
        401,
        {"WWW-Authenticate": 'Bearer realm="callpost", Basic realm="callpost", charset="UTF-8"'},
    )


async def test_without_tokens_nobody_comes_in(autojump_clock: MockClock) -> None:
    """A reload may have taken them all."""
    desk = Desk()
    desk.tokens = ()
    assert (await desk.denied("Bearer portal-portal-portal")).status == 401


async def test_a_token_that_has_gone_opens_nothing(autojump_clock: MockClock) -> None:
    """From the next request on."""
    desk = Desk()
    assert isinstance(
        await desk.admission.admit(a_request("Bearer portal-portal-portal")), Admitted
    )
    desk.tokens = TOKENS[1:]
    assert (await desk.denied("Bearer portal-portal-portal")).status == 401


async def test_failed_tries_wait_longer_and_longer(autojump_clock: MockClock) -> None:
    """A second more each, up to five."""
    desk = Desk()
    assert [await desk.took_s(WRONG) for _ in range(7)] == [1, 2, 3, 4, 5, 5, 5]


async def test_a_minute_of_peace_is_forgiven(autojump_clock: MockClock) -> None:
    """The next failure is the first one again."""
    desk = Desk()
    for _ in range(5):
        await desk.took_s(WRONG)
    await trio.sleep(60)
    assert await desk.took_s(WRONG) == 1


async def test_failures_of_others_slow_nobody(autojump_clock: MockClock) -> None:
    """Each address counts for itself."""
    desk = Desk()
    for _ in range(5):
        await desk.took_s(WRONG, host="192.0.2.1")
    assert await desk.took_s(WRONG, host="192.0.2.2") == 1


async def test_another_address_of_the_same_site_is_no_other(autojump_clock: MockClock) -> None:
    """Of version 6 everybody has 2 to the power of 64."""
    desk = Desk()
    await desk.took_s(WRONG, host="2001:db8::1")
    assert await desk.took_s(WRONG, host="2001:db8::2") == 2


async def test_those_on_a_unix_socket_are_one(autojump_clock: MockClock) -> None:
    """They have no address."""
    desk = Desk()
    await desk.took_s(WRONG, host=None)
    assert await desk.took_s(WRONG, host=None) == 2


async def test_a_good_token_is_never_slowed(autojump_clock: MockClock) -> None:
    """Not even by the failures of its own address."""
    desk = Desk()
    for _ in range(5):
        await desk.took_s(WRONG)
    assert await desk.took_s("Bearer portal-portal-portal") == 0


async def test_a_request_that_offers_nothing_is_answered_at_once(
    autojump_clock: MockClock,
) -> None:
    """That is how many clients ask what is wanted; it is no try."""
    desk = Desk()
    assert [await desk.took_s() for _ in range(3)] == [0, 0, 0]
    assert await desk.took_s(WRONG) == 1


async def test_beyond_64_that_wait_nobody_waits(autojump_clock: MockClock) -> None:
    """They are told to come again later."""
    desk = Desk()
    async with trio.open_nursery() as nursery:
        for number in range(WAITING_MAX):
            request = a_request(WRONG, host=f"192.0.2.{number}")
            nursery.start_soon(desk.admission.admit, request)
        await trio.testing.wait_all_tasks_blocked()
        before = trio.current_time()
        refusal = await desk.denied(WRONG)
        assert (refusal.status, refusal.headers, trio.current_time() - before) == (
            429,
            {"Retry-After": "5"},
            0,
        )
        assert await desk.took_s("Bearer portal-portal-portal") == 0
    assert (await desk.denied(WRONG)).status == 401


async def test_who_gives_up_waiting_makes_room(autojump_clock: MockClock) -> None:
    """A connection that is cut ends its wait."""
    desk = Desk()
    async with trio.open_nursery() as nursery:
        for _ in range(WAITING_MAX):
            nursery.start_soon(desk.admission.admit, a_request(WRONG))
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert (await desk.denied(WRONG)).status == 401


async def test_a_failure_is_told_with_the_address(autojump_clock: MockClock) -> None:
    """And never with what was offered."""
    desk = Desk()
    await desk.denied(WRONG)
    [line] = desk.lines
    assert (line["event"], line["level"], line["peer"], line["reason"]) == (
        "api.denied",
        "warning",
        "192.0.2.1",
        "unknown",
    )
    assert "not-a-token" not in str(line)


async def test_the_same_failure_again_is_counted(autojump_clock: MockClock) -> None:
    """Told at its first time, then every ten seconds at most, with how many there were."""
    desk = Desk()
    for _ in range(6):
        await desk.denied(WRONG)  # after 0 1 3 6 10 15 s
    assert [line["deniedSince"] for line in desk.lines] == [0, 3]


async def test_a_request_without_a_token_is_no_warning(autojump_clock: MockClock) -> None:
    """It is told to who looks for it."""
    desk = Desk()
    await desk.denied()
    assert [(line["event"], line["level"]) for line in desk.lines] == [("api.denied", "debug")]


async def test_only_so_many_peers_are_remembered(autojump_clock: MockClock) -> None:
    """Of ten thousand and two the one that has failed longest ago is a stranger again."""
    desk = Desk()
    async with trio.open_nursery() as nursery:
        for _ in range(WAITING_MAX):
            nursery.start_soon(desk.admission.admit, a_request(WRONG, host="198.51.100.1"))
        await trio.testing.wait_all_tasks_blocked()
        hosts = [f"10.0.{number // 250}.{number % 250}" for number in range(PEERS_MAX + 1)]
        for host in hosts:
            await desk.took_s(WRONG, host=host)
    waits = [await desk.took_s(WRONG, host=host) for host in (hosts[1], hosts[0])]
    assert waits == [2, 1]
