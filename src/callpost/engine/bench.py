"""Where the carriers of one courier wait for work, and whence they are sent home.

A carrier that is not needed for half a minute or more ends its task; no clock runs for each.
"""

import trio


class Bench:
    """Counts the carriers: `busy` are those that are not on it."""

    def __init__(self) -> None:
        self._lot = trio.lowlevel.ParkingLot()
        self._members = 0
        # The fewest here since `send_home`, and those that are on their way home.
        self._spare = 0
        self._leaving = 0

    def __len__(self) -> int:
        """How many wait here."""
        return len(self._lot)

    @property
    def members(self) -> int:
        """How many carriers there are."""
        return self._members

    @property
    def busy(self) -> int:
        """How many have something to do."""
        return self._members - len(self._lot)

    def join(self) -> None:
        """A carrier begins."""
        self._members += 1

    def leave(self) -> None:
        """A carrier has ended."""
        self._members -= 1

    def call(self, count: int = 1) -> None:
        """There is work for so many."""
        self._lot.unpark(count=count)

    def call_all(self) -> None:
        """Let nobody wait any longer."""
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
