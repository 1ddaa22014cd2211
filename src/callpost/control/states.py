"""How each subscription stands, with its figures: all of them for the operator's screens."""

from collections.abc import Iterator

from msgspec import Struct

from callpost.control.ports import Operating
from callpost.model.condition import SubscriptionState
from callpost.web.asked import Asked
from callpost.web.examples import STATE
from callpost.web.fields import Nothing
from callpost.web.operation import Operation, Shown, operation


class States(Struct, frozen=True):
    """All of them, in the order of the configuration."""

    subscriptions: tuple[SubscriptionState, ...]


def states(operating: Operating) -> Iterator[Operation]:
    """Look at them."""

    async def every(_: Asked[Nothing, Nothing]) -> States:
        return States(await operating.subscriptions())

    yield operation(
        "GET",
        "/v1/states",
        every,
        query=Nothing,
        body=Nothing,
        returns=States,
        shown=Shown(
            "All subscriptions with their state and figures",
            answer={"subscriptions": [STATE]},
        ),
    )
