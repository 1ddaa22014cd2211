"""Where the carriers of one courier wait for work, and whence they are sent home.

A carrier that is not needed for half a minute or more ends its task; no clock runs for each.
"""

from collections.abc import Iterator

import trio

from callpost.model.progress import Out


class Carrier:
    """One carrier: `out` is the attempt that it is on, noted and struck out by whoever makes it.

    Once it `must_end` it only finishes what it is at. It has one scope for all that it ever does:
    a scope for each attempt would cost 8 us.
    """

    __slots__ = ("is_given_up", "must_end", "out", "scope")

    def __init__(self) -> None:
        self.out: Out | None = None
        self.scope = trio.CancelScope()
        self.must_end = False
        self.is_given_up = False

    def give_up(self) -> None:
        """Take back its attempt, which does not come back by itself; the carrier then leaves."""
        self.must_end = self.is_given_up = True
        self.scope.cancel()


class Bench:
    """Knows the carriers: `busy` are those that are not on it."""

    def __init__(self) -> None:
        self._lot = trio.lowlevel.ParkingLot()
        # A dict, because it keeps its order: one seed must be one life.
        self._members: dict[Carrier, None] = {}
        # The fewest here since `send_home`, and those that are on their way home.
        self._spare = 0
        self._leaving = 0

    def __len__(self) -> int:
        """How many wait here."""
        return len(self._lot)

    @property
    def members(self) -> int:
        """How many carriers there are."""
        return len(self._members)

    @property
    def busy(self) -> int:
        """How many have something to do."""
        return len(self._members) - len(self._lot)

    def out(self) -> Iterator[Out]:
        """The attempts that are out."""
        return (one.out for one in self._members if one.out is not None)

    def give_up_overdue(self, now: float) -> None:
        """Take back every attempt that should long have come back."""
        for carrier in self._members:
            if carrier.out is not None and carrier.out.overdue_at <= now:
                carrier.give_up()

    def join(self) -> Carrier:
        """A carrier begins."""
        carrier = Carrier()
        self._members[carrier] = None
        return carrier

    def leave(self, carrier: Carrier) -> None:
        """A carrier has ended."""
        del self._members[carrier]

    def call(self, count: int = 1) -> None:
        """There is work for so many."""
        self._lot.unpark(count=count)

    def dismiss(self) -> None:
        """Let every carrier end with what it is at."""
        for carrier in self._members:
            carrier.must_end = True
        self._lot.unpark_all()

    def send_home(self) -> None:
        """Let those go that had nothing to do since this was called last."""
        spare, self._spare = min(self._spare, len(self._lot)), len(self._lot)
        self._leaving += spare
        self._lot.unpark(count=spare)

    async def wait(self) -> bool:
        """Wait for work; False where one carrier fewer would do as well."""
        await self._lot.park()
        self._spare = min(self._spare, len(self._lot))
        if self._leaving:
            self._leaving -= 1
            return False
        return True
