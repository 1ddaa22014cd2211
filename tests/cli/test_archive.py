"""`pending`, `dead` and `inspect` where no daemon runs: the spool that it left is read."""

import json
import re
from pathlib import Path

import pytest
from asyncclick.testing import CliRunner, Result

from callpost.cli import callpost
from cli.kept import DIGITS, configured, fill


@pytest.fixture
async def config(tmp_path: Path) -> Path:
    """The configuration of a daemon that has stopped."""
    await fill(tmp_path / "state")
    return configured(tmp_path)


async def run(config: Path, *arguments: str) -> Result:
    """Run a command as it runs in a pipe."""
    return await CliRunner().invoke(callpost, [*arguments, "--config", str(config)])


def objects(result: Result) -> list[dict[str, object]]:
    """The JSON lines of the output."""
    return [json.loads(line) for line in result.stdout.splitlines()]


async def test_pending_deliveries_are_listed(config: Path) -> None:
    """Aligned text with a heading, times as RFC 3339, no tabs and no colours."""
    result = await run(config, "pending")
    heading, row = result.stdout.splitlines()
    assert heading.split()[:4] == ["ACCEPTED", "SUBSCRIPTION", "EVENT", "CALL"]
    assert row.split()[1:4] == ["crm", "hangup", "c/1"]
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z", row.split()[0])
    assert "\t" not in result.stdout
    assert "\x1b" not in result.stdout


async def test_where_it_was_read_is_said_aside(config: Path) -> None:
    """On standard error, so that a pipe has the list alone."""
    result = await run(config, "pending")
    assert "control.sock" in result.stderr
    assert f"This is what the spool in {config.parent}/state holds." in result.stderr


async def test_pending_deliveries_are_json_lines(config: Path) -> None:
    """One object for each."""
    [one] = objects(await run(config, "pending", "crm", "--json"))
    assert (one["eventId"], one["seq"], one["attempts"]) == ("c/1-hangup", 3, 1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("pending",), "  paused  "), (("inspect", "c/1"), "pending, paused by an operator, given")],
)
async def test_a_pause_is_known_from_the_spool(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    """It outlives the daemon, and neither command sends anybody to look for another reason."""
    await fill(tmp_path / "state", paused="operator")
    assert words in (await run(configured(tmp_path), *arguments)).stdout


async def test_an_empty_list_says_so(config: Path) -> None:
    """And that is no failure."""
    result = await run(config, "pending", "audit")
    assert (result.stdout, result.exit_code) == ("There is no pending delivery.\n", 0)


@pytest.mark.parametrize("command", ["pending", "dead"])
async def test_a_name_that_is_not_configured_is_no_empty_list(config: Path, command: str) -> None:
    """Who has misspelt it would take it for good news."""
    with config.open("a") as file:
        file.write('[[subscription]]\nname = "audit"\nurl = "http://127.0.0.1:9"\n')
    result = await run(config, command, "auidt")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "There is no subscription named 'auidt'; did you mean \"audit\"?" in result.stderr


async def test_an_empty_list_of_json_lines_is_empty(config: Path) -> None:
    """A program wants no sentence."""
    assert (await run(config, "pending", "audit", "--json")).stdout == ""


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        ((), ["hangup", "dtmf", "newCall"]),
        (("--limit", "2"), ["hangup", "dtmf"]),
        (("audit", "--kind", "dtmf", "--kind", "hangup"), ["hangup", "dtmf"]),
        (("--call", "c/1", "--customer", "acme"), ["hangup", "dtmf", "newCall"]),
        (("--event", "c/1-dtmf"), ["dtmf"]),
        (("--customer", "umbrella"), []),
        (("crm",), []),
        (("--until", "2020-01-01"), []),
        (("--since", "2020-01-01"), ["hangup", "dtmf", "newCall"]),
    ],
)
async def test_dead_letters_are_selected(
    config: Path, options: tuple[str, ...], kinds: list[str]
) -> None:
    """By every criterion, the newest first."""
    found = objects(await run(config, "dead", "--json", *options))
    assert [one["kind"] for one in found] == kinds


async def test_a_dead_letter_tells_why(config: Path) -> None:
    """What it died of, and what the last attempt said."""
    result = await run(config, "dead", "--kind", "newCall")
    assert result.stdout.splitlines()[1].split()[5:8] == ["expired", "http:400", "1"]


