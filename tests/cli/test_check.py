"""`callpost check` tells every fault, or what would run."""

from collections.abc import Mapping
from io import StringIO
from pathlib import Path

import msgspec
import pytest
from asyncclick.testing import CliRunner, Result
from rich.console import Console

from callpost.cli.check import check
from callpost.cli.overview import rows, show
from callpost.loading import load

GOOD = """
[[subscription]]
name = "crm"
url = "https://user:hunter2@crm.example.com/calls?key=hunter2"
secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
events = ["newCall", "hangup"]
fallback = [{ url = "tcp://10.0.0.9:4010" }]
status_callback = { url = "https://b.example.com/", tls = { verify = false } }
delivery_report = { url = "https://ops.example.com/hunter2", on = ["dead", "delivered"] }
rate_per_s = 2.5
direction = ["in"]
called = ["+4570*", "12?"]
customer = "acme"
stale = "skip"
after_gap = "skip_call"

[[subscription]]
name = "door"
url = "udp://10.0.0.10:4010"
enabled = false
"""
SHOWN = """\
crm
  vocabulary   callpost
  events       newCall hangup
  only         customer acme; direction in; called +4570*
               12?
  treated      at most 2.5/s, stale skipped, call skipped
               after a gap
  primary      https://crm.example.com:443
               POSTJSON, level 2
               secured by tls, signed, basic; at_least_once
  fallback-1   tcp://10.0.0.9:4010
               POSTJSON, level 2
               secured by nothing; best_effort
  callback     https://b.example.com:443
               POSTJSON, level 2
               secured by tls unverified!, signed;
               at_least_once
  report       https://ops.example.com:443
               POSTJSON, on dead, delivered
               secured by tls, signed; at_least_once

door (disabled)
  vocabulary   callpost
  events       all events
  primary      udp://10.0.0.10:4010
               POSTJSON, level 2
               secured by nothing; best_effort

"""
FAULTY = '[[subscription]]\nname = "crm"\nurl = "crm.example.com"\nmethod = "PUT"\n'


