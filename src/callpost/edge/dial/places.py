"""How many links stand to one host and port, and which of them rest.

Every open link has a place, over all senders of the daemon. A link that has nothing to do
gives its place to whoever needs one; what is given back goes to the tenant who has fewest.
"""

from types import TracebackType
from typing import Protocol, Self

from callpost.edge.dial.fair import FairLimiter


class Closable(Protocol):
    """A link, idle since when in trio's time; None while it is in use."""

    idle_since: float | None

    def close(self) -> None:
        """Close it, which frees its place."""
        ...


class Places:
    """The places of all links, at most `per_host` for each host and port."""

    def __init__(self, *, per_host: int) -> None:
        self._per_host = per_host
        self._peers: dict[tuple[str, int], _Peer] = {}

    async def take(self, host: str, port: int, tenant: str) -> "Place":
        """A place for a link; waits for one where all are taken."""
        address = (host, port)
        peer = self._peers.get(address)
        if peer is None:
            peer = self._peers[address] = _Peer(address, self._per_host)
        place = Place(self, peer, tenant)
        peer.claims += 1
        if peer.wants_room:
            peer.close_the_one_idle_longest()
        try:
            await peer.limiter.acquire(tenant)
        except BaseException:
            self.renounce(peer)
            raise
        return place

    def close_idle(self) -> None:
        """Close every link that is idle: a delivery needs what they hold."""
        for peer in list(self._peers.values()):
            for link in peer.idle():
                link.close()

    def renounce(self, peer: "_Peer") -> None:
        """One less stands at `peer` or waits for it."""
        peer.claims -= 1
        if not peer.claims:
            del self._peers[peer.address]


class Place:
    """One link's place. As a context it is free again at the end, unless it was kept."""

    __slots__ = ("_is_free", "_link", "_peer", "_places", "_tenant")

    def __init__(self, places: Places, peer: "_Peer", tenant: str) -> None:
        self._places = places
        self._peer = peer
        self._tenant = tenant
        self._link: Closable | None = None
        self._is_free = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._link is None:
            self.free()

    @property
    def is_wanted(self) -> bool:
        """Whether somebody waits for a place, so that an idle link has to go."""
        return self._peer.wants_room

    def keep(self, link: Closable) -> None:
        """The place is `link`'s, which frees it when it closes."""
        self._link = link
        self._peer.links.add(link)

    def free(self) -> None:
        """Leave the place, once."""
        if self._is_free:
            return
        self._is_free = True
        if self._link is not None:
            self._peer.links.discard(self._link)
        self._peer.limiter.release(self._tenant)
        self._places.renounce(self._peer)


class _Peer:
    """A host and port; `claims` counts the links that stand and those that wait for a place."""

    __slots__ = ("_per_host", "address", "claims", "limiter", "links")

    def __init__(self, address: tuple[str, int], per_host: int) -> None:
        self._per_host = per_host
        self.address = address
        self.claims = 0
        self.limiter = FairLimiter(per_host)
        self.links: set[Closable] = set()

    @property
    def wants_room(self) -> bool:
        """Whether somebody waits for a place."""
        return self.claims > self._per_host

    def idle(self) -> list[Closable]:
        """The links that have nothing to do, the one that did something longest ago first."""
        # Sorted when somebody asks, which is rare: a list kept in order costs every exchange.
        idle = [(link.idle_since, link) for link in self.links if link.idle_since is not None]
        return [link for _, link in sorted(idle, key=lambda pair: pair[0])]

    def close_the_one_idle_longest(self) -> None:
        """Make room, where there is an idle link at all."""
        for link in self.idle()[:1]:
            link.close()
