"""Which subscription wants which event: each rule by itself, and the index against a plain scan."""

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callpost.model.endpoint import TcpEndpoint
from callpost.model.event import CallEvent
from callpost.model.flow import flow_of
from callpost.model.numbers import Numbers
from callpost.model.routing import Router
from callpost.model.schedule import CDR, LIVE
from callpost.model.subscription import Filter, Subscription
from callpost.model.vocabulary import (
    DIRECTIONS,
    DIRECTIONS_OF,
    FLOWS,
    KINDS,
    KINDS_OF,
    Vocabulary,
)
from examples import examples

ENDPOINT = TcpEndpoint(place="primary", host="192.0.2.1", port=1, method="POSTJSON", level=2)


def subscription(
    wanted: Filter, vocabulary: Vocabulary = "callpost", *, enabled: bool = True
) -> Subscription:
    """A subscription that wants what `wanted` says."""
    return Subscription(
        name="crm",
        endpoints=(ENDPOINT,),
        schedule=LIVE,
        cdr_schedule=CDR,
        filter=wanted,
        vocabulary=vocabulary,
        enabled=enabled,
    )


def wants(wanted: Filter, event: CallEvent, vocabulary: Vocabulary = "callpost") -> bool:
    """Whether the router gives the event to a subscription with that filter."""
    one = subscription(wanted, vocabulary)
    return Router([(1, one)]).wanted_by(event) == ((1, one),)


NEW_CALL = CallEvent(event="newCall", call_id="1")
INCOMING = CallEvent(
    event="newCall",
    call_id="1",
    from_="+4511223344",
    to="+4570305050",
    did="+4570305051",
    diversion="+4570305052",
    direction="in",
    user=("Alice",),
    answering_number="210",
    network="SIP",
    extension="0003*210",
    extension_type="phone",
    customer="acme",
)
OUTGOING = CallEvent(event="newCall", call_id="1", from_="210", to="4511223344", direction="out")
INTERNAL = CallEvent(event="newCall", call_id="1", from_="210", to="211", direction="internal")
DIGITS = CallEvent(event="dtmf", call_id="1", dtmf="123")
HANGUP = CallEvent(event="hangup", call_id="1", cause="busy")


@pytest.mark.parametrize(
    ("wanted", "event"),
    [
        (Filter(), NEW_CALL),
        (Filter(events=frozenset({"newCall"})), NEW_CALL),
        (Filter(selection="SIP"), INCOMING),
        (Filter(direction=frozenset({"in", "out"})), INCOMING),
        (Filter(customer="acme"), INCOMING),
        (Filter(customer="*"), INCOMING),
        (Filter(caller=("4511*",)), INCOMING),
        (Filter(caller=("4511223344",)), INCOMING),
        (Filter(called=("+4570305050",)), INCOMING),
        (Filter(called=("+4570305051",)), INCOMING),
        (Filter(called=("+4570305052",)), INCOMING),
        (Filter(called=("*52",)), INCOMING),
        (Filter(extension=("0003*210",)), INCOMING),
        (Filter(extension=("Alice",)), INCOMING),
        (Filter(extension=("210",)), INCOMING),
        (Filter(extension=("+4570305050",)), INCOMING),
        (Filter(extension=("mask:0003*",)), INCOMING),
        (Filter(extension=("999", "mask:0003*")), INCOMING),
        (Filter(extension=("210",)), OUTGOING),
        (Filter(extension=("210",)), INTERNAL),
        (Filter(extension=("211",)), INTERNAL),
        (Filter(extension=("210",), flow=frozenset({"out"})), INTERNAL),
        (Filter(extension=("211",), flow=frozenset({"in"})), INTERNAL),
        (Filter(extension=("210",), flow=frozenset({"in", "out"})), INTERNAL),
        (Filter(extension_type=frozenset({"phone"})), INCOMING),
        (Filter(dtmf=("9", "1X.")), DIGITS),
        (Filter(cause=frozenset({"busy"})), HANGUP),
        (Filter(cause=frozenset({"busy"})), NEW_CALL),
    ],
)
def test_an_event_is_wanted(wanted: Filter, event: CallEvent) -> None:
    """It meets every criterion that restricts."""
    assert wants(wanted, event)


