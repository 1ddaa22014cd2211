"""How each subscription stands, with its figures: all of them for the operator's screens."""

from collections.abc import Iterator

from msgspec import Struct

from callpost.control.ports import Operating, Roster
from callpost.model.condition import SubscriptionState, Unserved
from callpost.web.asked import Asked
from callpost.web.examples import STATE, UNSERVED
from callpost.web.fields import Nothing
from callpost.web.operation import Operation, Shown, operation


class States(Struct, frozen=True):
    """All of them, in the order of the configuration; those that get nothing by themselves."""

    subscriptions: tuple[SubscriptionState, ...]
    unserved: tuple[Unserved, ...]


def states(operating: Operating, roster: Roster) -> Iterator[Operation]:
    """Look at them."""

    async def every(_: Asked[Nothing, Nothing]) -> States:
        served = await operating.subscriptions()
        # What has been asked for may not be in force yet.
        names = {one.name for one in served}
        return States(served, tuple(one for one in roster.unserved() if one.name not in names))

    yield operation(
        "GET",
        "/v1/states",
        every,
        query=Nothing,
        body=Nothing,
        returns=States,
        shown=Shown(
            "All subscriptions with their state and figures, and those that get nothing",
            answer={"subscriptions": [STATE], "unserved": [UNSERVED]},
        ),
    )
