"""Moving from another system, whole: its list is imported and checked, and a daemon obeys it."""

import json
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import parse_qsl

import trio
from asyncclick.testing import CliRunner
from defusedxml import ElementTree  # type: ignore[import-untyped] # it ships no types

from callpost.cli import callpost
from household import Daemon, Producer, Receiver, a_receiver, an_event


async def moved(
    tmp_path: Path, system: str, answer: object, *arguments: str, subscriptions: str = ""
) -> Daemon:
    """A daemon whose drop-in was imported, and passed `check`."""
    saved = trio.Path(tmp_path / "list.json")
    await saved.write_text(json.dumps(answer))
    await trio.Path(tmp_path / "conf.d").mkdir()
    daemon = Daemon(tmp_path, subscriptions)
    output = ("--output", str(tmp_path / "conf.d" / f"{system}.toml"))
    for command in (
        ("import", "--from", system, str(saved), *output, *arguments),
        ("check", "--config", str(daemon.config)),
    ):
        result = await CliRunner().invoke(callpost, command)
        assert result.exit_code == 0, result.output
    return daemon


async def told(
    daemon: Daemon, receiver: Receiver, events: Sequence[bytes], *, requests: int
) -> None:
    """Feed the events and wait for as many requests."""
    producer = Producer(daemon.door)
    await producer.feed(events)
    assert len(producer.acknowledged()) == len(events)
    await receiver.until(lambda seen: len(seen.arrived) >= requests, within_s=10)


def a_call(call: str, *kinds: str, **more: object) -> list[bytes]:
    """The events of one call."""
    return [an_event(call, kind, **more) for kind in kinds]


async def test_a_telecomx_subscription_gets_its_calls(tmp_path: Path) -> None:
    """POSTXML2 of calls over SIP, as the list had it."""
    async with a_receiver() as receiver:
        url = f"http://127.0.0.1:{receiver.port}/call"
        answer = [{"_id": "5f" * 12, "url": url, "method": "POSTXML2", "selection": "SIP"}]
        daemon = await moved(tmp_path, "telecomx", answer)
        async with daemon.running():
            events = a_call("mobile", "newCall", network="MVNO")
            events += a_call("fixed", "newCall", network="SIP", fromName="Alice")
            await told(daemon, receiver, events, requests=1)
        [request] = receiver.arrived
        root = ElementTree.fromstring(request.content)
        assert (root.findtext("callId"), root.findtext("fromName")) == ("fixed", "Alice")


async def test_voipnow_subscriptions_get_their_extensions_calls(tmp_path: Path) -> None:
    """Dial-in and hangup by POST under VoipNow's names; a dial-out is told of its end only."""
    async with a_receiver() as receiver:
        url = f"http://127.0.0.1:{receiver.port}/events"
        items = [{"type": str(one), "method": "1", "url": url, "status": "1"} for one in (0, 2)]
        daemon = await moved(
            tmp_path, "voipnow", {"entry": items}, "--extension", "0003*210", "--customer", "acme"
        )
        inbound: Mapping[str, object] = {"direction": "in", "to": "0003*210", "customer": "acme"}
        outbound: Mapping[str, object] = {"direction": "out", "from": "0003*210"}
        async with daemon.running():
            events = a_call("i", "newCall", "answer", "hangup", **inbound)
            events += a_call("o", "newCall", "hangup", **outbound, customer="acme")
            events += a_call("x", "newCall", "hangup", **{**inbound, "customer": "globex"})
            await told(daemon, receiver, events, requests=3)
        forms = [dict(parse_qsl(request.content.decode())) for request in receiver.arrived]
        seen = sorted((one["CallID"], one["CallStatus"], one["CallFlow"]) for one in forms)
        assert seen == [("i", "ANSWER", "IN"), ("i", "CALLING", "IN"), ("o", "UNKNOWN", "OUT")]


def wanting(called: str, port: int) -> str:
    """A subscription to the calls of one number."""
    url = f"http://127.0.0.1:{port}/"
    return f'[[subscription]]\nname = "crm"\nurl = "{url}"\ncalled = ["{called}"]\n'


RULES = {
    "list_items": [{"link_id": 7, "forward_number": 101, "forward_entity_list": ["sip:bob@pbx"]}]
}


async def test_a_basip_rule_tells_its_target_of_the_call(tmp_path: Path) -> None:
    """With the link, and the number that was dialled."""
    async with a_receiver() as receiver:
        rules = wanting("sip:bob@pbx", receiver.port)
        daemon = await moved(tmp_path, "basip", RULES, subscriptions=rules)
        async with daemon.running():
            await told(daemon, receiver, a_call("c", "newCall", to="101"), requests=1)
        [event] = receiver.bodies()
        assert (event["to"], event["linkId"], event["diversion"]) == ("101", 7, "101")


async def test_a_reload_obeys_other_rules(tmp_path: Path) -> None:
    """At once: the rule is gone, and its target is told no more."""
    async with a_receiver() as receiver:
        rules = wanting("sip:bob@pbx", receiver.port)
        daemon = await moved(tmp_path, "basip", RULES, subscriptions=rules)
        async with daemon.running():
            await told(daemon, receiver, a_call("before", "newCall", to="101"), requests=1)
            await trio.Path(tmp_path / "conf.d" / "basip.toml").write_text("")
            assert daemon.process is not None
            daemon.process.send_signal(signal.SIGHUP)
            await daemon.logged("config.reloaded")
            events = a_call("after", "newCall", to="101")
            events += a_call("last", "newCall", to="sip:bob@pbx")
            await told(daemon, receiver, events, requests=2)
        assert [event["callId"] for event in receiver.bodies()] == ["before", "last"]
