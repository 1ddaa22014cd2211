"""The test of one subscription: what is sent where, and what is told of it."""

import json
from collections.abc import Callable, Mapping
from typing import get_args

import pytest
import trio
from msgspec.structs import replace
from trio.testing import MockClock

from callpost.engine.ports import SenderFactory
from callpost.engine.trial import Trials
from callpost.model.delivery import Message, Report
from callpost.model.endpoint import Endpoint, HttpEndpoint
from callpost.model.outcome import Delivered, Outcome, Refused, Retry
from callpost.model.subscription import Filter, Subscription
from callpost.model.trial import Exchange, Trial
from callpost.model.vocabulary import METHODS, Method, Vocabulary
from doubles import LoadedDice, ScriptedWorld, VirtualClock
from engine_house import a_subscription, an_endpoint

CALL = "callpost-test-1"


async def tried(
    subscription: Subscription, world: "ScriptedWorld | Quoting | None" = None
) -> Trial:
    """Test it in a scripted world."""
    open_sender: SenderFactory = (world or ScriptedWorld()).open_sender
    trials = Trials(open_sender=open_sender, clock=VirtualClock(), dice=LoadedDice())
    return await trials.of(subscription)


def answering(outcomes: Mapping[str, Outcome]) -> ScriptedWorld:
    """A world in which each place answers so, after a second."""

    async def behave(endpoint: Endpoint, _: Message) -> Outcome:
        await trio.sleep(1)
        return outcomes[endpoint.place]

    return ScriptedWorld(behave)


def told(trial: Trial) -> list[tuple[str, str, str]]:
    """Event, place and outcome of each exchange."""
    return [(one.kind, one.place, one.outcome) for one in trial.exchanges]


async def test_each_event_goes_to_each_door(autojump_clock: MockClock) -> None:
    """The primary and every fallback, also where the one before has taken it."""
    trial = await tried(a_subscription(fallbacks=1))
    assert told(trial) == [
        ("newCall", "primary", "delivered"),
        ("newCall", "fallback-1", "delivered"),
        ("hangup", "primary", "delivered"),
        ("hangup", "fallback-1", "delivered"),
    ]


async def test_the_end_of_the_call_goes_to_the_callback(autojump_clock: MockClock) -> None:
    """As that of any call does."""
    trial = await tried(replace(a_subscription(), callback=an_endpoint("callback")))
    assert [(kind, place) for kind, place, _ in told(trial)] == [
        ("newCall", "primary"),
        ("hangup", "callback"),
    ]


@pytest.mark.parametrize(
    ("primary", "fallback", "ok"),
    [
        (Delivered(), Delivered(), True),
        (Retry(reason="connect:refused"), Delivered(), True),
        (Retry(reason="connect:refused"), Refused("http_409", 409), False),
    ],
)
async def test_it_is_well_when_one_door_has_taken_each_event(
    autojump_clock: MockClock, primary: Outcome, fallback: Outcome, *, ok: bool
) -> None:
    """As a delivery would be."""
    world = answering({"primary": primary, "fallback-1": fallback})
    assert (await tried(a_subscription(fallbacks=1), world)).ok is ok


async def test_an_exchange_tells_all_that_happened(autojump_clock: MockClock) -> None:
    """What was sent and how it ended, with the place and origin of the door."""
    world = answering({"primary": Retry(reason="http_503", http_status=503)})
    trial = await tried(a_subscription(), world)
    exchange = trial.exchanges[0]
    assert replace(exchange, content="") == Exchange(
        kind="newCall",
        place="primary",
        endpoint="http://crm.example:80",
        method="POSTJSON",
        headers=(("webhook-id", "evt_2"),),
        content="",
        outcome="retry",
        reason="http_503",
        http_status=503,
        answer="",
        connect_ms=None,
        total_ms=1000.0,
    )


async def test_the_call_can_be_told_from_every_real_one(autojump_clock: MockClock) -> None:
    """By its id, its mark, its source and numbers that nobody has."""
    trial = await tried(a_subscription())
    first, last = (json.loads(one.content) for one in trial.exchanges)
    assert trial.call_id == first["callId"] == last["callId"] == CALL
    assert (first["data"], first["source"], first["from"][:4]) == (
        {"callpost": "test"},
        "callpost",
        "+999",
    )
    assert (first["seq"], last["seq"], last["previousId"]) == (1, 2, first["id"])


