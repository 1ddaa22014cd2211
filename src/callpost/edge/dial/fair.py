"""A limit that many share: what becomes free goes to whoever holds least of it."""

import trio


class FairLimiter:
    """At most `total` at the same time, over all tenants.

    Of those who wait, an tenant who holds least is served next, equals by turns; and of one tenant
    who came first. So nobody who takes everything keeps others waiting for longer than until one
    is given back.
    """

    def __init__(self, total: int) -> None:
        self._free = total
        self._held: dict[str, int] = {}
        # An tenant for whom nobody waits has none; whose turn is longest ago comes first.
        self._waiting: dict[str, trio.lowlevel.ParkingLot] = {}

    async def acquire(self, tenant: str) -> None:
        """Returns once the tenant has one more; who is cancelled has not."""
        await trio.lowlevel.checkpoint()
        if self._free:
            self._free -= 1
            self._hand_to(tenant)
            return
        lot = self._waiting.setdefault(tenant, trio.lowlevel.ParkingLot())
        try:
            await lot.park()
        finally:
            # Where it was cancelled it was the last one, or another has already left it empty.
            if not lot and self._waiting.get(tenant) is lot:
                del self._waiting[tenant]

    def release(self, tenant: str) -> None:
        """The tenant gives one back."""
        self._held[tenant] -= 1
        if not self._held[tenant]:
            del self._held[tenant]
        if not self._waiting:
            self._free += 1
            return
        following = min(self._waiting, key=lambda one: self._held.get(one, 0))
        # Whoever is woken has it from now on, even if it is cancelled before it runs.
        self._hand_to(following)
        self._waiting[following].unpark()
        lot = self._waiting.pop(following)
        if lot:
            self._waiting[following] = lot

    def _hand_to(self, tenant: str) -> None:
        self._held[tenant] = self._held.get(tenant, 0) + 1
