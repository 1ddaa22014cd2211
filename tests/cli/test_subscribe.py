"""`callpost subscribe` and `callpost unsubscribe`: what is asked, and what becomes of it."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import asyncclick as click
import pytest
import trio
from asyncclick.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from api_house import ApiHouse, an_api_house
from callpost.cli import callpost
from callpost.cli.wanted import of_file, of_settings
from operators_door import Door, Reply, a_door

MADE = {"name": "api.crm.3f9a0c51", "state": "active"}
POST = "POST /v1/subscriptions"


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    """A daemon that makes whatever it is asked to make."""
    async with a_door(tmp_path / "control.sock", {POST: Reply(MADE, 201)}) as opened:
        yield opened


async def test_options_become_a_document(door: Door) -> None:
    """The keys of the configuration, others by --set."""
    result = await door.run(
        *("subscribe", "crm", "--url", "https://crm.example.com/", "--method", "GET1"),
        *("--event", "newCall", "--event", "hangup", "--customer", "acme"),
        *("--set", 'caller=["+45*"]', "--set", "order=none", "--set", "rate_per_s = 5"),
        *("--set", 'headers.X-A="1"', "--set", "headers.X-B=two"),
    )
    assert (result.exit_code, result.stdout) == (0, "api.crm.3f9a0c51 is active\n")
    assert door.bodies == [
        {
            "name": "crm",
            "url": "https://crm.example.com/",
            "method": "GET1",
            "events": ["newCall", "hangup"],
            "customer": "acme",
            "caller": ["+45*"],
            "order": "none",
            "rate_per_s": 5,
            "headers": {"X-A": "1", "X-B": "two"},
        }
    ]


async def test_a_name_need_not_be_given(door: Door) -> None:
    """What is not said is left to the daemon."""
    await door.run("subscribe", "--url", "tcp://10.0.0.9:4010")
    assert door.bodies == [{"url": "tcp://10.0.0.9:4010"}]


FILES = [
    ("a.toml", 'url = "https://a.example/"\nevents = ["newCall"]\n', 1),
    ("a.toml", '[[subscription]]\nurl = "x"\n[[subscription]]\nurl = "y"\n', 2),
    ("a.json", '{"url": "x"}', 1),
    ("a.json", '[{"url": "x"}, {"url": "y"}]', 2),
    ("a.json", '{"subscriptions": [{"url": "x"}], "total": 1}', 1),
    ("noext", ' {"url": "x"}', 1),
    ("noext", '[[subscription]]\nurl = "x"\n', 1),
]


@pytest.mark.parametrize(("name", "text", "count"), FILES)
async def test_a_file_has_one_or_several(
    door: Door, tmp_path: Path, name: str, text: str, count: int
) -> None:
    """In TOML or JSON, as a configuration or as a listing has them."""
    file = tmp_path / name
    file.write_text(text)
    result = await door.run("subscribe", str(file))
    assert (result.exit_code, len(door.bodies)) == (0, count)
    assert all(isinstance(body, dict) and "url" in body for body in door.bodies)


async def test_standard_input_is_a_file(door: Door) -> None:
    """So that a secret need not stand on a command line."""
    arguments = ["subscribe", "-", "--control", str(door.path)]
    with trio.fail_after(20):
        result = await CliRunner().invoke(callpost, arguments, input='url = "x"\n')
    assert (result.exit_code, door.bodies) == (0, [{"url": "x"}])


async def test_json_is_what_the_daemon_answers(door: Door) -> None:
    """One document with all of them."""
    result = await door.run("subscribe", "--url", "x", "--json")
    assert json.loads(result.stdout) == {"subscriptions": [MADE]}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "a.toml holds no subscription."),
        ("[]", "a.toml holds no subscription."),
        ("5", "a.toml holds no subscription."),
        ("[{}, 5]", "a.toml holds something that is no subscription."),
        ("[[subscription]]\n[intake]\n[log]\n", "holds more than subscriptions: intake, log."),
        ('{"url": ', "a.toml is not JSON: "),
        ("url = ", "a.toml is not TOML: "),
        ("\x00", "a.toml is not TOML: "),
        ("\xff", "a.toml is not UTF-8."),
    ],
)
async def test_a_file_that_says_nothing_is_told_so(
    door: Door, tmp_path: Path, text: str, sentence: str
) -> None:
    """In one sentence, and nothing is asked of the daemon."""
    (tmp_path / "a.toml").write_text(text, encoding="latin-1")
    result = await door.run("subscribe", str(tmp_path / "a.toml"))
    assert (result.exit_code, door.asked, result.stderr.count("\n")) == (1, [], 1)
    assert sentence in result.stderr


async def test_a_file_that_is_not_there_is_told_so(door: Door, tmp_path: Path) -> None:
    """With its name."""
    result = await door.run("subscribe", str(tmp_path / "nope.toml"))
    assert (result.exit_code, result.stderr) == (
        1,
        f"Error: {tmp_path}/nope.toml cannot be read: no such file or directory.\n",
    )


async def test_a_name_without_a_url_is_told_what_it_lacks(door: Door) -> None:
    """For it is taken for a file."""
    result = await door.run("subscribe", "no-such-file")
    assert result.stderr == (
        "Error: no-such-file cannot be read: no such file or directory."
        " Or is it a name? That goes with --url.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--url", "x", "--set", "url=y"], "url is said twice; leave it out of --set."),
        (["crm", "--url", "x", "--set", "name=y"], "name is said twice; leave it out of --set."),
        ([], "Either --url or a FILE says what to subscribe."),
        (["a.toml", "--method", "GET1"], "Without --url everything stands in FILE."),
        (["--url", "x", "--set", "nonsense"], "expected KEY=VALUE"),
        (["--url", "x", "--set", "=1"], "expected KEY=VALUE"),
        (["--url", "x", "--set", "events=[newCall]"], "the value of events is not TOML"),
        (["--url", "x", "--method", "POST"], "'POST' is not one of"),
    ],
)
async def test_wrong_usage_is_told(door: Door, arguments: list[str], sentence: str) -> None:
    """With the status for it."""
    result = await door.run("subscribe", *arguments)
    assert (result.exit_code, sentence in result.stderr, door.asked) == (2, True, [])


async def test_what_the_daemon_refuses_is_told_with_its_number(door: Door, tmp_path: Path) -> None:
    """Of several; those before it are made."""
    file = tmp_path / "two.json"
    file.write_text('[{"url": "x"}, {"url": "y"}]')
    problem = {"detail": "It is.", "errors": [{"path": "$.url", "detail": "Invalid URL"}]}
    door.replies[POST] = Reply(problem, 400, "application/problem+json")
    result = await door.run("subscribe", str(file))
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: Subscription 1 of 2: $.url: Invalid URL.\n",
    )


async def test_a_made_up_file_is_no_traceback(door: Door, tmp_path: Path) -> None:
    """A directory is no file."""
    result = await door.run("subscribe", str(tmp_path))
    assert (result.exit_code, "cannot be read" in result.stderr) == (1, True)


@given(text=st.text(max_size=30))
def test_any_setting_is_read_or_refused(text: str) -> None:
    """Never anything but wrong usage."""
    with suppress(click.BadParameter):
        of_settings([text])


@given(content=st.binary(max_size=60))
def test_any_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    """In one sentence."""
    file = tmp_path_factory.getbasetemp() / "any"
    file.write_bytes(content)
    with suppress(click.ClickException):
        of_file(str(file))


# --- with a daemon


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiHouse]:
    """One for all; a subscription stands in its file."""
    text = '[[subscription]]\nname = "crm"\nurl = "http://127.0.0.1:9/"\n'
    with an_api_house(tmp_path_factory.mktemp("api"), text) as house:
        yield house


async def run(house: ApiHouse, *arguments: str, text: str = "") -> Result:
    """A command to its end."""
    with trio.fail_after(20):
        return await CliRunner().invoke(
            callpost, [*arguments, "--config", str(house.config)], input=text
        )


async def made(house: ApiHouse, *arguments: str, text: str = "") -> str:
    """The name of a new subscription."""
    result = await run(house, "subscribe", *arguments, "--json", text=text)
    assert result.exit_code == 0, result.stderr
    return str(json.loads(result.stdout)["subscriptions"][0]["name"])


async def test_what_is_subscribed_is_there_and_what_is_unsubscribed_is_not(
    house: ApiHouse,
) -> None:
    """Trusted: it may deliver at home."""
    name = await made(house, "shop", "--url", "http://192.168.0.7/")
    listed = (await run(house, "subscriptions")).stdout
    gone = await run(house, "unsubscribe", name)
    after = (await run(house, "subscriptions")).stdout
    assert re.fullmatch(r"api\.shop\.[0-9a-f]{8}", name)
    assert (name in listed, name in after) == (True, False)
    assert (gone.exit_code, gone.stdout) == (0, f"{name} is gone\n")


async def test_what_was_made_before_a_refusal_is_told_as_json_too(house: ApiHouse) -> None:
    """It is there, and somebody may want to take it away."""
    text = '[{"url": "http://127.0.0.1:9/"}, {"url": "nonsense"}]'
    result = await run(house, "subscribe", "-", "--json", text=text)
    name = json.loads(result.stdout)["subscriptions"][0]["name"]
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: Subscription 2 of 2: $.url: Invalid URL: it has no scheme, such as https://.\n",
    )
    assert (await run(house, "unsubscribe", name)).exit_code == 0


async def test_every_fault_is_told_at_once(house: ApiHouse) -> None:
    """By its key."""
    result = await run(
        house, "subscribe", "--url", "nonsense", "--set", "methd=GET1", "--set", "level=7"
    )
    assert result.exit_code == 1
    for told in (
        "$.url: Invalid URL: it has no scheme",
        '$.methd: there is no such key; did you mean "method"?',
    ):
        assert told in result.stderr
    assert "$.level: " in result.stderr


async def test_pending_deliveries_of_what_is_gone_are_told(house: ApiHouse) -> None:
    """They are dead letters now."""
    name = await made(house, "--url", "http://127.0.0.1:9/", "--set", 'called=["555"]')
    await run(house, "pause", name)
    house.feed({"event": "newCall", "callId": "c", "to": "555"})
    gone = await run(house, "unsubscribe", name)
    assert gone.stdout == f"{name} is gone, 1 pending are dead letters\n"


async def test_one_that_is_not_enabled_can_be_taken_away(house: ApiHouse) -> None:
    """Though it is not served."""
    name = await made(house, "-", text='url = "http://127.0.0.1:9/"\nenabled = false\n')
    assert (await run(house, "unsubscribe", name)).exit_code == 0


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("crm", "'crm' stands in the configuration file; change it there."),
        ("cmr", "There is no subscription named 'cmr'; did you mean \"crm\"?"),
        ("a/b", "There is no subscription named 'a/b'."),
    ],
)
async def test_what_cannot_be_taken_away_is_told(house: ApiHouse, name: str, sentence: str) -> None:
    """And nothing else is taken away either."""
    other = await made(house, "--url", "http://127.0.0.1:9/")
    result = await run(house, "unsubscribe", other, name)
    kept = await run(house, "unsubscribe", other, "--json")
    assert (result.exit_code, result.stderr) == (1, f"Error: {sentence} Nothing was changed.\n")
    assert json.loads(kept.stdout) == {"unsubscribed": [other]}


async def test_names_that_were_made_are_completed(house: ApiHouse) -> None:
    """For `unsubscribe` those only that it can take away."""
    name = await made(house, "tab", "--url", "http://127.0.0.1:9/")
    words = f"callpost unsubscribe --config {house.config} "
    completed = await CliRunner().invoke(
        callpost,
        [],
        prog_name="callpost",
        env={"_CALLPOST_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": "4"},
    )
    await run(house, "unsubscribe", name)
    assert completed.stdout.splitlines() == [f"plain,{name}"]
