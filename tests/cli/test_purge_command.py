"""`purge`: what it asks for, what it asks first, and what it says."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
from asyncclick.testing import CliRunner, Result

from callpost.cli import callpost
from callpost.model.purge import Purged
from cli.kept import configured, fill
from operators_door import Door, Reply, a_door

PURGED = Purged(events=1_234, calls=1, pending=1, dead=2, attempts=3)


async def run(*arguments: str) -> Result:
    """Run it in a pipe."""
    return await CliRunner().invoke(callpost, ["purge", *arguments])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "Say what to purge: --number, --call, --customer or --before."),
        (("--number", ""), "Say what to purge: --number, --call, --customer or --before."),
        (("--number", "1" * 256), "--number: must have at most 255 characters."),
        (("--number", "+45\x1b[2J"), "--number: must not have characters that cannot be seen."),
        (("--number", "anonymous"), "--number: anonymous callers are nobody in particular."),
        (("--before", "2999-01-01"), "--before lies in the future"),
        (("--before", "yesterdayish"), "is no moment"),
    ],
)
async def test_wrong_usage_is_told_in_one_sentence(
    arguments: tuple[str, ...], sentence: str
) -> None:
    """And nothing is asked of anybody."""
    result = await run(*arguments)
    assert (result.exit_code, sentence in result.stderr) == (2, True)


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    """A daemon that is well."""
    async with a_door(tmp_path / "control.sock") as opened:
        yield opened


@pytest.fixture
async def config(tmp_path: Path) -> Path:
    """The configuration of a daemon that has stopped."""
    await fill(tmp_path / "state")
    return configured(tmp_path)


async def test_the_daemon_is_asked_for_what_the_options_say(door: Door) -> None:
    """All of them, in one request."""
    door.replies["POST /v1/purge"] = Reply(PURGED)
    await door.run(
        "purge",
        "--number",
        "1",
        "--call",
        "c",
        "--customer",
        "a",
        "--before",
        "2026-01-01T00:00:00Z",
    )
    assert door.bodies[-1] == {
        "number": "1",
        "callId": "c",
        "customer": "a",
        "before": "2026-01-01T00:00:00.000Z",
        "dryRun": False,
    }


async def test_it_says_how_much(door: Door) -> None:
    """In one sentence."""
    door.replies["POST /v1/purge"] = Reply(PURGED)
    result = await door.run("purge", "--call", "1")
    assert result.stdout == (
        "Purged: 1,234 events, 1 whole call, 0 delivery reports, 1 pending delivery,"
        " 2 dead letters, 3 attempts.\n"
    )


async def test_what_remains_is_a_failure(door: Door) -> None:
    """Told on standard error, for somebody has to do something about it."""
    door.replies["POST /v1/purge"] = Reply(Purged(remains=("It is still there.",)))
    result = await door.run("purge", "--call", "1")
    assert (result.exit_code, "It is still there." in result.stderr) == (1, True)


async def test_a_dry_run_says_so(config: Path) -> None:
    """And takes nothing from the spool of a stopped daemon."""
    counted = await run("--number", "+4526110203", "--dry-run", "--config", str(config))
    again = await run("--number", "+4526110203", "--dry-run", "--config", str(config))
    assert (
        counted.stdout
        == again.stdout
        == (
            "Would be purged: 3 events, 1 whole call, 0 delivery reports, 1 pending delivery,"
            " 3 dead letters, 6 attempts.\n"
        )
    )


async def test_it_prints_json(config: Path) -> None:
    """With all figures."""
    result = await run("--call", "c/1", "--json", "--config", str(config))
    assert json.loads(result.stdout) == {
        "events": 3,
        "reports": 0,
        "calls": 1,
        "pending": 1,
        "dead": 3,
        "attempts": 6,
        "files": [],
        "remains": [],
        "note": "",
    }


async def test_which_spool_is_used_is_said_aside(config: Path) -> None:
    """On standard error."""
    result = await run("--call", "c/1", "--config", str(config))
    assert f"The spool in {config.parent}/state is used." in result.stderr


async def test_where_there_is_no_spool_nothing_is_made(tmp_path: Path) -> None:
    """It is said that nothing is kept."""
    result = await run("--call", "1", "--config", str(configured(tmp_path)))
    assert (result.exit_code, "nothing is kept" in result.stderr) == (1, True)
    assert not (tmp_path / "state").exists()


async def test_a_configuration_with_a_fault_in_what_counts_is_not_guessed_at(
    config: Path,
) -> None:
    """Another country would mean another number."""
    faulty = trio.Path(config)
    await faulty.write_text(f'{await faulty.read_text()}[numbers]\ncountry = "XX"\n')
    result = await run("--number", "26110203", "--config", str(config))
    assert (result.exit_code, "numbers.country" in result.stderr) == (1, True)


async def test_a_national_number_without_a_country_is_told_of(config: Path) -> None:
    """On standard error, for nothing that is spelled otherwise is found; it quotes nothing."""
    result = await run("--number", "26 11 02 03", "--dry-run", "--config", str(config))
    assert "[numbers] country is not set" in result.stderr
    assert ("26" in result.stderr.replace(str(config.parent), ""), result.exit_code) == (False, 0)


@pytest.mark.parametrize(
    ("customer", "sentence"),
    [
        ("umbrell", "There is no [[customer]] 'umbrell'; did you mean \"umbrella\"?"),
        ("nobody", "There is no [[customer]] 'nobody'."),
        ("umbrella", ""),
        ("acme", ""),
    ],
)
async def test_a_customer_of_whom_nothing_is_found_may_be_misspelt(
    config: Path, customer: str, sentence: str
) -> None:
    """Told where there is a registry; one who has left it is purged all the same."""
    with config.open("a") as file:
        file.write('[[customer]]\nid = "umbrella"\n')
    result = await run("--customer", customer, "--dry-run", "--config", str(config))
    assert result.exit_code == 0
    assert [line for line in result.stderr.splitlines() if "[[customer]]" in line] == (
        [sentence] if sentence else []
    )


async def test_without_a_registry_nobody_is_misspelt(config: Path) -> None:
    """Whoever is named may have been there."""
    result = await run("--customer", "nobody", "--dry-run", "--config", str(config))
    assert ("[[customer]]" in result.stderr, result.exit_code) == (False, 0)
