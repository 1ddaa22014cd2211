"""How many deliveries are pending for each subscription, known without asking the disk.

Changes count only when the transaction that holds them has been committed.
"""

from collections import defaultdict
from collections.abc import Mapping


class Tally:
    """Starts from what was counted on disk."""

    def __init__(self, pending: Mapping[int, int]) -> None:
        self._pending = defaultdict(int, pending)
        self._changes: defaultdict[int, int] = defaultdict(int)

    def of(self, subscription: int) -> int:
        """Return the pending deliveries of one subscription."""
        return self._pending.get(subscription, 0)

    def total(self) -> int:
        """Return the pending deliveries of all of them."""
        return sum(self._pending.values())

    def add(self, subscription: int, count: int) -> None:
        """Note what the open transaction adds, or takes where `count` is negative."""
        self._changes[subscription] += count

    def keep(self) -> None:
        """The transaction has been committed."""
        for subscription, count in self._changes.items():
            self._pending[subscription] += count
        self._changes.clear()

    def forget(self) -> None:
        """The transaction has been rolled back."""
        self._changes.clear()
