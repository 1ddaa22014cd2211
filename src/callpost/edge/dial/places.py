"""How many links stand to one host and port, and which of them rest.

Every open link has a place, over all senders of the daemon. A link that has nothing to do
gives its place to whoever needs one; what is given back goes to the tenant who has fewest.
"""

from math import inf
from types import TracebackType
from typing import Final, Protocol, Self

from callpost.edge.dial.fair import FairLimiter

# A link that has rested for so long is not worth keeping from anybody.
_STALE_S: Final = 1.0


class Closable(Protocol):
    """A link, idle since when in trio's time; None while it is in use, with no deadline then."""

    idle_since: float | None
    deadline: float

    def close(self) -> None:
        """Close it, which frees its place."""
        ...

    def set_deadline(self, when: float) -> None:
        """Close it at `when`, unless it is used again before."""
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
        if not peer.limiter.has_room_for(tenant):
            peer.make_room_for(tenant)
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
    def rests_s(self) -> float:
        """How long a link that rests may keep its place: not at all where it is wanted."""
        if not self._peer.limiter.is_wanted:
            return inf
        return 0.0 if self._peer.limiter.is_wanted_of(self._tenant) else _STALE_S

    def keep(self, link: Closable) -> None:
        """The place is `link`'s, which frees it when it closes."""
        self._link = link
        self._peer.links[link] = self._tenant

    def free(self) -> None:
        """Leave the place, once."""
        if self._is_free:
            return
        self._is_free = True
        if self._link is not None:
            self._peer.links.pop(self._link, None)
        self._peer.limiter.release(self._tenant)
        self._places.renounce(self._peer)


class _Peer:
    """A host and port; `claims` counts the links that stand and those that wait for a place."""

    __slots__ = ("address", "claims", "limiter", "links")

    def __init__(self, address: tuple[str, int], per_host: int) -> None:
        self.address = address
        self.claims = 0
        self.limiter = FairLimiter(per_host)
        # With the tenant of each.
        self.links: dict[Closable, str] = {}

    def idle(self) -> list[Closable]:
        """The links that have nothing to do, the one that did something longest ago first."""
        # Sorted when somebody asks, which is rare: a list kept in order costs every exchange.
        idle = [(link.idle_since, link) for link in self.links if link.idle_since is not None]
        return [link for _, link in sorted(idle, key=lambda pair: pair[0])]

    def make_room_for(self, tenant: str) -> None:
        """Close the link that has been idle longest, where there is one that may be taken.

        From another tenant who has no more places it is taken once it has rested for a while.
        """
        held, idle = self.limiter.held_by(tenant), self.idle()
        for link in idle:
            of_whom = self.links[link]
            if of_whom == tenant or self.limiter.held_by(of_whom) > held:
                link.close()
                return
        for link in idle:
            stale_at = (link.idle_since or 0.0) + _STALE_S
            if link.deadline > stale_at:
                # One for each who waits; those before are on their way to others.
                link.set_deadline(stale_at)
                return