async def _checked(*arguments: str, env: Mapping[str, str] | None = None) -> Result:
    return await CliRunner().invoke(check, list(arguments), env=env)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A configuration without a fault."""
    path = tmp_path / "callpost.toml"
    path.write_text(GOOD)
    return path


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """A configuration with two faults."""
    path = tmp_path / "callpost.toml"
    path.write_text(FAULTY)
    return path


async def test_a_good_configuration_is_shown_as_it_would_run(good: Path) -> None:
    """Then come the warnings and one line that sums up."""
    result = await _checked("--config", str(good))
    assert result.stdout == (
        SHOWN + f"warning: {good}: subscription.crm: tls: callback: "
        "tls.verify is off, so anybody on the way can read and answer\n"
        f"warning: {good}: subscription.crm: stale: what stale skips is no gap, so the receiver "
        "may get the hangup of a call that it was never told of\n"
        f"warning: {good}: subscription.door: udp: primary: "
        "what exceeds 1,400 bytes may be fragmented and lost\n"
        f"{good}: 2 subscriptions, no fault, 3 warnings\n"
    )


async def test_a_good_configuration_exits_with_zero(good: Path) -> None:
    """So scripts can rely on it."""
    assert (await _checked("--config", str(good))).exit_code == 0


async def test_nothing_secret_is_shown(good: Path) -> None:
    """Neither path nor query nor user name nor key."""
    shown = (await _checked("--config", str(good), "--json")).output
    assert not any(word in shown for word in ("hunter2", "calls", "user:", "MfKQ"))


async def test_the_way_to_an_endpoint_is_shown(tmp_path: Path) -> None:
    """HTTP/2, the proxy and httpx, without what the proxy is told of us."""
    path = tmp_path / "callpost.toml"
    path.write_text(
        '[[subscription]]\nname = "crm"\nurl = "https://h/"\nhttp2 = true\n'
        'proxy = "http://callpost:hunter2@proxy.example:3128"\nhttp_client = "httpx"\n'
    )
    plain = (await _checked("--config", str(path))).output
    shown = plain + (await _checked("--config", str(path), "--json")).output
    way = "http2, via http://proxy.example:3128, by httpx"
    assert (way in " ".join(plain.split()), "hunter2" in shown) == (True, False)


async def test_every_fault_goes_to_standard_error(faulty: Path) -> None:
    """One line each: file, path, code, sentence."""
    result = await _checked("--config", str(faulty))
    assert result.stderr == (
        f"{faulty}: subscription.crm.url: url: Invalid URL: it has no scheme, such as https://\n"
        f"{faulty}: subscription.crm.method: method: Invalid method: expected one of "
        "POSTARGS | POSTXML1 | POSTXML2 | POSTJSON | GET1 | GET2\n"
    )


async def test_what_cannot_be_seen_is_spelled_out(tmp_path: Path) -> None:
    """On standard error by its number."""
    path = tmp_path / "callpost.toml"
    path.write_text('[[customer]]\nid = "ac\u200bme"\n', encoding="utf-8")
    result = await _checked("--config", str(path))
    assert result.stderr == (
        f"{path}: customer[1].id: type: character 3 (\\u200b) cannot be seen\n"
    )


async def test_a_faulty_configuration_exits_with_one(faulty: Path) -> None:
    """And shows nothing on standard output."""
    result = await _checked("--config", str(faulty))
    assert (result.exit_code, result.stdout) == (1, "")


async def test_json_has_the_faults_for_programs(faulty: Path) -> None:
    """One object, also where it is faulty."""
    result = await _checked("--config", str(faulty), "--json")
    assert msgspec.json.decode(result.stdout)["faults"][0] == {
        "file": str(faulty),
        "path": "subscription.crm.url",
        "code": "url",
        "sentence": "Invalid URL: it has no scheme, such as https://",
    }


async def test_json_has_what_would_run(good: Path) -> None:
    """With the guarantee of each endpoint."""
    result = await _checked("--config", str(good), "--json")
    verdict = msgspec.json.decode(result.stdout)
    assert [
        (door["place"], door["origin"], door["guarantee"])
        for row in verdict["subscriptions"]
        for door in row["endpoints"]
    ] == [
        ("primary", "https://crm.example.com:443", "at_least_once"),
        ("fallback-1", "tcp://10.0.0.9:4010", "best_effort"),
        ("callback", "https://b.example.com:443", "at_least_once"),
        ("report", "https://ops.example.com:443", "at_least_once"),
        ("primary", "udp://10.0.0.10:4010", "best_effort"),
    ]


async def test_json_has_how_a_subscription_is_treated(good: Path) -> None:
    """Also where it is as it is by default."""
    result = await _checked("--config", str(good), "--json")
    verdict = msgspec.json.decode(result.stdout)
    assert [
        (row["rate_per_s"], row["stale"], row["after_gap"]) for row in verdict["subscriptions"]
    ] == [(2.5, "skip", "skip_call"), (0.0, "deliver", "continue")]


async def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    """No traceback reaches a user."""
    path = tmp_path / "nowhere.toml"
    result = await _checked("--config", str(path))
    assert result.stderr == f"{path}: file: cannot be read: no such file or directory\n"


async def test_the_environment_names_the_default_file(good: Path) -> None:
    """$CALLPOST_CONFIG stands before $CONFIGURATION_DIRECTORY."""
    env = {"CALLPOST_CONFIG": str(good), "CONFIGURATION_DIRECTORY": "/nowhere"}
    assert (await _checked(env=env)).exit_code == 0


async def test_the_service_names_the_default_folder(good: Path) -> None:
    """Of several directories the first one counts."""
    env = {"CALLPOST_CONFIG": "", "CONFIGURATION_DIRECTORY": f"{good.parent}:/nowhere"}
    assert (await _checked(env=env)).exit_code == 0


async def test_help_has_an_example() -> None:
    """As every command's has."""
    assert "Example: callpost check --config" in (await _checked("--help")).stdout


async def test_an_unknown_option_is_wrong_usage() -> None:
    """Wrong usage is told apart from a fault."""
    assert (await _checked("--confg", "x")).exit_code == 2


def test_plain_text_fits_sixty_columns(good: Path) -> None:
    """It goes into mails and tickets."""
    out = StringIO()
    show(rows(load(good, {})), Console(file=out))
    assert max(map(len, out.getvalue().splitlines())) <= 60


def test_a_wide_terminal_gets_a_table(good: Path) -> None:
    """With a row for each endpoint, and no wider than the terminal."""
    out = StringIO()
    console = Console(file=out, force_terminal=True, no_color=True, width=100)
    show(rows(load(good, {})), console)
    assert "fallback-1" in out.getvalue()
    assert "promise" in out.getvalue()
