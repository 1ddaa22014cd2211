"""Erases personal data for an operator, and lets the couriers go on with what is left.

An attempt that is on its way cannot be called back; nothing else of what is purged is sent.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

from callpost.engine.ports import Clock
from callpost.model.purge import Criteria, Purged


class Erasing(Protocol):
    """What is kept, and can be made to forget."""

    async def purge(
        self,
        criteria: Criteria,
        *,
        country: str,
        now: float,
        recall: Callable[[Iterable[int]], None],
        dry_run: bool,
    ) -> Purged:
        """Remove what is meant, or count it; `recall` hears who has lost pending deliveries."""
        ...


class Eraser:
    """See control.ports.Purging; numbers are read as those of `country`."""

    def __init__(
        self,
        erasing: Erasing,
        *,
        recall: Callable[[Iterable[int]], None],
        country: Callable[[], str],
        clock: Clock,
    ) -> None:
        self._erasing = erasing
        self._recall = recall
        self._country = country
        self._clock = clock

    async def purge(self, criteria: Criteria, *, dry_run: bool) -> Purged:
        """Remove what meets all of the criteria, or say how much there is."""
        return await self._erasing.purge(
            criteria,
            country=self._country(),
            now=self._clock.steady(),
            recall=self._recall,
            dry_run=dry_run,
        )
