"""Subscriptions that get nothing: disabled, or left out because the configuration forbids them."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
from asyncclick.testing import CliRunner, Result
from msgspec.structs import replace

from api_house import ApiHouse, an_api_house
from callpost.cli import callpost
from callpost.cli.couriers import detail_unserved, overview
from callpost.model.condition import Unserved
from conditions import SUBSCRIPTIONS, UNSERVED
from operators_door import Door, Reply, a_door

UNSERVED_AT_160 = """\
NAME                       STATE     PENDING  LAG  IN FLIGHT  DELIVERED  DEAD  CUSTOMER  FROM     ENDPOINT         LAST FAILURE
crm                        ok              0               0        118     0            file     crm.example.com
lobby                      disabled                                                      file
voipnow.0003-210.8dd86b12  left out                                            acme      voipnow                   customer: there is no customer "acme"
"""  # noqa: E501 - as wide as the terminal
UNSERVED_AT_80 = (
    """\
voipnow.0003-210.8dd86b12: left out
gets          nothing: the configuration forbids it by now (customer: there is
              no customer "acme")
customer      acme
made over     the API (voipnow)
""",
    """\
lobby: disabled
gets          nothing: it is disabled
""",
)


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    """A daemon that serves nobody."""
    async with a_door(tmp_path / "control.sock") as opened:
        opened.replies["GET /v1/states"] = Reply({"subscriptions": [], "unserved": UNSERVED})
        yield opened


def test_those_that_get_nothing_come_last() -> None:
    """With what keeps them from it, and where they were made."""
    lines = overview(SUBSCRIPTIONS[:1], 160, UNSERVED)
    assert "".join(f"{line.plain}\n" for line in lines) == UNSERVED_AT_160


@pytest.mark.parametrize(("one", "text"), [*zip(UNSERVED, UNSERVED_AT_80, strict=True)])
def test_one_that_gets_nothing_is_shown_with_the_reason(one: Unserved, text: str) -> None:
    """And whose it is."""
    assert "".join(f"{line.plain}\n" for line in detail_unserved(one, 80)) == text


async def test_what_gets_nothing_is_listed_too(door: Door) -> None:
    """But it is neither paused nor failing."""
    lines = (await door.run("subscriptions")).stdout.splitlines()
    listed = json.loads((await door.run("subscriptions", "--json")).stdout)
    failing = (await door.run("subscriptions", "--failing")).stdout
    assert [line.split()[:3] for line in lines[1:]] == [
        ["lobby", "disabled", "file"],
        ["voipnow.0003-210.8dd86b12", "left", "out"],
    ]
    assert [one["condition"] for one in listed["unserved"]] == ["left_out", "disabled"]
    assert failing == "There is none such.\n"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("lobby", "it is disabled"),
        (
            UNSERVED[0].name,
            'the configuration forbids it by now (customer: there is no customer "acme")',
        ),
    ],
)
@pytest.mark.parametrize("verb", ["pause", "resume", "test", "replay"])
async def test_what_gets_nothing_is_not_called_unknown(
    door: Door, verb: str, name: str, why: str
) -> None:
    """Whoever reads it knows what to mend."""
    result = await door.run(verb, name)
    assert (result.exit_code, result.stderr) == (1, f"Error: {name!r} gets nothing: {why}.\n")
    assert (await door.run("status", name)).stdout.startswith(f"{name}: ")


async def test_one_that_is_served_after_all_is_obeyed(door: Door) -> None:
    """Its end was asked for, but could not be written down yet."""
    lobby = replace(SUBSCRIPTIONS[0], name="lobby")
    door.replies["GET /v1/states"] = Reply({"subscriptions": [lobby], "unserved": UNSERVED})
    door.replies["POST /v1/subscriptions/lobby/pause"] = Reply(lobby)
    assert (await door.run("pause", "lobby")).exit_code == 0


async def run(house: ApiHouse, *arguments: str) -> Result:
    """A command to its end."""
    with trio.fail_after(20):
        return await CliRunner().invoke(callpost, [*arguments, "--config", str(house.config)])


async def made(house: ApiHouse, *arguments: str) -> str:
    """The name of a new subscription."""
    wanted = ("--url", "http://127.0.0.1:9/", *arguments)
    result = await run(house, "subscribe", *wanted, "--json")
    return str(json.loads(result.stdout)["subscriptions"][0]["name"])


async def unserved(house: ApiHouse) -> list[tuple[str, str, str]]:
    """Name, origin and condition of those that get nothing."""
    listed = json.loads((await run(house, "subscriptions", "--json")).stdout)
    return [(one["name"], one["origin"], one["condition"]) for one in listed["unserved"]]


async def test_a_real_daemon_lists_what_gets_nothing_with_its_origin(tmp_path: Path) -> None:
    """Until the file allows again what was made before."""
    text = '[[subscription]]\nname = "lobby"\nurl = "http://127.0.0.1:9/"\nenabled = false\n'
    registry = "".join(f'[[customer]]\nid = "{one}"\n' for one in ("acme", "bravo"))
    with an_api_house(tmp_path, text) as house:
        disabled = await made(house, "--set", "enabled=false")
        left_out = await made(house, "--customer", "old")
        before = house.config.read_text()
        house.config.write_text(before + registry)
        await run(house, "reload")
        found = await unserved(house)
        told = await run(house, "status", left_out)
        house.config.write_text(before)
        await run(house, "reload")
        again = await unserved(house)
    of_file, of_api = ("lobby", "file", "disabled"), (disabled, "api", "disabled")
    assert found == [of_file, of_api, (left_out, "api", "left_out")]
    assert 'there is no customer "old"' in " ".join(told.stdout.split())
    assert again == [of_file, of_api]


EVENTS = "/uapi/extensions/old/0003*210/phoneCallEvents"
HANGUP = {"type": "2", "method": "0", "note": "", "url": "http://127.0.0.1:9/", "status": "1"}


async def listed(house: ApiHouse, token: str) -> dict[str, str]:
    """The state of each subscription that `token` sees; "" is the operator."""

    def ask() -> dict[str, str]:
        with house.client(token) as client:
            found = client.get("/v1/subscriptions").json()["subscriptions"]
        return {one["name"]: one["state"] for one in found}

    return await trio.to_thread.run_sync(ask)


async def completed(house: ApiHouse) -> list[str]:
    """What the shell offers to `unsubscribe`."""
    words = f"callpost unsubscribe --config {house.config} "
    env = {"_CALLPOST_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": "4"}
    result = await CliRunner().invoke(callpost, [], prog_name="callpost", env=env)
    return [line.partition(",")[2] for line in result.stdout.splitlines()]


async def test_what_is_left_out_of_a_dialect_is_taken_away_by_its_name(tmp_path: Path) -> None:
    """Its own paths know the customer no more; what is in force is changed there."""
    registry = "".join(f'[[customer]]\nid = "{one}"\n' for one in ("acme", "bravo"))
    item = {"url": "http://127.0.0.1:9/", "method": "POSTJSON"}
    with an_api_house(tmp_path) as house:
        with house.client() as operator:
            for customer in ("old", "old", "acme"):
                operator.post(f"/customer/{customer}/callnotify", json=item).raise_for_status()
            operator.post(EVENTS, json=HANGUP).raise_for_status()
        house.config.write_text(house.config.read_text() + registry)
        assert (await run(house, "reload")).exit_code == 0
        left_out = sorted(name for name, _, _ in await unserved(house))
        states = [await listed(house, token) for token in ("", "admin", "manager")]
        [in_force] = states[2]
        offered = await completed(house)
        refused = await run(house, "unsubscribe", left_out[0], in_force)
        with house.client("admin") as admin:
            statuses = [
                admin.delete(f"/v1/subscriptions/{name}").status_code
                for name in (left_out[0], in_force)
            ]
        gone = await run(house, "unsubscribe", *left_out[1:])
        await trio.to_thread.run_sync(house.restart)
        after = await listed(house, "")
    assert [name.partition(".")[0] for name in left_out] == [*["telecomx"] * 2, *["voipnow"] * 2]
    assert states[0] == states[1] == dict.fromkeys(left_out, "left_out") | {in_force: "active"}
    assert sorted(offered) == left_out
    assert refused.stderr == (
        f"Error: {in_force!r} was made over telecomx; change it there. Nothing was changed.\n"
    )
    assert statuses == [204, 409]
    # Both of VoipNow's were made of one hangup.
    assert gone.stdout.splitlines() == [f"{name} is gone" for name in left_out[1:]]
    assert after == {in_force: "active"}


async def test_a_dry_run_is_no_change_in_the_log(tmp_path: Path) -> None:
    """What was only looked at would read as if it had been done."""
    with an_api_house(tmp_path) as house:
        await run(house, "reload", "--dry-run")
        await run(house, "purge", "--call", "c", "--dry-run")
        await made(house)
        house.stop()
        lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    changes = [line for line in lines if line["event"] == "api.changed"]
    assert [(one["token"], one["path"]) for one in changes] == [("operator", "/v1/subscriptions")]
