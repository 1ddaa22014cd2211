"""The commands that talk to a daemon, against a real socket with a daemon's answers."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from asyncclick.testing import CliRunner
from msgspec.structs import replace
from trio.testing import MockClock

from callpost.cli import callpost
from callpost.model.changes import Changed, Changes, Reloaded, Removed
from callpost.model.fault import Fault
from callpost.model.trial import Exchange, Trial
from conditions import BAD_DAY, SUBSCRIPTIONS, WELL
from operators_door import PROBLEM, Door, Reply, a_door

EXCHANGE = Exchange(
    kind="newCall",
    place="primary",
    endpoint="https://crm.example.com:443",
    method="POSTJSON",
    headers=(("webhook-id", "evt_1"), ("authorization", "********")),
    content='{"event":"newCall"}',
    outcome="delivered",
    reason="",
    http_status=200,
    answer="thank \x1byou",
    connect_ms=3.25,
    total_ms=12.5,
)
TRIAL = Trial(subscription="crm", call_id="callpost-test-1", ok=True, exchanges=(EXCHANGE,))
TRIAL_TOLD = """\
newCall to https://crm.example.com:443 (primary), POSTJSON
  > webhook-id: evt_1
  > authorization: ********
  > {"event":"newCall"}
  < thank \\x1byou
  = 200, delivered
    connected in 3.2 ms, 12.5 ms in all

