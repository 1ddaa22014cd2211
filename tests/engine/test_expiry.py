"""Which certificates end soon, and how often that is told."""

from collections.abc import Callable
from dataclasses import dataclass, field

import trio
from msgspec.structs import replace
from trio.testing import MockClock

from callpost.engine.expiry import Expiry
from callpost.model.condition import Certificate
from callpost.model.endpoint import Endpoint, HttpEndpoint, Proxy, TcpEndpoint, Tls
from callpost.model.subscription import Subscription
from doubles import VirtualClock, logs_into
from engine_house import a_subscription, an_endpoint

DAY_S = 86_400.0


def an_https_endpoint(host: str = "crm.example", **more: object) -> HttpEndpoint:
    """An endpoint with TLS."""
    return replace(an_endpoint(), scheme="https", host=host, port=443, **more)


def subscribed(*endpoints: Endpoint) -> Subscription:
    """A subscription with these endpoints."""
    return replace(a_subscription(), endpoints=endpoints)


@dataclass
class World:
    """What peers showed and what files hold, by how many days from now it ends."""

    subscriptions: list[Subscription]
    peers: dict[tuple[str, int], float] = field(default_factory=dict)
    files: dict[str, float] = field(default_factory=dict)
    shown: tuple[str, ...] = ()
    lines: list[dict[str, object]] = field(default_factory=list)

    def expiry(self) -> Expiry:
        """What is tested."""
        clock = VirtualClock()
        began = clock.wall()

        def ends(days: float | None) -> float | None:
            return None if days is None else began + days * DAY_S

        async def of_file(path: str) -> float | None:
            await trio.lowlevel.checkpoint()
            return ends(self.files.get(path))

        return Expiry(
            subscriptions=lambda: self.subscriptions,
            seen=lambda host, port: ends(self.peers.get((host, port))),
            of_file=of_file,
            shown=lambda: self.shown,
            clock=clock,
            log=logs_into(self.lines).log,
        )


def names(certificates: tuple[Certificate, ...]) -> list[str]:
    """Whose they are."""
    return [one.name for one in certificates]


async def test_a_certificate_counts_three_weeks_before_its_end(autojump_clock: MockClock) -> None:
    """Those that have ended count, too, and the first to end stands first."""
    world = World(
        [
            subscribed(
                an_https_endpoint("late.example"),
                an_https_endpoint("soon.example"),
                an_https_endpoint("ended.example"),
            )
        ],
        {("late.example", 443): 21.1, ("soon.example", 443): 20.9, ("ended.example", 443): -1},
    )
    assert names(world.expiry().soon()) == ["https://ended.example:443", "https://soon.example:443"]


async def test_whoever_shakes_hands_counts(autojump_clock: MockClock) -> None:
    """TLS over HTTP, TCP and to a proxy; and what goes without TLS has no certificate."""
    proxy = Proxy(scheme="https", host="proxy.example", port=3128)
    tcp = TcpEndpoint(place="fallback-1", host="tcp.example", port=9, method="POSTJSON", level=2)
    world = World(
        [
            subscribed(
                replace(an_endpoint(), host="plain.example", port=80, proxy=proxy),
                replace(tcp, tls=Tls()),
                replace(tcp, port=10),
            )
        ],
        {("plain.example", 80): 1.0, ("proxy.example", 3128): 2.0, ("tcp.example", 9): 3.0}
        | {("tcp.example", 10): 4.0},
    )
    assert names(world.expiry().soon()) == ["https://proxy.example:3128", "tcp://tcp.example:9"]


async def test_callbacks_and_reports_count(autojump_clock: MockClock) -> None:
    """They are endpoints like the others."""
    callback, report = an_https_endpoint("callback.example"), an_https_endpoint("report.example")
    world = World(
        [replace(subscribed(an_endpoint()), callback=callback, report=report)],
        {("callback.example", 443): 1, ("report.example", 443): 2},
    )
    assert names(world.expiry().soon()) == [
        "https://callback.example:443",
        "https://report.example:443",
    ]


async def test_our_own_certificate_is_named_by_its_file(autojump_clock: MockClock) -> None:
    """It is read when somebody looks."""
    endpoint = an_https_endpoint(tls=Tls(client_cert="/etc/callpost/client.pem"))
    world = World([subscribed(endpoint)], files={"/etc/callpost/client.pem": 3})
    expiry = world.expiry()
    await expiry.look()
    assert names(expiry.soon()) == ["/etc/callpost/client.pem"]


async def test_what_our_own_door_shows_counts(autojump_clock: MockClock) -> None:
    """The clients of the API would be the first to notice else."""
    world = World([], files={"/etc/callpost/api.pem": 3}, shown=("/etc/callpost/api.pem",))
    expiry = world.expiry()
    await expiry.look()
    assert names(expiry.soon()) == ["/etc/callpost/api.pem"]


async def test_a_peer_of_yesterday_is_forgotten(autojump_clock: MockClock) -> None:
    """The configuration in force says who counts."""
    world = World([subscribed(an_https_endpoint())], {("crm.example", 443): 1})
    expiry = world.expiry()
    world.subscriptions.clear()
    assert expiry.known() == []


async def watched(world: World, for_s: float, *, then: Callable[[], None] = lambda: None) -> None:
    """Watch for so long; halfway through `then` happens."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.expiry().watch)
        await trio.sleep(for_s / 2)
        then()
        await trio.sleep(for_s / 2)
        nursery.cancel_scope.cancel()


async def test_a_certificate_is_told_once_a_day(autojump_clock: MockClock) -> None:
    """At warning, with the day on which it ends."""
    world = World([subscribed(an_https_endpoint())], {("crm.example", 443): 5.5})
    await watched(world, 3 * DAY_S - 60)
    told = [(line["level"], line["certificate"], line["daysLeft"]) for line in world.lines]
    assert told == [
        ("warning", "https://crm.example:443", 5),
        ("warning", "https://crm.example:443", 4),
        ("warning", "https://crm.example:443", 3),
    ]


async def test_a_certificate_that_was_renewed_is_told_no_more(autojump_clock: MockClock) -> None:
    """The next handshake shows the new one."""
    world = World([subscribed(an_https_endpoint())], {("crm.example", 443): 5.5})
    await watched(world, 3.9 * DAY_S, then=lambda: world.peers.update({("crm.example", 443): 90}))
    assert len(world.lines) == 2
