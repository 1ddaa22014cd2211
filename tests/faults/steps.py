"""Counts the steps of trio's scheduler: a life can be ended at any of them, and none is endless.

A step is what one task does between two checkpoints, so an engine can die before each.
"""

from collections.abc import Callable
from typing import Final

import trio

# A life takes some thousands; who takes so many runs in circles.
_STEPS_MAX: Final = 300_000


class Steps(trio.abc.Instrument):
    """Calls what is asked for before a step; `life` is cancelled where there is no end."""

    def __init__(self) -> None:
        self.life = trio.CancelScope()
        self._count = 0
        self._due = -1
        self._call: Callable[[], None] | None = None

    def call_after(self, steps: int, call: Callable[[], None]) -> None:
        """Call it before so many steps from now on."""
        self._due, self._call = self._count + steps, call

    def call_never(self) -> None:
        """Forget what is still to be called."""
        self._due = -1

    def before_task_step(self, task: trio.lowlevel.Task) -> None:  # noqa: ARG002 - trio's
        """See trio.abc.Instrument."""
        self._count += 1
        if self._count == self._due and self._call is not None:
            self._call()
        if self._count == _STEPS_MAX:
            self.life.cancel()