crm: delivered
"""
CHANGES = Changes(
    added=("new",),
    removed=(
        Removed(name="old", pending=2),
        Removed(name="empty", pending=0),
        Removed(name="lobby", pending=0, why="disabled"),
        Removed(name="api.a.1", pending=0, why="left_out"),
    ),
    changed=(Changed(name="crm", settings=("url", "headers")),),
    unchanged=12,
    settings=("log.level",),
    needs_restart=("spool.max_bytes",),
)
RELOADED_TOLD = """\
added         new
changed       crm: url, headers
removed       old: 2 pending deliveries become dead letters
removed       empty
disabled      lobby
left out      api.a.1
set           log.level
at restart    spool.max_bytes takes effect at the next start only
unchanged     12 subscriptions
The configuration is in force.
"""
FAULT = Fault("callpost.toml", "subscription.crm.url", "url", "Invalid URL")


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    """A daemon that is well."""
    async with a_door(tmp_path / "control.sock") as opened:
        yield opened


async def test_a_healthy_daemon_is_success(door: Door) -> None:
    """For a script the exit status is enough."""
    result = await door.run("status")
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "callpost 0.1.0 is healthy")


async def test_a_degraded_daemon_is_a_failure(door: Door) -> None:
    """It is shown all the same."""
    door.replies["GET /v1/status"] = Reply(BAD_DAY)
    result = await door.run("status")
    assert (result.exit_code, result.stdout.splitlines()[0]) == (1, "callpost 0.1.0 is degraded")


async def test_the_status_for_programs_is_the_daemons_own(door: Door) -> None:
    """One JSON document."""
    result = await door.run("status", "--json")
    assert json.loads(result.stdout)["spool"]["maxBytes"] == 8_589_934_592


async def test_a_daemon_of_an_earlier_version_is_shown(door: Door) -> None:
    """Until somebody restarts it, it does not count what is left out."""
    status = msgspec.to_builtins(WELL)
    status["config"] = {
        key: value for key, value in status["config"].items() if not key.startswith("leftOut")
    }
    door.replies["GET /v1/status"] = Reply(status)
    assert (await door.run("status")).exit_code == 0


async def test_one_subscription_is_shown_by_name(door: Door) -> None:
    """In detail."""
    assert (await door.run("status", "popup")).stdout.startswith("popup: down\nbehind ")


async def test_one_subscription_is_shown_to_programs(door: Door) -> None:
    """One JSON document."""
    assert json.loads((await door.run("status", "popup", "--json")).stdout)["name"] == "popup"


async def test_a_misspelt_name_is_mended(door: Door) -> None:
    """One sentence, and what was likely meant."""
    result = await door.run("status", "popop")
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: There is no subscription named 'popop'; did you mean \"popup\"?\n",
    )


async def test_all_subscriptions_are_listed(door: Door) -> None:
    """One line each, the furthest behind first, under a heading."""
    lines = (await door.run("subscriptions")).stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["NAME", "popup", "crm", "ops"]


@pytest.mark.parametrize(
    ("options", "names"),
    [(["--failing"], ["popup"]), (["--paused"], ["ops"]), (["--failing", "--paused"], [])],
)
async def test_subscriptions_can_be_filtered(
    door: Door, options: list[str], names: list[str]
) -> None:
    """What needs somebody."""
    result = await door.run("subscriptions", "--json", *options)
    listed = [one["name"] for one in json.loads(result.stdout)["subscriptions"]]
    assert listed == (names or ["popup", "ops"])


async def test_nothing_to_list_is_said(door: Door) -> None:
    """An empty screen would leave one in doubt."""
    door.replies["GET /v1/states"] = Reply({"subscriptions": SUBSCRIPTIONS[:1]})
    assert (await door.run("subscriptions", "--failing")).stdout == "There is none such.\n"


@pytest.mark.parametrize(("verb", "told"), [("pause", "is paused"), ("resume", "is active")])
async def test_several_are_paused_or_resumed_at_once(door: Door, verb: str, told: str) -> None:
    """Each is named once, with what waits."""
    for one in SUBSCRIPTIONS[:2]:
        door.replies[f"POST /v1/subscriptions/{one.name}/{verb}"] = Reply(one)
    result = await door.run(verb, "crm", "popup", "crm")
    assert result.stdout == f"crm {told}\npopup {told}, 1,200 pending\n"


async def test_an_unknown_name_changes_nothing(door: Door) -> None:
    """Also not those that are known."""
    result = await door.run("pause", "crm", "cmr", "nobody")
    sentence = (
        "Error: There is no subscription named 'cmr'; did you mean \"crm\"?"
        " There is no subscription named 'nobody'. Nothing was changed.\n"
    )
    assert (result.exit_code, result.stderr, len(door.asked)) == (1, sentence, 1)


async def test_a_test_shows_request_answer_and_times(door: Door) -> None:
    """Nothing that the subscriber says moves the cursor."""
    door.replies["POST /v1/subscriptions/crm/test"] = Reply(TRIAL)
    result = await door.run("test", "crm")
    assert (result.exit_code, result.stdout) == (0, TRIAL_TOLD)


async def test_a_test_that_was_not_delivered_fails(door: Door) -> None:
    """And says so last."""
    door.replies["POST /v1/subscriptions/crm/test"] = Reply(replace(TRIAL, ok=False))
    result = await door.run("test", "crm")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (1, "crm: not delivered")


async def test_a_long_answer_is_cut_at_its_lines(door: Door) -> None:
    """A page of HTML does not push the verdict off the screen."""
    page = replace(EXCHANGE, answer="<p>\n" * 40)
    door.replies["POST /v1/subscriptions/crm/test"] = Reply(replace(TRIAL, exchanges=(page,)))
    assert "  < (and 28 more lines)" in (await door.run("test", "crm")).stdout.splitlines()


async def test_a_reload_tells_what_it_changed(door: Door) -> None:
    """In words, subscription by subscription."""
    door.replies["POST /v1/reload"] = Reply(Reloaded(ok=True, dry_run=False, changes=CHANGES))
    result = await door.run("reload")
    assert (result.exit_code, result.stdout, door.bodies) == (0, RELOADED_TOLD, [{"dryRun": False}])


async def test_a_dry_run_is_told_apart(door: Door) -> None:
    """Nobody takes it for done."""
    door.replies["POST /v1/reload"] = Reply(Reloaded(ok=True, dry_run=True, changes=CHANGES))
    result = await door.run("reload", "--dry-run")
    assert (result.stdout.splitlines()[-1], door.bodies) == (
        "Nothing was changed yet (--dry-run).",
        [{"dryRun": True}],
    )


async def test_a_reload_without_a_difference_says_so(door: Door) -> None:
    """It is no failure."""
    changes = Changes(unchanged=40)
    door.replies["POST /v1/reload"] = Reply(Reloaded(ok=True, dry_run=False, changes=changes))
    result = await door.run("reload")
    assert result.stdout == "unchanged     40 subscriptions\nNothing has changed.\n"


async def test_a_reload_that_takes_long_says_that_it_waits(
    autojump_clock: MockClock, door: Door
) -> None:
    """Once, and not where programs read; the answer is waited for all the same."""
    answer = Reloaded(ok=True, dry_run=False, changes=Changes(unchanged=40))
    told = []
    for delay_s in (4.0, 15.0):
        door.replies["POST /v1/reload"] = Reply(answer, delay_s=delay_s)
        told.append(await door.run("reload", "--json"))
    assert [one.stderr for one in told] == [
        "",
        "callpost is still waiting for the daemon's answer.\n",
    ]
    assert [json.loads(one.stdout)["ok"] for one in told] == [True, True]


async def test_a_faulty_configuration_is_told_as_check_does(door: Door) -> None:
    """Every fault on standard error, and nothing has changed."""
    answer = Reloaded(ok=False, dry_run=False, faults=(FAULT, FAULT))
    door.replies["POST /v1/reload"] = Reply(answer, 422)
    result = await door.run("reload")
    assert (result.exit_code, result.stderr, result.stdout) == (
        1,
        "callpost.toml: subscription.crm.url: url: Invalid URL\n" * 2,
        "Nothing has changed: 2 faults.\n",
    )


async def test_a_reload_for_programs_has_the_faults(door: Door) -> None:
    """One JSON document, also where it is faulty."""
    answer = Reloaded(ok=False, dry_run=False, faults=(FAULT,))
    door.replies["POST /v1/reload"] = Reply(answer, 422)
    result = await door.run("reload", "--json")
    assert json.loads(result.stdout)["faults"][0]["code"] == "url"


async def test_the_log_level_is_shown(door: Door) -> None:
    """One word."""
    door.replies["GET /v1/log-level"] = Reply({"level": "info"})
    assert (await door.run("log-level")).stdout == "info\n"


async def test_the_log_level_is_changed(door: Door) -> None:
    """And shown as it is now."""
    door.replies["PUT /v1/log-level"] = Reply({"level": "debug"})
    result = await door.run("log-level", "debug")
    assert (result.stdout, door.bodies) == ("debug\n", [{"level": "debug"}])


async def test_an_unknown_log_level_is_wrong_usage(door: Door) -> None:
    """The daemon is not asked."""
    assert ((await door.run("log-level", "loud")).exit_code, door.asked) == (2, [])


async def test_a_refusal_is_one_sentence(door: Door) -> None:
    """The daemon's own, escaped."""
    door.replies["PUT /v1/log-level"] = Reply(
        {"title": "Conflict", "status": 409, "detail": "Not \x1bnow."}, 409, PROBLEM
    )
    result = await door.run("log-level", "debug")
    assert (result.exit_code, result.stderr) == (1, "Error: Not \\x1bnow.\n")


async def test_top_prints_one_frame_without_a_terminal(door: Door) -> None:
    """For a mail, or a look over a bad line."""
    result = await door.run("top", "--once", env={"COLUMNS": "60", "LINES": "20"})
    assert (result.exit_code, "NAME" in result.stdout, door.asked.count("GET /v1/status")) == (
        0,
        True,
        2,
    )


async def test_top_needs_a_terminal() -> None:
    """One sentence, and it is wrong usage."""
    result = await CliRunner().invoke(callpost, ["top"])
    assert (result.exit_code, "This is no terminal" in result.stderr) == (2, True)


async def test_what_answers_strangely_is_told(door: Door) -> None:
    """Another program's socket gives one sentence, no traceback."""
    door.replies["GET /v1/status"] = Reply(raw=b"<html>", content_type="text/html")
    result = await door.run("status")
    assert (result.exit_code, result.stderr.count("\n"), "Traceback" in result.output) == (
        1,
        1,
        False,
    )


async def test_a_daemon_that_takes_its_time_is_waited_for(door: Door) -> None:
    """A busy machine is no failure."""
    door.replies["GET /v1/status"] = Reply(WELL, delay_s=1.5)
    assert (await door.run("status")).exit_code == 0
