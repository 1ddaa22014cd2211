"""A limit that many share: what becomes free goes to whoever holds least of it."""

from collections import OrderedDict
from typing import Final

import trio

# Who gave up waiting comes again a second later; it is looked for until then, and a little longer.
_EXPECTED_S: Final = 2.0


class FairLimiter:
    """At most `total` at the same time, over all tenants.

    Of those who wait, a tenant who holds least is served next, equals by turns; and of one tenant
    who came first. The last one that is free is kept for who gave up waiting and has none, until
    it should have come again. So nobody who takes everything keeps others waiting for longer than
    until one is given back.
    """

    def __init__(self, total: int) -> None:
        self._free = total
        self._held: dict[str, int] = {}
        self._waiting: dict[str, trio.lowlevel.ParkingLot] = {}
        # The tenants who wait, by how much they hold; whose turn is longest ago comes first.
        self._ranks: dict[int, OrderedDict[str, None]] = {}
        # Who gave up waiting and has none: until when it is expected, the first to end first.
        self._expected: OrderedDict[str, float] = OrderedDict()

    async def acquire(self, tenant: str) -> None:
        """Returns once the tenant has one more; who is cancelled has not."""
        await trio.lowlevel.checkpoint_if_cancelled()
        if not self._goes_first(tenant):
            # Nobody was told when the time of who was expected ended.
            self._serve()
        if self.has_room_for(tenant):
            # Without a step in between: two who saw the same one free would both count on it.
            self._hand_to(tenant)
            await trio.lowlevel.cancel_shielded_checkpoint()
            return
        if tenant not in self._waiting:
            self._waiting[tenant] = trio.lowlevel.ParkingLot()
            self._line_up(tenant)
        try:
            await self._waiting[tenant].park()
        except trio.Cancelled:
            self._expect(tenant)
            raise

    def release(self, tenant: str) -> None:
        """The tenant gives one back."""
        self._free += 1
        self._hold(tenant, -1)
        self._serve()

    def has_room_for(self, tenant: str) -> bool:
        """Whether the tenant may have one more at once."""
        if self._free == 1 and self.held_by(tenant):
            return not self._is_somebody_expected()
        return self._free > 0

    def held_by(self, tenant: str) -> int:
        """How much the tenant has."""
        return self._held.get(tenant, 0)

    @property
    def is_wanted(self) -> bool:
        """Whether somebody waits."""
        return self._following() is not None

    def is_wanted_of(self, tenant: str) -> bool:
        """Whether somebody waits who holds less than this tenant, or it waits itself."""
        following = self._following()
        if following is None:
            return False
        return bool(self._waiting.get(tenant)) or self.held_by(following) < self.held_by(tenant)

    def _goes_first(self, tenant: str) -> bool:
        following = self._following()
        return following is None or self.held_by(tenant) < self.held_by(following)

    def _serve(self) -> None:
        while (following := self._following()) is not None and self.has_room_for(following):
            # Whoever is woken has it from now on, even if it is cancelled before it runs.
            self._hand_to(following)
            self._waiting[following].unpark()

    def _following(self) -> str | None:
        """Whose turn it is, None where nobody waits."""
        while self._ranks:
            tenant = next(iter(self._ranks[min(self._ranks)]))
            if self._waiting[tenant]:
                return tenant
            # All have been served, or cancelled: a lot is left before its task can say so.
            self._leave(tenant)
            del self._waiting[tenant]
        return None

    def _expect(self, tenant: str) -> None:
        # It also forgets whoever did not come.
        self._is_somebody_expected()
        if not self.held_by(tenant):
            self._expected[tenant] = trio.current_time() + _EXPECTED_S
            self._expected.move_to_end(tenant)

    def _is_somebody_expected(self) -> bool:
        while self._expected:
            if next(iter(self._expected.values())) > trio.current_time():
                return True
            self._expected.popitem(last=False)
        return False

    def _hand_to(self, tenant: str) -> None:
        self._free -= 1
        self._hold(tenant, 1)
        self._expected.pop(tenant, None)

    def _hold(self, tenant: str, more: int) -> None:
        waits = tenant in self._waiting
        if waits:
            self._leave(tenant)
        held = self._held.pop(tenant, 0) + more
        if held:
            self._held[tenant] = held
        if waits:
            self._line_up(tenant)

    def _line_up(self, tenant: str) -> None:
        self._ranks.setdefault(self.held_by(tenant), OrderedDict())[tenant] = None

    def _leave(self, tenant: str) -> None:
        held = self.held_by(tenant)
        rank = self._ranks[held]
        del rank[tenant]
        if not rank:
            del self._ranks[held]
