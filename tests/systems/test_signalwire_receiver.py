"""The vocabulary `swml` against a SignalWire handler with fallback and status callback."""

import json
import signal
from pathlib import Path

import pytest
import trio

from household import Daemon, Producer, an_event
from http_receivers import Request
from systems import pbx
from systems.signalwire import DOCUMENT, SignalWire
from systems.strict import Answer, standing

CALLS_WITH_A_DIRECTION = 12


class Down(SignalWire):
    """A primary that is not well."""

    def judge(self, request: Request) -> Answer:
        """Whatever it is told."""
        super().judge(request)
        return Answer(503)


def a_subscription(primary: SignalWire, callback: SignalWire, *more: str) -> str:
    """As an import of a handler makes it."""
    lines = ["[[subscription]]", 'name = "handler"', 'vocabulary = "swml"']
    lines.append(f'url = "{primary.origin}/fetch"')
    lines.append(f'status_callback = {{ url = "{callback.origin}/state" }}')
    return "\n".join([*lines, *more, ""])


def ended(callback: SignalWire) -> list[str]:
    """The calls that it was told the end of."""
    return [call for call, states in callback.calls.items() if "ended" in states]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[SignalWire, SignalWire]:
    """The handler and its callback after a day of every call that there is; only read."""
    return trio.run(a_day_at, tmp_path_factory.mktemp("day"))


async def a_day_at(directory: Path) -> tuple[SignalWire, SignalWire]:
    """Let a daemon tell both of everything."""
    primary, callback = SignalWire(), SignalWire()
    async with standing(primary, callback):
        daemon = Daemon(directory, a_subscription(primary, callback))
        async with daemon.running():
            await Producer(daemon.door).feed(pbx.a_day())
            await callback.until(lambda: len(ended(callback)) == CALLS_WITH_A_DIRECTION)
    return primary, callback


async def test_both_accept_whatever_a_switch_produces(both: tuple[SignalWire, SignalWire]) -> None:
    """New calls at one URL, their later states at the other, all as documented."""
    primary, callback = both
    assert primary.complaints() + callback.complaints() == []


async def test_the_handler_is_fetched_from_once_for_each_call(
    both: tuple[SignalWire, SignalWire],
) -> None:
    """And gets nothing else."""
    primary, _ = both
    assert (len(primary.taken), list(primary.calls.values())) == (
        CALLS_WITH_A_DIRECTION,
        [["created"]] * CALLS_WITH_A_DIRECTION,
    )


async def test_every_call_is_told_in_order(both: tuple[SignalWire, SignalWire]) -> None:
    """From the first ring to the end."""
    _, callback = both
    assert {tuple(states) for states in callback.calls.values()} == {
        ("ended",),
        ("answered", "ended"),
        ("ringing", "answered", "ended"),
    }


async def test_calls_without_a_direction_or_inside_are_not_told(
    both: tuple[SignalWire, SignalWire],
) -> None:
    """SignalWire has no word for them."""
    primary, callback = both
    assert {"internal", "aimless"}.isdisjoint(primary.calls.keys() | callback.calls.keys())


async def test_the_document_that_it_answers_changes_nothing(
    both: tuple[SignalWire, SignalWire],
) -> None:
    """It would like to pass the call on; the call goes on as it went."""
    primary, callback = both
    answers = {one.answer.text for one in primary.taken}
    assert (answers, len(ended(callback))) == ({DOCUMENT}, CALLS_WITH_A_DIRECTION)


async def test_the_fallback_gets_what_the_primary_would_have_got(tmp_path: Path) -> None:
    """The same payload, at once."""
    primary, fallback, callback = Down(), SignalWire(), SignalWire()
    async with standing(primary, fallback, callback):
        other = f'fallback = [{{ url = "{fallback.origin}/fetch" }}]'
        daemon = Daemon(tmp_path, a_subscription(primary, callback, other))
        async with daemon.running():
            await Producer(daemon.door).feed(pbx.answered())
            await callback.until(lambda: ended(callback) == ["answered"])
    assert [one.request.body for one in fallback.taken] == [primary.taken[0].request.body]


async def test_a_callback_by_get_has_the_state_in_its_query(tmp_path: Path) -> None:
    """As a handler with `status_callback_method` GET has it."""
    primary, callback = SignalWire(), SignalWire()
    async with standing(primary, callback):
        text = a_subscription(primary, callback).replace('/state" }', '/state", method = "GET1" }')
        daemon = Daemon(tmp_path, text)
        async with daemon.running():
            await Producer(daemon.door).feed(pbx.missed())
            await callback.until(lambda: ended(callback) == ["missed"])
    [one] = callback.taken
    assert (one.request.method, one.answer.status) == ("GET", 200)


async def test_neither_digits_nor_notes_of_the_switch_are_told(tmp_path: Path) -> None:
    """They have no place there, whatever the event carries."""
    primary, callback = SignalWire(), SignalWire()
    ends = {"from": pbx.CALLER, "to": pbx.OURS, "direction": "in", "data": {"pin": "4711"}}
    call = [an_event("c", "newCall", **ends), an_event("c", "dtmf", dtmf="4711", **ends)]
    call.append(an_event("c", "hangup", **ends, cause="cancel"))
    async with standing(primary, callback):
        daemon = Daemon(tmp_path, a_subscription(primary, callback))
        async with daemon.running():
            await Producer(daemon.door).feed(call)
            await callback.until(lambda: ended(callback) == ["c"])
    told = [one.request.body for one in (*primary.taken, *callback.taken)]
    assert (len(told), any(b"4711" in body for body in told)) == (2, False)


async def test_a_crash_costs_a_repetition_and_nothing_else(tmp_path: Path) -> None:
    """Killed while the callback has the event and its answer is not yet there."""
    primary, callback = SignalWire(), SignalWire()
    callback.withholds = lambda _request: len(callback.taken) == 1
    async with standing(primary, callback):
        daemon = Daemon(tmp_path, a_subscription(primary, callback))
        async with daemon.running():
            await Producer(daemon.door).feed(pbx.answered())
            await callback.until(lambda: len(callback.taken) == 1)
            await daemon.end(signal.SIGKILL)
        async with daemon.running():
            await callback.until(lambda: ended(callback) == ["answered"])
    states = [json.loads(one.request.body)["params"]["call_state"] for one in callback.taken]
    assert states == ["ringing", "ringing", "answered", "ended"]