async def test_pages_are_joined_without_a_seam(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many it takes."""
    monkeypatch.setattr("callpost.cli.listing._PAGE_MAX", 1)
    found = objects(await run(config, "dead", "--json"))
    assert [one["kind"] for one in found] == ["hangup", "dtmf", "newCall"]


@pytest.mark.parametrize("identity", ["c/1", "c/1-dtmf"])
async def test_a_story_is_told_by_either_id(config: Path, identity: str) -> None:
    """Of the call, or of one event."""
    result = await run(config, "inspect", identity)
    assert "crm, seq 2: delivered" in result.stdout
    assert "audit, seq 2: dead" in result.stdout


async def test_a_story_can_be_json(config: Path) -> None:
    """The whole of it, one document."""
    story = json.loads((await run(config, "inspect", "c/1", "--json")).stdout)
    states = [[one["state"] for one in event["deliveries"]] for event in story["events"]]
    assert states == [["dead", "delivered"], ["dead", "delivered"], ["dead", "pending"]]


async def test_a_story_can_be_that_of_one_subscription(config: Path) -> None:
    """What others got is left out of it."""
    story = (await run(config, "inspect", "c/1", "--subscription", "audit")).stdout
    assert (story.count("audit, seq"), "crm" in story) == (3, False)


async def test_the_json_of_a_story_is_that_of_one_subscription(config: Path) -> None:
    """The same."""
    result = await run(config, "inspect", "c/1", "--subscription", "crm", "--json")
    events = json.loads(result.stdout)["events"]
    names = [[one["subscription"] for one in event["deliveries"]] for event in events]
    assert names == [["crm"]] * 3


async def test_a_story_of_a_subscription_that_got_nothing_says_so(config: Path) -> None:
    """That nobody wanted it would be another thing."""
    with config.open("a") as file:
        file.write('[[subscription]]\nname = "other"\nurl = "http://127.0.0.1:9"\n')
    result = await run(config, "inspect", "c/1", "--subscription", "other")
    assert (result.exit_code, result.stdout.count("nothing for other")) == (0, 3)


async def test_a_story_of_a_misspelt_subscription_is_a_failure(config: Path) -> None:
    """And not a story of nothing."""
    with config.open("a") as file:
        file.write('[[subscription]]\nname = "audit"\nurl = "http://127.0.0.1:9"\n')
    result = await run(config, "inspect", "c/1", "--subscription", "auidt")
    assert (result.exit_code, 'did you mean "audit"?' in result.stderr) == (1, True)


@pytest.mark.parametrize("option", [(), ("--json",)])
async def test_a_story_shows_neither_numbers_nor_digits(
    config: Path, option: tuple[str, ...]
) -> None:
    """Parties by their end, what was pressed not at all."""
    told = (await run(config, "inspect", "c/1", *option)).stdout
    assert "…203" in told
    assert "sip:…ith@pbx.example" in told
    assert not re.search(f"26110203|alice|{DIGITS}", told)


@pytest.mark.parametrize("options", [("nothing",), ("c/1", "--customer", "umbrella")])
async def test_what_is_not_kept_has_no_story(config: Path, options: tuple[str, ...]) -> None:
    """One sentence, and exit status 1."""
    result = await run(config, "inspect", *options)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "is kept." in result.stderr


async def test_without_daemon_and_spool_both_are_told(tmp_path: Path) -> None:
    """Why there is no daemon, and why there is no spool."""
    result = await run(configured(tmp_path), "dead")
    assert result.exit_code == 1
    assert "control.sock" in result.stderr
    assert "spool.db is not there" in result.stderr


async def test_a_control_socket_that_was_named_is_not_replaced_by_a_spool(config: Path) -> None:
    """Who names one wants that daemon."""
    result = await run(config, "dead", "--control", str(config.parent / "other.sock"))
    assert (result.exit_code, result.stdout) == (1, "")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("dead", "--since", "lunch"), "is no moment"),
        (("dead", "--since", "1h", "--until", "2h"), "--since is not before --until"),
        (("dead", "--kind", "party"), "'party' is not one of"),
        (("pending", "--limit", "0"), "--limit"),
        (("inspect",), "Missing argument 'ID'"),
        (("replay",), "Say what to deliver again"),
        (("replay", "--delivered"), "Say what to deliver again"),
        (("replay", "--all-dead", "crm"), "--all-dead means every dead letter"),
        (("replay", "crm", "--rate", "0"), "--rate"),
        (("replay", "crm", "--rate", "nan"), "'nan' is no number"),
    ],
)
async def test_wrong_usage_is_told(config: Path, arguments: tuple[str, ...], sentence: str) -> None:
    """With exit status 2."""
    result = await run(config, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert sentence in result.stderr


async def test_a_replay_needs_a_daemon(config: Path) -> None:
    """A spool that nobody serves is never written."""
    result = await run(config, "replay", "--all-dead")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "control.sock" in result.stderr
