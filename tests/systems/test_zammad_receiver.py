"""The preset `zammad` against Zammad's own rules: a whole daemon, real sockets, a real crash."""

import json
import signal
import sys
from pathlib import Path

import pytest
import trio

from callpost.config.presets import BUILT_IN
from callpost.model.delivery import Delivery
from callpost.model.outcome import Outcome, Retry, overridden
from callpost.model.schedule import LIVE
from callpost.model.verdict import Die, Postpone, verdict_of
from household import Daemon, Producer, an_event
from http_receivers import Request
from systems import pbx
from systems.strict import standing
from systems.zammad import Zammad, parameters_of


def a_subscription(zammad: Zammad, *more: str) -> str:
    """As the README has it."""
    keys = ["[[subscription]]", 'name = "zammad"', 'preset = "zammad"', f'url = "{zammad.url}"']
    return "\n".join([*keys, *more, ""])


def is_kind(request: Request, kind: str) -> bool:
    """Say whether the request tells of this event."""
    return (parameters_of(request) or {}).get("event") == kind


def attempts(daemon: Daemon) -> list[dict[str, object]]:
    """The attempts in the log."""
    return [line for line in daemon.log if line["event"] == "delivery.attempted"]


async def a_day_at(
    zammad: Zammad, directory: Path, *more: str, day: pbx.Call | None = None
) -> None:
    """Every call that there is, until the twelve that have a direction have ended."""
    async with standing(zammad):
        daemon = Daemon(directory, a_subscription(zammad, *more))
        async with daemon.running():
            await Producer(daemon.door).feed(day or pbx.a_day())
            await zammad.until(lambda: list(zammad.states().values()) == ["hangup"] * 12)
            status = await daemon.end(signal.SIGTERM)
    assert status == 0


@pytest.mark.parametrize("method", ["POSTJSON", "POSTARGS"])
async def test_zammad_accepts_whatever_a_switch_produces(tmp_path: Path, method: str) -> None:
    """Every answer is 200, in both forms that it takes."""
    zammad = Zammad()
    await a_day_at(zammad, tmp_path, f'method = "{method}"')
    assert zammad.complaints() == []


async def test_zammad_is_told_all_by_a_switch_that_says_the_direction_once(tmp_path: Path) -> None:
    """At the beginning of each call; every call ends, and none is told that has no direction."""
    zammad = Zammad()
    await a_day_at(zammad, tmp_path, day=pbx.said_once(pbx.a_day()))
    assert (zammad.complaints(), "aimless" in zammad.states()) == ([], False)


async def test_zammad_knows_how_each_call_ended(tmp_path: Path) -> None:
    """No call is left ringing, and none is there that it has no words for."""
    zammad = Zammad()
    await a_day_at(zammad, tmp_path)
    comments = {call: entry.comment for call, entry in zammad.log.items()}
    assert set(zammad.states().values()) == {"hangup"}
    assert comments == {
        "answered": "normalClearing",
        "missed": "cancel",
        "busy": "busy",
        "unreached": "congestion",
        "wrong": "notFound",
        "called": "normalClearing",
        "first": "forwarded",
        "second": "normalClearing",
        "queued": "normalClearing",
        "digits": "normalClearing",
        "anonymous": "noAnswer",
        "somehow": "normalClearing",
    }


async def test_zammad_finds_its_numbers_and_queues(tmp_path: Path) -> None:
    """It compares them as they are written in its settings."""
    zammad = Zammad()
    await a_day_at(zammad, tmp_path)
    assert (zammad.log["answered"].notified, zammad.log["queued"].queue) == (True, "sales")


async def test_a_lost_answer_does_not_leave_a_call_ringing(tmp_path: Path) -> None:
    """The repeated newCall is refused and given up, and the rest of the call arrives."""
    zammad = Zammad()
    zammad.loses = lambda request: is_kind(request, "newCall") and len(zammad.taken) == 1
    async with standing(zammad):
        daemon = Daemon(tmp_path, a_subscription(zammad, "max_age_s = { newCall = 3 }"))
        async with daemon.running():
            await Producer(daemon.door).feed(pbx.answered())
            await daemon.until(lambda _: len(attempts(daemon)) == 4, within_s=10)
            dead = await daemon.logged("delivery.died")
    assert ([one.status for one in zammad.complaints()], zammad.states()) == (
        [500],
        {"answered": "hangup"},
    )
    assert (dead["kind"], [line["outcome"] for line in attempts(daemon)]) == (
        "newCall",
        ["retry", "refused", "delivered", "delivered"],
    )


