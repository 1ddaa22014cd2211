"""The preset `voipnow` against the rules of VoipNow's call events: a whole daemon."""

import signal
from collections.abc import Mapping
from pathlib import Path

import pytest

from household import Daemon, Producer, an_event
from systems import pbx
from systems.strict import standing
from systems.voipnow import VoipNow

# What one extension sees: it is called from outside, calls out, calls a colleague, is called by
# one, and takes a call of its queue.
OURS = {"extension": pbx.EXTENSION}


def a_day() -> list[bytes]:
    """The calls of one extension, in between those of others."""
    incoming = {"from": pbx.CALLER, "to": pbx.OURS, "direction": "in", **OURS}
    called = {"from": pbx.COLLEAGUE, "to": pbx.EXTENSION, "direction": "internal"}
    unknown = {"from": "<anonymous>", "to": pbx.OURS, "user": [pbx.EXTENSION]}
    return [
        *_call("in", incoming, "normalClearing"),
        *_call("out", {"from": pbx.EXTENSION, "to": pbx.CALLER, "direction": "out"}, "busy"),
        *_call("aimless-out", {"from": pbx.EXTENSION, "to": pbx.CALLER}, "cancel"),
        *_call("aimless-in", unknown, "unknown"),
        *pbx.internal("calls"),
        *_call("called", called, "noAnswer"),
        *_call("queue", incoming | {"user": ["Alice"], "queue": "sales"}, "normalClearing"),
        *pbx.missed("another's"),
        *_call("presented", incoming | {"from": pbx.OURS, "direction": "out"}, "forwarded"),
    ]


def _call(call: str, about: Mapping[str, object], cause: str) -> list[bytes]:
    answered = ["answer"] if cause == "normalClearing" else []
    kinds = ["newCall", "ringing", "dtmf", *answered]
    digits = {"dtmf": "1"}
    told = [
        an_event(call, kind, **{**about, **(digits if kind == "dtmf" else {})}) for kind in kinds
    ]
    return [*told, an_event(call, "hangup", **about, cause=cause)]


def subscriptions(voipnow: VoipNow, method: str) -> str:
    """A URL for each event, as the items of VoipNow have."""
    urls = {"dial": "newCall", "answer": "answer", "hangup": "hangup"}
    return "\n".join(
        f'[[subscription]]\nname = "{path}"\npreset = "voipnow"\nmethod = "{method}"\n'
        f'url = "{voipnow.origin}/{path}"\nevents = ["{kind}"]\nextension = ["{pbx.EXTENSION}"]\n'
        for path, kind in urls.items()
    )


def one_subscription(voipnow: VoipNow) -> str:
    """One URL for all events, which are told apart by `EventType`."""
    return (
        f'[[subscription]]\nname = "all"\npreset = "voipnow"\nlevel = 2\n'
        f'url = "{voipnow.origin}/events"\nextension = ["{pbx.EXTENSION}"]\n'
    )


def is_complete(voipnow: VoipNow) -> bool:
    """Eight calls, of which three were answered."""
    return len(voipnow.taken) == 8 + 3 + 8


async def a_day_at(voipnow: VoipNow, directory: Path, written: str) -> None:
    """Until everything has arrived that is to arrive."""
    daemon = Daemon(directory, written)
    async with daemon.running():
        await Producer(daemon.door).feed(a_day())
        await voipnow.until(lambda: is_complete(voipnow))


@pytest.mark.parametrize("method", ["POSTARGS", "GET1"])
async def test_its_scripts_accept_whatever_a_switch_produces(tmp_path: Path, method: str) -> None:
    """Its own parameters, in the body of a POST and in the query of a GET."""
    voipnow = VoipNow(pbx.EXTENSION)
    async with standing(voipnow):
        await a_day_at(voipnow, tmp_path, subscriptions(voipnow, method))
    assert voipnow.complaints() == []


async def test_one_script_can_tell_the_events_apart(tmp_path: Path) -> None:
    """By the additional parameters of level 2."""
    voipnow = VoipNow(pbx.EXTENSION)
    async with standing(voipnow):
        await a_day_at(voipnow, tmp_path, one_subscription(voipnow))
    assert voipnow.complaints() == []


async def test_each_call_flows_as_the_extension_sees_it(tmp_path: Path) -> None:
    """What it makes goes out, what it receives comes in, also within the house."""
    voipnow = VoipNow(pbx.EXTENSION)
    async with standing(voipnow):
        await a_day_at(voipnow, tmp_path, subscriptions(voipnow, "POSTARGS"))
    assert {said["CallID"]: said["CallFlow"] for said in voipnow.said} == {
        "in": "IN",
        "out": "OUT",
        "aimless-out": "OUT",
        "aimless-in": "IN",
        "calls": "OUT",
        "called": "IN",
        "queue": "IN",
        "presented": "OUT",
    }


async def test_a_lost_answer_and_a_crash_do_not_stall_a_call(tmp_path: Path) -> None:
    """The script is told again what it may have missed, and then the rest."""
    voipnow = VoipNow(pbx.EXTENSION)
    voipnow.loses = lambda _request: len(voipnow.taken) == 1
    voipnow.withholds = lambda _request: len(voipnow.taken) == 3
    async with standing(voipnow):
        daemon = Daemon(tmp_path, one_subscription(voipnow))
        async with daemon.running():
            await Producer(daemon.door).feed(pbx.internal())
            await voipnow.until(lambda: len(voipnow.taken) == 3)
            await daemon.end(signal.SIGKILL)
        async with daemon.running():
            await voipnow.until(lambda: voipnow.said[-1]["EventType"] == "2")
    # Of an outcome that was on its way to the disk the newCall may be told a third time.
    assert list(dict.fromkeys(said["EventType"] for said in voipnow.said)) == ["1", "4", "2"]