@pytest.mark.parametrize(
    ("wanted", "event"),
    [
        (Filter(events=frozenset({"hangup"})), NEW_CALL),
        (Filter(selection="MVNO"), INCOMING),
        (Filter(selection="SIP"), NEW_CALL),
        (Filter(direction=frozenset({"out"})), INCOMING),
        (Filter(direction=frozenset({"in"})), NEW_CALL),
        (Filter(customer="other"), INCOMING),
        (Filter(customer="acme"), NEW_CALL),
        (Filter(caller=("46*",)), INCOMING),
        (Filter(caller=("*",)), NEW_CALL),
        (Filter(called=("4511223344",)), INCOMING),
        (Filter(called=("*",)), NEW_CALL),
        (Filter(extension=("+4511223344",)), INCOMING),
        (Filter(extension=("4511223344",)), OUTGOING),
        (Filter(extension=("mask:9*",)), INCOMING),
        (Filter(extension=("210",), customer="other"), INCOMING),
        (Filter(extension=("210",), flow=frozenset({"in"})), INTERNAL),
        (Filter(extension=("211",), flow=frozenset({"out"})), INTERNAL),
        (Filter(extension=("mask:*", "211"), flow=frozenset({"out"})), INTERNAL),
        (Filter(extension_type=frozenset({"queue"})), INCOMING),
        (Filter(extension_type=frozenset({"queue"})), NEW_CALL),
        (Filter(dtmf=("9",)), DIGITS),
        (Filter(dtmf=("1X.",)), NEW_CALL),
        (Filter(cause=frozenset({"noAnswer"})), HANGUP),
        (Filter(cause=frozenset({"busy"})), CallEvent(event="cdr", call_id="1")),
    ],
)
def test_an_event_is_not_wanted(wanted: Filter, event: CallEvent) -> None:
    """It misses one criterion."""
    assert not wants(wanted, event)


@pytest.mark.parametrize(("users", "wanted"), [(99, True), (100, False)])
def test_masks_are_held_against_a_hundred_users(users: int, *, wanted: bool) -> None:
    """A producer may name thousands of them, and everybody waits for the last one."""
    parties = ("x",) * users + ("210",)
    event = CallEvent(event="newCall", call_id="1", extension="1", from_="9", user=parties)
    assert wants(Filter(extension=("mask:2*",)), event) is wanted


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (Filter(called=("+4570*",)), ({"to": "8"}, {"to": "9", "did": "+45701"})),
        (Filter(called=("+4570*",)), ({"to": "+45701"}, {"to": "9"})),
        (Filter(extension=("mask:2*",)), ({"to": "8"}, {"to": "8", "user": ("21",)})),
        (Filter(extension=("mask:2*",)), ({"extension": "21"}, {"extension": "31"})),
    ],
)
def test_what_was_answered_before_is_for_the_same_texts_only(
    wanted: Filter, told: Sequence[dict[str, Any]]
) -> None:
    """An event is never taken for another one."""
    router = Router([(1, subscription(wanted))])
    events = [CallEvent(event="newCall", call_id="1", **each) for each in (*told, *told[::-1])]
    found = [bool(router.wanted_by(event)) for event in events]
    assert found in ([False, True, True, False], [True, False, False, True])


def test_an_exact_extension_is_found_among_any_number_of_users() -> None:
    """It is looked up."""
    event = CallEvent(event="newCall", call_id="1", user=("x",) * 5_000 + ("210",))
    assert wants(Filter(extension=("210",)), event)


@pytest.mark.parametrize(
    ("vocabulary", "event", "said"),
    [
        ("sipgate", CallEvent(event="ringing", call_id="1"), False),
        ("sipgate", DIGITS, True),
        ("zammad", DIGITS, False),
        ("voipnow", HANGUP, True),
        ("zammad", INTERNAL, False),
        ("sipgate", INTERNAL, False),
        ("voipnow", INTERNAL, True),
        ("zammad", INCOMING, True),
        ("zammad", NEW_CALL, False),
    ],
)
def test_a_vocabulary_gets_what_it_can_say(
    vocabulary: Vocabulary,
    event: CallEvent,
    said: bool,  # noqa: FBT001  pytest hands it over
) -> None:
    """Kinds and directions that it has no word for are not routed to it."""
    assert wants(Filter(), event, vocabulary) == said


def test_a_subscription_that_is_not_enabled_wants_nothing() -> None:
    """It matches nothing and keeps nothing."""
    router = Router([(1, subscription(Filter(), enabled=False))])
    assert router.wanted_by(NEW_CALL) == ()


