"""Pause, resume and try out: what moves a subscription's deliveries and changes nothing of it.

So they are allowed for every subscription that the caller sees, wherever it is from.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from callpost.api.own.catalogue import Catalogue
from callpost.api.own.examples import STATE, TRIAL
from callpost.api.own.subscriptions import served
from callpost.api.ports import Operating
from callpost.model.condition import SubscriptionState
from callpost.model.trial import Trial
from callpost.web.asked import Asked
from callpost.web.fields import Nothing
from callpost.web.operation import Operation, Shown, operation
from callpost.web.problem import Refusal

# Of one caller. Each holds a connection for as long as all time-outs of all its doors, which can
# be hours, and the door has so many connections for everybody.
TESTS_AT_ONCE: Final = 4


def verbs(catalogue: Catalogue, operating: Operating) -> Iterator[Operation]:
    """Three of them."""
    testing: Counter[str] = Counter()

    async def test(asked: Asked[Nothing, Nothing]) -> Trial:
        name, who = await served(catalogue, asked), asked.caller.name
        if testing[who] >= TESTS_AT_ONCE:
            sentence = f"There are {TESTS_AT_ONCE} tests of this token already; wait for one."
            raise Refusal(429, sentence, headers={"Retry-After": "5"})
        testing[who] += 1
        try:
            return await operating.test(name)
        finally:
            testing[who] -= 1

    pause, resume = operating.pause, operating.resume
    yield _switch("pause", pause, catalogue, operating, "Keep its events and send nothing")
    yield _switch("resume", resume, catalogue, operating, "Send again, whoever paused it")
    yield operation(
        "POST",
        "/v1/subscriptions/{name}/test",
        test,
        query=Nothing,
        body=Nothing,
        returns=Trial,
        shown=Shown(
            "Send newCall and hangup of a made-up call", answer=TRIAL, problems=(404, 409, 429)
        ),
    )


def _switch(
    verb: str,
    switch: Callable[[str], None],
    catalogue: Catalogue,
    operating: Operating,
    summary: str,
) -> Operation:
    async def switched(asked: Asked[Nothing, Nothing]) -> SubscriptionState:
        name = await served(catalogue, asked)
        switch(name)
        return await operating.subscription(name)

    return operation(
        "POST",
        f"/v1/subscriptions/{{name}}/{verb}",
        switched,
        query=Nothing,
        body=Nothing,
        returns=SubscriptionState,
        shown=Shown(summary, answer=STATE, problems=(404, 409)),
    )
