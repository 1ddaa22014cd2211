"""How many links stand to one host and port, and which of them rest.

Every open link has a place, over all senders of the daemon. A link that has nothing to do
gives its place to whoever needs one, and goes by itself when it has rested for `keepalive_s`.
"""

from types import TracebackType
from typing import Protocol, Self

import trio


class Closable(Protocol):
    """A link that rests."""

    def close(self) -> None:
        """Close it, which frees its place."""
        ...


class Places:
    """The places of all links, at most `per_host` for each host and port."""

    def __init__(self, *, per_host: int, keepalive_s: float) -> None:
        self._per_host = per_host
        self._keepalive_s = keepalive_s
        self._peers: dict[tuple[str, int], _Peer] = {}
        # Since when they rest. What comes to rest goes to the end: the first is the oldest.
        self._resting: dict[Closable, float] = {}
        self._bell = trio.Event()

    async def take(self, host: str, port: int) -> "Place":
        """A place for a link; waits for one, first come first served, where all are taken."""
        address = (host, port)
        peer = self._peers.get(address)
        if peer is None:
            peer = self._peers[address] = _Peer(address, self._per_host)
        place = Place(self, peer)
        peer.claims += 1
        if peer.wants_room and peer.lent:
            next(iter(peer.lent)).close()
        try:
            await peer.limiter.acquire_on_behalf_of(place)
        except BaseException:
            self.renounce(peer)
            raise
        return place

    async def sweep(self) -> None:
        """Close what has rested for `keepalive_s`, for ever."""
        while True:
            self._bell = trio.Event()
            oldest = next(iter(self._resting.items()), None)
            if oldest is None:
                await self._bell.wait()
            elif (ends_at := oldest[1] + self._keepalive_s) > trio.current_time():
                await trio.sleep_until(ends_at)
            else:
                oldest[0].close()
                await trio.lowlevel.checkpoint()  # a thousand of them do not hold the loop

    def close_resting(self) -> None:
        """Close every link that rests: a delivery needs what they hold."""
        for link in list(self._resting):
            link.close()

    def rests(self, link: Closable, now: float) -> None:
        """`link` is to be closed when it has rested for `keepalive_s`."""
        if not self._resting:
            self._bell.set()
        self._resting[link] = now

    def wakes(self, link: Closable, now: float) -> bool:
        """`link` rests no more; False where it has rested too long to be of use."""
        since = self._resting.pop(link, None)
        return since is None or now < since + self._keepalive_s

    def renounce(self, peer: "_Peer") -> None:
        """One less stands at `peer` or waits for it."""
        peer.claims -= 1
        if not peer.claims:
            del self._peers[peer.address]


class Place:
    """One link's place. As a context it is free again at the end, unless it was kept."""

    __slots__ = ("_is_free", "_is_kept", "_peer", "_places")

    def __init__(self, places: Places, peer: "_Peer") -> None:
        self._places = places
        self._peer = peer
        self._is_kept = False
        self._is_free = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._is_kept:
            self.free()

    def kept(self) -> "Place":
        """The place for a link, which frees it when it closes."""
        self._is_kept = True
        return self

    def lend(self, link: Closable) -> None:
        """`link` has nothing to do: whoever needs its place may close it."""
        if self._peer.wants_room:
            link.close()
        else:
            self._peer.lent[link] = True

    def rest(self, link: Closable, now: float) -> None:
        """Like `lend`, and it is closed by itself when it has rested for `keepalive_s`."""
        if self._peer.wants_room:
            link.close()
        else:
            self._peer.lent[link] = True
            self._places.rests(link, now)

    def wake(self, link: Closable, now: float) -> bool:
        """`link` is in use again; False where it was closed meanwhile or has rested too long."""
        was_lent = self._peer.lent.pop(link, False)
        return self._places.wakes(link, now) and was_lent

    def free(self, link: Closable | None = None) -> None:
        """Leave the place, once; `link` is the one that had it."""
        if self._is_free:
            return
        self._is_free = True
        if link is not None:
            self._peer.lent.pop(link, None)
            self._places.wakes(link, 0.0)
        self._peer.limiter.release_on_behalf_of(self)
        self._places.renounce(self._peer)


class _Peer:
    """A host and port.

    `claims` counts the links that stand and those that wait for a place, `lent` holds those
    that have nothing to do, the one that did something longest ago first.
    """

    __slots__ = ("_per_host", "address", "claims", "lent", "limiter")

    def __init__(self, address: tuple[str, int], per_host: int) -> None:
        self._per_host = per_host
        self.address = address
        self.claims = 0
        self.limiter = trio.CapacityLimiter(per_host)
        self.lent: dict[Closable, bool] = {}

    @property
    def wants_room(self) -> bool:
        """Whether somebody waits for a place."""
        return self.claims > self._per_host