@pytest.mark.parametrize(
    "wanted",
    [
        Filter(caller=("+4526110203",)),
        Filter(caller=("26110203",)),
        Filter(caller=("004526110203", "x")),
        Filter(caller=("+45*",)),
        Filter(called=("4570305050",), caller=("4526*",)),
        Filter(called=("7030 5050",)),
    ],
)
@pytest.mark.parametrize("caller", ["+4526110203", "4526110203", "26110203", "004526110203"])
def test_with_a_country_every_spelling_of_a_number_is_one(wanted: Filter, caller: str) -> None:
    """Masks and events may write national or international numbers, each as it likes."""
    event = CallEvent(event="newCall", call_id="1", from_=caller, to="70305050")
    router = Router([(1, subscription(wanted))], compared=Numbers("DK").compared)
    assert len(router.wanted_by(event)) == 1


def test_the_order_is_that_of_the_numbers() -> None:
    """Whatever the order of filing and the drawer in which each lies."""
    numbered = [
        (7, subscription(Filter())),
        (3, subscription(Filter(caller=("4511223344",)))),
        (5, subscription(Filter(extension=("210", "Alice", "0003*210")))),
    ]
    found = Router(numbered).wanted_by(INCOMING)
    assert [number for number, _ in found] == [3, 5, 7]


@pytest.mark.parametrize(
    ("wanted", "fault"),
    [
        (Filter(caller=("[",)), "without its"),
        (Filter(caller=("+",)), "empty"),
        (Filter(called=("*", "")), "empty"),
        (Filter(extension=("",)), "empty"),
    ],
)
def test_a_mask_with_a_fault_makes_no_router(wanted: Filter, fault: str) -> None:
    """The configuration was to refuse it."""
    with pytest.raises(ValueError, match=fault):
        Router([(1, subscription(wanted))])


