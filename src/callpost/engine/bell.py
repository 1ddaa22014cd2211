"""The bell of one courier: it carries nothing, it only says that there may be something."""

from typing import Final

import trio

_FOR_EVER: Final = float("inf")


class Bell:
    """Rung by anyone, heard by one; rings while nobody listens are kept as one."""

    def __init__(self) -> None:
        self._event = trio.Event()

    def ring(self) -> None:
        """There may be something to do."""
        self._event.set()

    def still(self) -> None:
        """What was rung for so far is being looked at."""
        if self._event.is_set():
            self._event = trio.Event()

    async def heard(self, *, within_s: float) -> None:
        """Wait for a ring since the last `still`, or for the time to pass."""
        if within_s == _FOR_EVER:
            # The usual case, and a deadline that never comes costs 9 us.
            await self._event.wait()
            return
        with trio.move_on_after(within_s):
            await self._event.wait()