@pytest.mark.parametrize(("customer", "named"), [("", None), ("*", None), ("acme", "acme")])
async def test_it_is_a_call_of_the_subscriptions_customer(
    autojump_clock: MockClock, customer: str, named: str | None
) -> None:
    """Where it has just one."""
    trial = await tried(replace(a_subscription(), filter=Filter(customer=customer)))
    assert json.loads(trial.exchanges[0].content).get("customer") == named


async def test_the_filter_does_not_count(autojump_clock: MockClock) -> None:
    """Who hears of pressed digits only is tested with the same call."""
    wanted = Filter(dtmf=("1X.",), direction=frozenset({"out"}))
    assert (await tried(replace(a_subscription(), filter=wanted))).ok


async def test_what_is_never_sent_is_not_sent_by_a_test(autojump_clock: MockClock) -> None:
    """The event is tailored as any other: without what `omit` names."""
    trial = await tried(replace(a_subscription(), omit=frozenset({"from", "data"})))
    sent = json.loads(trial.exchanges[0].content)
    assert sent.keys() & {"from", "to", "data"} == {"to"}


@pytest.mark.parametrize("vocabulary", get_args(Vocabulary))
@pytest.mark.parametrize("method", METHODS)
async def test_every_vocabulary_has_words_for_it(
    autojump_clock: MockClock, vocabulary: Vocabulary, method: Method
) -> None:
    """In every method."""
    endpoint = replace(an_endpoint(), method=method)
    trial = await tried(replace(a_subscription(), vocabulary=vocabulary, endpoints=(endpoint,)))
    assert all(CALL in one.content for one in trial.exchanges)


async def test_the_outcome_is_as_the_subscription_reads_it(autojump_clock: MockClock) -> None:
    """By its `responses`."""
    world = answering({"primary": Refused("http_409", 409)})
    subscription = replace(a_subscription(), responses={"409": "deliver"})
    assert told(await tried(subscription, world))[0] == ("newCall", "primary", "delivered")


class Quoting:
    """A world whose doors answer with what they are told to."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self.closed = 0

    def open_sender(self, endpoint: Endpoint, tenant: str) -> "QuotingSender":  # noqa: ARG002 - the port's
        """See ports.SenderFactory."""
        return QuotingSender(self._answer, self._close)

    def _close(self) -> None:
        self.closed += 1


class QuotingSender:
    """See Quoting."""

    def __init__(self, answer: bytes, close: Callable[[], None]) -> None:
        self._answer = answer
        self._close = close

    async def send(self, _: Message) -> Report:
        """See ports.Sender."""
        return Report(
            outcome=Delivered(), connect_ms=1.26, total_ms=2.0, reused=False, answer=self._answer
        )

    def headers(self, _: Message) -> tuple[tuple[str, str], ...]:
        """See ports.Sender."""
        return ()

    def close(self) -> None:
        """See ports.Sender."""
        self._close()


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (b"x" * 2_000, "x" * 1_024),
        ("é".encode() * 600, "é" * 512),
        (b"\xff ok", "\ufffd ok"),
        (b"your key was sesame-42", "your key was ********"),
    ],
)
async def test_of_the_answer_the_beginning_is_told(
    autojump_clock: MockClock, answer: bytes, shown: str
) -> None:
    """1 KiB of text without what must stay secret, whatever the peer has sent."""
    endpoint: HttpEndpoint = replace(an_endpoint(), headers=(("X-Key", "sesame-42"),))
    trial = await tried(replace(a_subscription(), endpoints=(endpoint,)), Quoting(answer))
    assert trial.exchanges[0].answer == shown


async def test_no_connection_is_left(autojump_clock: MockClock) -> None:
    """Each door's sender is closed, and none of the couriers' own is used."""
    world = Quoting(b"")
    await tried(a_subscription(fallbacks=1), world)
    assert world.closed == 4