@pytest.mark.parametrize(
    "wanted",
    [
        lambda n: Filter(called=(f"+45{n}",)),
        lambda n: Filter(caller=(f"+46{n}",)),
        lambda n: Filter(extension=(f"210-{n}",)),
        lambda n: Filter(customer=f"customer-{n}"),
        lambda n: Filter(customer=f"customer-{n}", called=("+457030*",)),
        lambda n: Filter(customer=f"customer-{n}", extension=("210",)),
    ],
)
def test_only_those_that_may_want_an_event_are_asked(wanted: Callable[[int], Filter]) -> None:
    """Of a thousand subscriptions in threes the index points to the three, by any criterion."""
    router = Router((n, subscription(wanted(n // 3))) for n in range(1_000))
    event = CallEvent(
        event="newCall",
        call_id="1",
        from_="+467",
        to="+457",
        did="+45703050",
        extension="210-7",
        user=("210",),
        customer="customer-7",
    )
    drawers = router._pointed_at(event)
    assert sum(len(drawer.get(each, ())) for drawer in drawers for each in ("", "customer-7")) == 3


def test_what_is_as_it_was_is_taken_over_from_the_index_before() -> None:
    """To compile thousands of masks again for one that has changed takes most of a second."""
    asked: list[str] = []

    def compared(number: str) -> str:
        asked.append(number)
        return number.removeprefix("+")

    same = subscription(Filter(caller=("4511223344", "+46*")))
    before = Router([(1, same), (2, same)], compared=compared)
    asked.clear()
    changed = subscription(Filter(caller=("+4511223344",)))
    after = Router([(1, same), (2, changed)], compared=compared, before=before)
    assert asked == ["+4511223344"]
    assert after.wanted_by(INCOMING) == ((1, same), (2, changed))


def scanned(one: Subscription, event: CallEvent) -> bool:
    """The rules of the contract, asked one after the other, without any index."""
    wanted = one.filter
    called = [number for number in (event.to, event.did, event.diversion) if number]
    exact = tuple(entry for entry in wanted.extension if not entry.startswith("mask:"))
    ours = [event.extension, event.answering_number, *(event.user or ())]
    ours += [] if event.direction == "in" else [event.from_]
    ours += [] if event.direction == "out" else [event.to]
    answers = [
        one.enabled,
        event.event in KINDS_OF[one.vocabulary],
        event.direction in DIRECTIONS_OF[one.vocabulary] or _is_sayable_without(event, one),
        not wanted.events or event.event in wanted.events,
        not wanted.direction or event.direction in wanted.direction,
        not wanted.flow or flow_of(event, exact) in wanted.flow,
        wanted.selection in {"ALL", event.network},
        wanted.customer in {"", "*"} or wanted.customer == event.customer,
        not wanted.caller or _any_mask(wanted.caller, [event.from_] if event.from_ else []),
        not wanted.called or _any_mask(wanted.called, called),
        not wanted.extension or any(_extension(e, x) for e in wanted.extension for x in ours if x),
        not wanted.extension_type or event.extension_type in wanted.extension_type,
        not wanted.dtmf or (event.event == "dtmf" and event.dtmf in wanted.dtmf),
        not wanted.cause or event.event not in {"hangup", "cdr"} or event.cause in wanted.cause,
    ]
    return all(answers)


def _is_sayable_without(event: CallEvent, one: Subscription) -> bool:
    """Who knows every direction needs none, and sipgate.io's digits have none."""
    anything = DIRECTIONS_OF[one.vocabulary] == set(DIRECTIONS)
    return anything or (event.direction is None and event.event == "dtmf")


def _any_mask(masks: tuple[str, ...], numbers: list[str]) -> bool:
    return any(
        fnmatchcase(number.removeprefix("+"), mask.removeprefix("+"))
        for mask in masks
        for number in numbers
    )


def _extension(entry: str, extension: str) -> bool:
    if entry.startswith("mask:"):
        return _any_mask((entry.removeprefix("mask:"),), [extension])
    return entry == extension


NUMBERS = st.sampled_from(["1", "+1", "2", "12", "+12", "anonymous"])
MASKS = st.lists(NUMBERS | st.sampled_from(["1*", "+?", "[!1]", "*"]), max_size=2).map(tuple)
EXTENSIONS = st.lists(NUMBERS | st.sampled_from(["mask:1*", "mask:?"]), max_size=2).map(tuple)
MAYBE = st.none() | NUMBERS
FILTERS = st.builds(
    Filter,
    selection=st.sampled_from(["ALL", "ALL", "SIP", "MVNO"]),
    events=st.frozensets(st.sampled_from(KINDS), max_size=6),
    direction=st.just(frozenset()) | st.frozensets(st.sampled_from(DIRECTIONS)),
    flow=st.just(frozenset()) | st.frozensets(st.sampled_from(FLOWS)),
    customer=st.sampled_from(["", "*", "a", "b"]),
    caller=st.just(()) | MASKS,
    called=st.just(()) | MASKS,
    extension=st.just(()) | EXTENSIONS,
    extension_type=st.just(frozenset()) | st.frozensets(st.sampled_from(["phone", "ivr"])),
    dtmf=st.just(()) | st.lists(st.sampled_from(["1", "12"]), max_size=2).map(tuple),
    cause=st.just(frozenset()) | st.frozensets(st.sampled_from(["busy", "cancel"])),
)
SUBSCRIPTIONS = st.builds(
    lambda wanted, vocabulary, off: subscription(wanted, vocabulary, enabled=off != 0),
    FILTERS,
    st.sampled_from(["callpost", "callpost", "sipgate", "zammad", "voipnow"]),
    st.integers(0, 9),
)
EVENTS = st.builds(
    CallEvent,
    event=st.sampled_from(KINDS),
    call_id=st.just("1"),
    from_=MAYBE,
    to=MAYBE,
    did=MAYBE,
    diversion=MAYBE,
    answering_number=MAYBE,
    extension=MAYBE,
    user=st.none() | st.lists(NUMBERS, min_size=1, max_size=2).map(tuple),
    direction=st.none() | st.sampled_from(DIRECTIONS),
    network=st.sampled_from([None, "SIP", "MVNO"]),
    extension_type=st.sampled_from([None, "phone", "ivr"]),
    customer=st.sampled_from([None, "a", "b"]),
    cause=st.sampled_from([None, "busy", "cancel"]),
    dtmf=st.sampled_from(["1", "12", "3"]),
)


@settings(max_examples=examples(4))
@given(st.lists(SUBSCRIPTIONS, max_size=12), st.lists(EVENTS, min_size=1, max_size=6))
def test_the_index_finds_what_a_scan_finds(
    subscriptions: list[Subscription], events: list[CallEvent]
) -> None:
    """No event is missed and none is given to a subscription that does not want it."""
    numbered = list(enumerate(subscriptions))
    router = Router(reversed(numbered))
    assert [router.wanted_by(event) for event in events] == [
        tuple((number, one) for number, one in numbered if scanned(one, event)) for event in events
    ]
