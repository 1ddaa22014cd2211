"""The way of a call as an extension sees it: what is routed by it is told with it."""

from typing import Final
from urllib.parse import parse_qs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from callpost.model.endpoint import TcpEndpoint
from callpost.model.event import CallEvent, encode
from callpost.model.flow import flow_of, seen_by
from callpost.model.formats import content_of
from callpost.model.forward import Forward, Forwards
from callpost.model.numbers import NumberFormat, Numbers
from callpost.model.routing import Router
from callpost.model.schedule import CDR, LIVE
from callpost.model.subscription import Filter, Subscription
from callpost.model.tailor import OMITTABLE, tailor_of
from callpost.model.vocabulary import DIRECTIONS, FLOWS, Direction, Flow
from examples import examples

OWN: Final = "26110203"
COLLEAGUE: Final = "0003*211"
NUMBERS: Final = Numbers("DK")


def an_event(direction: Direction | None, from_: str | None) -> CallEvent:
    """A call of OWN, who is named as such."""
    return CallEvent(event="newCall", call_id="1", direction=direction, from_=from_, extension=OWN)


@pytest.mark.parametrize(
    ("direction", "from_", "flow"),
    [
        ("in", "+4511223344", "in"),
        ("in", OWN, "in"),
        ("out", OWN, "out"),
        ("out", "+4570305050", "out"),
        ("internal", OWN, "out"),
        ("internal", COLLEAGUE, "in"),
        ("internal", None, "in"),
        (None, OWN, "out"),
        (None, "+4511223344", "in"),
        (None, None, "in"),
    ],
)
def test_a_call_flows_as_the_extension_sees_it(
    direction: Direction | None, from_: str | None, flow: Flow
) -> None:
    """By its direction if one of its ends is outside, else by who makes it."""
    assert flow_of(an_event(direction, from_), ("0003*999", OWN)) == flow


PARTY = st.none() | st.sampled_from([OWN, f"+45{OWN}", COLLEAGUE, "0003*212", "+4511223344"])
EVENTS = st.builds(
    CallEvent,
    event=st.sampled_from(["newCall", "answer", "hangup"]),
    call_id=st.just("1"),
    direction=st.none() | st.sampled_from(DIRECTIONS),
    from_=PARTY,
    to=PARTY,
    extension=PARTY,
    answering_number=PARTY,
    user=st.none() | st.just((OWN,)) | st.just(("Alice", COLLEAGUE)),
)
WANTED = st.lists(st.sampled_from([OWN, COLLEAGUE, "mask:0003*"]), min_size=1, unique=True).filter(
    lambda entries: entries != ["mask:0003*"]
)


def seen_from(
    extension: list[str], omit: frozenset[str], form: NumberFormat = "received"
) -> Subscription:
    """A subscription to these, without some fields, with numbers in this form."""
    return Subscription(
        name="crm",
        vocabulary="voipnow",
        endpoints=(TcpEndpoint(place="primary", host="192.0.2.1", port=1, method="GET1", level=1),),
        schedule=LIVE,
        cdr_schedule=CDR,
        filter=Filter(extension=tuple(extension)),
        omit=omit,
        number_format=form,
    )


SUBSCRIPTIONS = st.builds(
    seen_from,
    WANTED,
    st.frozensets(st.sampled_from(["from", "direction", "to", "extension"])),
    st.sampled_from(["received", "+e164", "national"]),
)


def told(subscription: Subscription, event: CallEvent) -> dict[str, str]:
    """The parameters that the subscriber gets."""
    body = encode(event)
    tailor = tailor_of(subscription, NUMBERS)
    content = content_of(
        body if tailor is None else tailor(body),
        method="GET1",
        level=1,
        vocabulary="voipnow",
        seq=1,
        previous_id="",
        seen=seen_by(subscription, body),
    )
    return {name: value for name, [value] in parse_qs(content.content.decode()).items()}


def with_flow(subscription: Subscription, flow: Flow) -> Subscription:
    """The same, for calls of this flow only."""
    return replace(subscription, filter=replace(subscription.filter, flow=frozenset({flow})))


@settings(max_examples=examples(3))
@given(SUBSCRIPTIONS, EVENTS)
def test_the_flow_that_is_sent_is_the_flow_that_was_wanted(
    subscription: Subscription, event: CallEvent
) -> None:
    """Who wants one flow gets what everybody else is told is of this flow, and nothing else.

    Also where the subscriber is not told by what it was matched, or in another form.
    """
    is_wanted = bool(Router([(1, subscription)]).wanted_by(event))
    for flow in FLOWS:
        got = bool(Router([(1, with_flow(subscription, flow))]).wanted_by(event))
        assert got == (is_wanted and told(subscription, event)["CallFlow"] == flow.upper())


@given(SUBSCRIPTIONS, EVENTS)
def test_a_call_that_counts_for_another_extension_is_told_with_the_flow_it_was_wanted_for(
    subscription: Subscription, event: CallEvent
) -> None:
    """A forward rule matches it as if its target had been called; what is sent is the event."""
    forwards = Forwards([Forward(number=one, to=(OWN, COLLEAGUE)) for one in ("0003*212", OWN)])
    found = forwards.forwarded(event)
    for also in found.also if found else ():
        for flow in FLOWS:
            if Router([(1, with_flow(subscription, flow))]).wanted_by(also):
                assert told(subscription, event)["CallFlow"] == flow.upper()


def test_the_own_extension_is_told_though_the_event_is_not() -> None:
    """The subscriber knows it already."""
    subscription = seen_from([OWN], frozenset(OMITTABLE))
    assert told(subscription, an_event("internal", OWN)) == {
        "CallID": "1",
        "CallStatus": "CALLING",
        "CallFlow": "OUT",
        "CallerExtension": OWN,
    }