async def test_a_crash_does_not_leave_a_call_ringing(tmp_path: Path) -> None:
    """Killed after Zammad took the newCall: it is told again, refused, and the call goes on."""
    zammad = Zammad()
    zammad.withholds = lambda _request: len(zammad.taken) == 1
    async with standing(zammad):
        daemon = Daemon(tmp_path, a_subscription(zammad, "max_age_s = { newCall = 4 }"))
        async with daemon.running():
            await Producer(daemon.door).feed(pbx.answered())
            await zammad.until(lambda: len(zammad.taken) == 1)
            await daemon.end(signal.SIGKILL)
        async with daemon.running():
            await zammad.until(lambda: zammad.states() == {"answered": "hangup"}, within_s=20)
    assert {one.status for one in zammad.complaints()} <= {500}


async def test_other_calls_do_not_wait_for_one_that_is_refused(tmp_path: Path) -> None:
    """Each call has a lane of its own."""
    zammad = Zammad()
    zammad.loses = lambda request: b"stuck" in request.body
    async with standing(zammad):
        daemon = Daemon(tmp_path, a_subscription(zammad))
        async with daemon.running():
            await Producer(daemon.door).feed(pbx.missed("stuck") + pbx.answered("free"))
            await zammad.until(lambda: zammad.states().get("free") == "hangup")
    assert zammad.states() == {"stuck": "newCall", "free": "hangup"}


async def test_a_call_whose_beginning_zammad_missed_ends_in_dead_letters(tmp_path: Path) -> None:
    """It has been told nothing of it, so it is left with nothing."""
    zammad = Zammad()
    more = "max_age_s = { answer = 1, hangup = 1 }"
    async with standing(zammad):
        daemon = Daemon(tmp_path, a_subscription(zammad, more))
        async with daemon.running():
            await Producer(daemon.door).feed(pbx.answered()[2:])
            await daemon.until(lambda log: len(deaths(log)) == 2, within_s=10)
            await Producer(daemon.door).feed(pbx.missed())
            await zammad.until(lambda: zammad.states() == {"missed": "hangup"})


def deaths(log: list[dict[str, object]]) -> list[dict[str, object]]:
    """The dead letters in the log."""
    return [line for line in log if line["event"] == "delivery.died"]


async def test_a_test_of_the_subscription_succeeds(tmp_path: Path) -> None:
    """As often as the operator likes: each time it is another call."""
    zammad = Zammad()
    async with standing(zammad):
        daemon = Daemon(tmp_path, a_subscription(zammad))
        async with daemon.running():
            command = [sys.executable, "-m", "callpost", "test", "zammad", "--json"]
            for _ in range(2):
                with trio.fail_after(20):
                    told = await trio.run_process(
                        [*command, "--config", str(daemon.config)], capture_stdout=True
                    )
                assert json.loads(told.stdout)["ok"]
    assert (zammad.complaints(), set(zammad.states().values())) == ([], {"hangup"})


def test_a_repeated_new_call_is_given_up_after_three_rounds() -> None:
    """Its answer was lost, and twice it is told that it is known already."""
    responses = BUILT_IN["zammad"].values["responses"]
    assert isinstance(responses, dict)
    lost: Outcome = Retry(reason="read", phase="read")
    known = overridden(Retry(reason="500", http_status=500), responses)
    verdicts = []
    rounds = 0
    for outcome in (lost, known, known):
        verdict = verdict_of(outcome, delivery=a_new_call(rounds), schedule=LIVE, now=0.0, dice=0.5)
        verdicts.append(verdict)
        rounds = verdict.rounds if isinstance(verdict, Postpone) else rounds
    assert [type(verdict) for verdict in verdicts] == [Postpone, Postpone, Die]


def a_new_call(rounds: int) -> Delivery:
    """Just accepted, after so many rounds."""
    return Delivery(
        position=1,
        number=1,
        call=1,
        seq=1,
        previous_id="",
        rounds=rounds,
        attempts=rounds,
        accepted_at=0.0,
        expires_at=900.0,
        body=b"{}",
    )


async def test_a_number_of_200_characters_is_a_number(tmp_path: Path) -> None:
    """However odd, the call is told from its beginning to its end."""
    zammad = Zammad()
    odd = {"from": "sip:" + "x" * 196, "to": "\u202e457", "direction": "in"}
    call = [an_event("odd", "newCall", **odd), an_event("odd", "hangup", **odd)]
    async with standing(zammad):
        daemon = Daemon(tmp_path, a_subscription(zammad))
        async with daemon.running():
            await Producer(daemon.door).feed(call)
            await zammad.until(lambda: zammad.states() == {"odd": "hangup"})
    assert zammad.complaints() == []
