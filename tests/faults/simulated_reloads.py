"""What a reload does to a simulated life: subscriptions change, go for a while, and come back.

What is drawn here keeps to what was promised before: a changed subscription promises no less.
"""

from collections.abc import Collection
from random import Random
from typing import Final

from msgspec.structs import replace

from callpost.model.subscription import Subscription

# While a subscription is away for a moment only, its courier has not ended yet.
AWAY_S: Final = (0.0, 0.0, 0.01, 0.5, 5.0, 40.0)


def changed(one: Subscription, chance: Random, *, may_reorder: bool) -> Subscription:
    """The same subscription under other settings, or under the same."""
    match chance.randrange(4):
        case 0:
            return one
        case 1:
            return replace(one, concurrency=chance.randint(1, one.concurrency))
        case 2 if may_reorder:
            return replace(one, order=chance.choice(("call", "none", "subscription")))
        case _:
            return replace(one, note=str(chance.random()))


def some_of(names: Collection[str], chance: Random) -> frozenset[str]:
    """Who stays."""
    return frozenset(name for name in sorted(names) if chance.random() < 0.6)
