"""Over random calls nothing that callpost sends breaks a rule of the system that it is sent to.

What is sent is made here as the daemon makes it: read, routed, put into the vocabulary, written.
"""

import json
from collections.abc import Sequence
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from callpost.config import Source, parse
from callpost.model.decode import decode
from callpost.model.event import CallEvent, encode, with_answered
from callpost.model.flow import seen_by
from callpost.model.formats import render
from callpost.model.routing import Router
from callpost.model.subscription import Subscription
from callpost.model.vocabulary import DIRECTIONS, KINDS, Kind, Level, Method
from http_receivers import Request
from systems import pbx
from systems.signalwire import SignalWire
from systems.sipgate import CAUSES, Sipgate
from systems.strict import StrictReceiver
from systems.voipnow import VoipNow
from systems.zammad import TOKEN, Zammad

_NUMBERS: Final = st.sampled_from(
    [
        *("+4526110203", "4526110203", "26110203", "anonymous", "<Private>", "sip:bob@pbx"),
        *("112", pbx.EXTENSION, pbx.COLLEAGUE),
    ]
)
_WORDS: Final = st.text(min_size=1, max_size=8).filter(lambda text: "\0" not in text)
_BETWEEN: Final = tuple(kind for kind in KINDS if kind not in {"newCall", "hangup", "cdr"})

Told = dict[str, object]


def _ends() -> st.SearchStrategy[Told]:
    """Whom a call is between; what is missing here may come with a later event."""
    optional: dict[str, st.SearchStrategy[object]] = {
        "from": _NUMBERS,
        "to": _NUMBERS,
        "did": _NUMBERS,
        "diversion": _NUMBERS,
        "answeringNumber": _NUMBERS,
        "extension": st.sampled_from([pbx.EXTENSION, pbx.COLLEAGUE]),
        "user": st.lists(_WORDS, max_size=3),
        "queue": _WORDS,
        "parentCallId": _WORDS,
        "fromName": _WORDS,
        "cause": st.sampled_from([*sorted(CAUSES), "unknown"]),
        "answered": st.booleans(),
        "legId": _WORDS,
        "duration": st.floats(0, 10_000),
    }
    return st.fixed_dictionaries({}, optional=optional)


@st.composite
def calls(draw: st.DrawFn) -> list[CallEvent]:
    """A call in one direction or none: its beginning, what people do, its end, its record."""
    direction = draw(st.sampled_from([*DIRECTIONS, None]))
    kinds: list[Kind] = ["newCall", *draw(st.lists(st.sampled_from(_BETWEEN), max_size=4))]
    kinds += ["hangup", "cdr"]
    return [_event(kind, draw(_ends()) | {"direction": direction}) for kind in kinds]


def _event(kind: Kind, about: Told) -> CallEvent:
    told = {"event": kind, "callId": "c", "id": "e", "time": "2026-11-21T16:40:00Z", **about}
    if kind == "dtmf":
        told["dtmf"] = "1#"
    event = decode(json.dumps(told).encode(), unknown_fields="refuse")
    # As the intake completes it.
    unsaid = kind in {"hangup", "cdr"} and event.answered is None
    return with_answered(event, answered=False) if unsaid else event


def subscription(preset: str, keys: str = "") -> Subscription:
    """One with this preset, as a configuration makes it."""
    text = f'[[subscription]]\nname = "a"\nurl = "http://h/"\npreset = "{preset}"\n{keys}'
    source = Source("callpost.toml", text.encode())
    config = parse([source], secret=lambda *_: None, environment={})
    return config.subscriptions[0]


def tell(
    receiver: StrictReceiver,
    call: Sequence[CallEvent],
    wanted: Subscription,
    *,
    target: str,
    method: Method,
    level: Level = 1,
) -> None:
    """Send what of the call is routed there."""
    router = Router([(1, wanted)])
    for seq, event in enumerate((one for one in call if router.wanted_by(one)), start=1):
        content = render(
            event,
            method=method,
            level=level,
            vocabulary=wanted.vocabulary,
            seq=seq,
            previous_id="",
            seen=seen_by(wanted, encode(event)),
        )
        headers = (("content-type", content.content_type),)
        receiver.next_reply(Request("1.1", "POST", target, headers, content.content))


@given(calls(), st.sampled_from(["POSTJSON", "POSTARGS"]))
def test_zammad_takes_any_call(call: list[CallEvent], method: Method) -> None:
    """In JSON and as a form."""
    zammad = Zammad()
    tell(zammad, call, subscription("zammad"), target=f"/api/v1/cti/{TOKEN}", method=method)
    assert zammad.complaints() == []


@given(calls())
def test_zammad_is_told_the_end_of_every_call_that_it_knows(call: list[CallEvent]) -> None:
    """Nothing there is left ringing."""
    zammad = Zammad()
    tell(zammad, call, subscription("zammad"), target=f"/api/v1/cti/{TOKEN}", method="POSTJSON")
    assert set(zammad.states().values()) <= {"hangup"}


@given(calls())
def test_a_program_for_sipgate_takes_any_call(call: list[CallEvent]) -> None:
    """Its documentation is kept to the letter."""
    sipgate = Sipgate()
    tell(sipgate, call, subscription("sipgate"), target="/push", method="POSTARGS")
    assert sipgate.complaints() == []


@given(calls())
def test_a_script_for_voipnow_takes_any_call(call: list[CallEvent]) -> None:
    """As its extension sees it, with the type of each event."""
    voipnow = VoipNow(pbx.EXTENSION)
    wanted = subscription("voipnow", f'extension = ["{pbx.EXTENSION}"]')
    tell(voipnow, call, wanted, target="/events", method="POSTARGS", level=2)
    assert voipnow.complaints() == []


@given(calls(), st.booleans())
def test_a_handler_for_signalwire_takes_any_call(call: list[CallEvent], by_get: bool) -> None:  # noqa: FBT001  Hypothesis hands it over
    """The fetch and the states, by POST and by GET."""
    handler = SignalWire()
    wanted = subscription("", 'vocabulary = "swml"')
    method: Method = "GET1" if by_get else "POSTJSON"
    tell(handler, call, wanted, target="/any", method=method)
    assert handler.complaints() == []


@given(calls(), st.sampled_from(["newCall", "answer", "hangup"]))
def test_scripts_for_voipnows_own_events_take_any_call(call: list[CallEvent], kind: Kind) -> None:
    """Each at its own URL, with VoipNow's own parameters."""
    voipnow = VoipNow(pbx.EXTENSION)
    wanted = subscription("voipnow", f'extension = ["{pbx.EXTENSION}"]')
    path = {"newCall": "/dial", "answer": "/answer", "hangup": "/hangup"}[kind]
    told = [event for event in call if event.event == kind]
    tell(voipnow, told, wanted, target=path, method="POSTARGS")
    assert voipnow.complaints() == []
