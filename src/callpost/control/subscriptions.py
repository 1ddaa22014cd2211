"""Subscriptions: their state and figures, and the operator's verbs on one of them."""

from collections.abc import Callable, Iterator

from msgspec import Struct

from callpost.control.asked import Asked
from callpost.control.fields import Nothing
from callpost.control.operation import Operation, Shown, operation
from callpost.control.ports import Operating
from callpost.model.condition import SubscriptionState
from callpost.model.trial import Trial


class Subscriptions(Struct, frozen=True):
    """All of them, in the order of the configuration."""

    subscriptions: tuple[SubscriptionState, ...]


def subscriptions(operating: Operating) -> Iterator[Operation]:
    """Look at them."""

    async def every(_: Asked[Nothing, Nothing]) -> Subscriptions:
        return Subscriptions(await operating.subscriptions())

    async def one(asked: Asked[Nothing, Nothing]) -> SubscriptionState:
        return await operating.subscription(asked.path["name"])

    yield operation(
        "GET",
        "/v1/subscriptions",
        every,
        query=Nothing,
        body=Nothing,
        returns=Subscriptions,
        shown=Shown("All subscriptions with their state and figures"),
    )
    yield operation(
        "GET",
        "/v1/subscriptions/{name}",
        one,
        query=Nothing,
        body=Nothing,
        returns=SubscriptionState,
        shown=Shown("One subscription", problems=(404,)),
    )


def verbs(operating: Operating) -> Iterator[Operation]:
    """Act on one of them."""

    async def test(asked: Asked[Nothing, Nothing]) -> Trial:
        return await operating.test(asked.path["name"])

    yield _switch("pause", operating.pause, operating, "Keep its events and send nothing")
    yield _switch("resume", operating.resume, operating, "Let it send again, whoever paused it")
    yield operation(
        "POST",
        "/v1/subscriptions/{name}/test",
        test,
        query=Nothing,
        body=Nothing,
        returns=Trial,
        shown=Shown("Send newCall and hangup of a made-up call to each door", problems=(404,)),
    )


def _switch(
    verb: str, switch: Callable[[str], None], operating: Operating, summary: str
) -> Operation:
    async def switched(asked: Asked[Nothing, Nothing]) -> SubscriptionState:
        switch(asked.path["name"])
        return await operating.subscription(asked.path["name"])

    return operation(
        "POST",
        f"/v1/subscriptions/{{name}}/{verb}",
        switched,
        query=Nothing,
        body=Nothing,
        returns=SubscriptionState,
        shown=Shown(summary, problems=(404,)),
    )
