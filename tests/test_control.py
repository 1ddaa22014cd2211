"""The operator's door of a whole daemon: a child process, its socket, real events.

What the door itself answers to is in `tests/control/`; here it stands in the house.
"""

import grp
import signal
import stat
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import trio

from callpost.control.states import States
from callpost.edge.call_control import Control, ControlRefused, ControlUnreachable, control
from callpost.edge.listen import Behaviour
from callpost.model.changes import Reloaded
from callpost.model.condition import HealthReport, Status, SubscriptionState
from callpost.model.delivery import Attempted
from callpost.model.replay import Replayed
from callpost.model.story import CallStory, DeadPage, PendingPage
from callpost.model.trial import Trial
from control_house import raw
from household import Daemon, Producer, a_receiver, an_event

NO_ADMINS = pytest.mark.skipif(
    any(one.gr_name == "callpost-admin" for one in grp.getgrall()),
    reason="this machine has the group callpost-admin",
)


def a_subscription(port: int, *more: str) -> str:
    """A subscription to everything, as POSTJSON."""
    return "\n".join(
        ["[[subscription]]", 'name = "crm"', f'url = "http://127.0.0.1:{port}/calls"', *more, ""]
    )


def door_of(daemon: Daemon) -> Path:
    """Where its control socket is."""
    return daemon.door.with_name("control.sock")


async def delivered(daemon: Control, events: int) -> SubscriptionState:
    """The subscription once so many of its events were delivered."""
    while True:
        state = await daemon.get("/v1/subscriptions/crm/state", SubscriptionState)
        if state.delivered >= events:
            return state


async def test_status_tells_what_was_delivered(tmp_path: Path) -> None:
    """Three events in, three out, nothing waits, and all is well."""
    async with a_receiver() as receiver:
        daemon = Daemon(tmp_path, a_subscription(receiver.port))
        async with daemon.running(), control(door_of(daemon)) as operator:
            await Producer(daemon.door).feed([an_event("c1", "newCall") for _ in range(3)])
            with trio.fail_after(10):
                # That they were delivered is written down with the next commit.
                while (status := await operator.get("/v1/status", Status)).spool.pending:
                    pass
    assert (status.health.ready, status.health.degraded) == (True, ())
    assert (status.intake.accepted, status.delivered) == (3, 3)
    assert daemon.process is not None
    assert status.pid == daemon.process.pid


async def test_only_the_group_may_open_the_door(tmp_path: Path) -> None:
    """The socket's mode is what the configuration says."""
    daemon = Daemon(tmp_path, "", '[control]\nmode = "0600"\n')
    async with daemon.running():
        assert stat.S_IMODE(door_of(daemon).stat().st_mode) == 0o600


async def test_groups_can_come_to_the_sockets(tmp_path: Path) -> None:
    """Through a directory that the daemon has made, whatever its own umask."""
    daemon = Daemon(tmp_path, "")
    async with daemon.running():
        assert stat.S_IMODE(door_of(daemon).parent.stat().st_mode) == 0o755


@NO_ADMINS
async def test_a_machine_without_the_admins_group_is_told_so(tmp_path: Path) -> None:
    """A warning says that its door is not open to the operators."""
    daemon = Daemon(tmp_path, "")
    async with daemon.running():
        told = await daemon.logged("control.group_missing")
    assert (told["level"], told["group"]) == ("warning", "callpost-admin")


@NO_ADMINS
async def test_without_the_admins_group_the_door_is_the_daemons_alone(tmp_path: Path) -> None:
    """Its own group may be the producers', who are no operators."""
    daemon = Daemon(tmp_path, "")
    async with daemon.running():
        assert stat.S_IMODE(door_of(daemon).stat().st_mode) == 0o600


async def test_a_group_that_was_wished_for_must_be_there(tmp_path: Path) -> None:
    """The start ends with its name, and in a way that it is tried again: it may come yet."""
    daemon = Daemon(tmp_path, "", '[control]\ngroup = "no-such-group"\n')
    command = [sys.executable, "-m", "callpost", "run", "--config", str(daemon.config)]
    with trio.fail_after(30):
        ended = await trio.run_process(command, capture_stderr=True, check=False)
    assert (ended.returncode, b"no group 'no-such-group'" in ended.stderr) == (1, True)


async def test_the_door_can_be_turned_off(tmp_path: Path) -> None:
    """Then there is no socket, and a command says what that may mean."""
    daemon = Daemon(tmp_path, "", '[control]\nsocket = ""\n')
    async with daemon.running(), control(door_of(daemon)) as operator:
        with pytest.raises(ControlUnreachable, match=r"no control socket; is callpost running\?"):
            await operator.get("/v1/status", Status)


async def test_pause_keeps_and_resume_sends(tmp_path: Path) -> None:
    """What comes in while it is paused waits, and goes out afterwards."""
    async with a_receiver() as receiver:
        daemon = Daemon(tmp_path, a_subscription(receiver.port))
        async with daemon.running(), control(door_of(daemon)) as operator:
            paused = await operator.post("/v1/subscriptions/crm/pause", SubscriptionState)
            await Producer(daemon.door).feed([an_event("c1", "newCall", id="e1")])
            page = await operator.get("/v1/deliveries", PendingPage, subscription="crm")
            resumed = await operator.post("/v1/subscriptions/crm/resume", SubscriptionState)
            await receiver.until(lambda r: r.ids() == ["e1"], within_s=10)
    assert (paused.condition, page.total, resumed.condition) == ("paused", 1, "active")


async def test_the_attempts_are_told_as_they_happen(tmp_path: Path) -> None:
    """Each attempt with its call, filtered by what was asked for."""
    async with a_receiver() as receiver:
        daemon = Daemon(tmp_path, a_subscription(receiver.port))
        async with (
            daemon.running(),
            control(door_of(daemon)) as operator,
            operator.attempts(call="c2", outcome=["delivered"]) as heard,
        ):
            lines = [an_event(call, "newCall", id=call) for call in ("c1", "c2", "c3")]
            await Producer(daemon.door).feed(lines)
            with trio.fail_after(10):
                first = await anext(aiter(heard))
    assert isinstance(first, Attempted)
    assert (first.call_id, first.event_id, first.outcome) == ("c2", "c2", "delivered")


async def test_a_call_tells_its_story(tmp_path: Path) -> None:
    """An id with a slash in it is percent-encoded."""
    async with a_receiver() as receiver:
        daemon = Daemon(tmp_path, a_subscription(receiver.port))
        async with daemon.running(), control(door_of(daemon)) as operator:
            await Producer(daemon.door).feed([an_event("a/b c", "newCall", id="e1")])
            with trio.fail_after(10):
                await delivered(operator, 1)
            story = await operator.get("/v1/calls/a%2Fb%20c", CallStory)
    assert [(one.event_id, one.kind) for one in story.events] == [("e1", "newCall")]


async def test_dead_letters_are_listed_and_replayed(tmp_path: Path) -> None:
    """What was rejected can be delivered again once the receiver is mended."""
    async with a_receiver(Behaviour(status=400)) as receiver:
        daemon = Daemon(tmp_path, a_subscription(receiver.port))
        async with daemon.running(), control(door_of(daemon)) as operator:
            await Producer(daemon.door).feed([an_event("c1", "newCall", id="e1")])
            with trio.fail_after(10):
                while not (page := await operator.get("/v1/dead-letters", DeadPage)).total:
                    pass
            body = {"subscription": "crm", "kinds": ["newCall"]}
            replayed = await operator.post("/v1/replay", Replayed, body)
            await receiver.until(lambda r: r.ids() == ["e1", "e1"], within_s=10)
    assert (page.deliveries[0].reason, replayed.deliveries) == ("rejected", 1)


async def test_a_subscription_is_tried_out(tmp_path: Path) -> None:
    """A newCall and a hangup of a call of its own arrive, and the answer is shown."""
    async with a_receiver() as receiver:
        daemon = Daemon(tmp_path, a_subscription(receiver.port))
        async with daemon.running(), control(door_of(daemon)) as operator:
            trial = await operator.post("/v1/subscriptions/crm/test", Trial)
    assert trial.ok
    assert [one.kind for one in trial.exchanges] == ["newCall", "hangup"]
    assert {body["callId"] for body in receiver.bodies()} == {trial.call_id}


async def test_a_reload_answers_with_what_changed(tmp_path: Path) -> None:
    """And a faulty file with every fault, under 422, while the old one stays in force."""
    async with a_receiver() as receiver:
        daemon = Daemon(tmp_path, a_subscription(receiver.port))
        async with daemon.running(), control(door_of(daemon)) as operator:
            text = daemon.config.read_text()
            daemon.config.write_text(text + a_subscription(receiver.port).replace("crm", "two"))
            good = await operator.post("/v1/reload", Reloaded)
            daemon.config.write_text(text + "nonsense = 1\n")
            faulty = await operator.post("/v1/reload", Reloaded)
            listed = await operator.get("/v1/states", States)
            health = await operator.get("/v1/health", HealthReport)
    assert good.changes is not None
    assert (good.ok, good.changes.added, faulty.ok) == (True, ("two",), False)
    assert len(faulty.faults) == 1
    assert [one.name for one in listed.subscriptions] == ["crm", "two"]
    assert [one.code for one in health.degraded] == ["config_rejected"]


async def test_the_level_of_the_log_can_be_set(tmp_path: Path) -> None:
    """From then on debug lines are written."""
    daemon = Daemon(tmp_path, "")
    async with daemon.running(), control(door_of(daemon)) as operator:
        await operator.put("/v1/log-level", dict[str, str], {"level": "debug"})
        await Producer(daemon.door).feed([an_event("c1", "newCall")])
        await daemon.logged("intake.accepted")


async def test_the_configuration_shows_no_secret(tmp_path: Path) -> None:
    """Neither the query of a URL nor a header's value."""
    secret = 'headers = { "X-Key" = "hidden-key" }'
    daemon = Daemon(
        tmp_path, a_subscription(9).replace("/calls", "/calls?key=hidden-query") + secret + "\n"
    )
    async with daemon.running(), control(door_of(daemon)) as operator:
        shown = await operator.text("/v1/config")
    assert "crm" in shown
    assert "hidden" not in shown


async def test_the_figures_are_there_for_prometheus(tmp_path: Path) -> None:
    """At both paths."""
    daemon = Daemon(tmp_path, "")
    async with daemon.running(), control(door_of(daemon)) as operator:
        pages = [await operator.text(path) for path in ("/metrics", "/v1/metrics")]
    assert all("callpost_build_info" in page for page in pages)


async def test_status_answers_while_the_couriers_drain(tmp_path: Path) -> None:
    """The phase is `draining`, and it is not ready any more."""
    async with a_receiver(Behaviour(delay_s=60)) as receiver:
        daemon = Daemon(tmp_path, a_subscription(receiver.port))
        async with daemon.running(), control(door_of(daemon)) as operator:
            await Producer(daemon.door).feed([an_event("c1", "newCall")])
            await receiver.until(lambda r: len(r.arrived) == 1, within_s=10)
            assert daemon.process is not None
            daemon.process.send_signal(signal.SIGTERM)
            await daemon.logged("daemon.stopping")
            status = await operator.get("/v1/status", Status)
            health = await operator.get("/v1/health", HealthReport)
            code = await daemon.end(signal.SIGTERM, within_s=10)
    assert (status.health.phase, health.ready, status.in_flight, code) == ("draining", False, 1, 0)


async def test_a_stop_ends_the_stream_and_waits_for_nobody(tmp_path: Path) -> None:
    """A listener that never reads does not hold the daemon up."""
    daemon = Daemon(tmp_path, "")
    async with daemon.running():
        asleep = await trio.open_unix_socket(str(door_of(daemon)))
        async with asleep, control(door_of(daemon)) as operator:
            await asleep.send_all(b"GET /v1/attempts HTTP/1.1\r\nhost: x\r\n\r\n")
            async with operator.attempts() as heard:
                code = await daemon.end(signal.SIGTERM, within_s=10)
                rest = [one async for one in heard]
    assert (code, rest) == (0, [])


HARMLESS_NOISE: Sequence[bytes] = (
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /v1/status HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
    b"POST /v1/replay HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
    b"POST /v1/replay HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    b"GET /v1/status HTTP/1.1\r\nx: " + b"y" * 70_000,
    b"A" * 1_000_000,
    b"GET /v1/attempts HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
    b"GET /v1/status HTTP/1.1\r\nhost: x\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00" + b"\xff" * 64,
)


async def test_events_flow_while_the_door_is_abused(tmp_path: Path) -> None:
    """Bad HTTP, half requests and a hundred connections: each event arrives, status answers."""
    async with a_receiver() as receiver:
        daemon = Daemon(tmp_path, a_subscription(receiver.port))
        door = door_of(daemon)
        async with daemon.running(), trio.open_nursery() as nursery:
            for noise in HARMLESS_NOISE:
                nursery.start_soon(_make, door, noise)
            for _ in range(100):
                nursery.start_soon(_loiter, door)
            lines = [an_event(f"c{n}", "newCall", id=f"e{n}") for n in range(300)]
            await Producer(daemon.door).feed(lines)
            await receiver.until(lambda r: len(r.arrived) == 300, within_s=20)
            with trio.fail_after(5):
                async with control(door) as operator:
                    await operator.get("/v1/status", Status)
            nursery.cancel_scope.cancel()
        troubles = [line for line in daemon.log if "exception" in line or line["level"] == "error"]
    assert (len(set(receiver.ids())), troubles) == (300, [])


async def test_what_is_refused_says_why(tmp_path: Path) -> None:
    """An unknown name, and a body of a megabyte."""
    daemon = Daemon(tmp_path, "")
    async with daemon.running(), control(door_of(daemon)) as operator:
        with pytest.raises(ControlRefused, match="There is no subscription named 'nope'") as name:
            await operator.post("/v1/subscriptions/nope/pause", SubscriptionState)
        with pytest.raises(ControlRefused, match="A body has at most 65536 bytes") as size:
            await operator.post("/v1/replay", Replayed, {"callId": "x" * 1_000_000})
    assert (name.value.status, size.value.status) == (404, 413)


async def _make(door: Path, noise: bytes) -> None:
    try:
        await raw(door, noise)
    except trio.BrokenResourceError:
        return


async def _loiter(door: Path) -> None:
    """A client that sends a byte a second, and never gets anywhere."""
    stream = await trio.open_unix_socket(str(door))
    async with stream:
        try:
            for byte in b"GET /v1/status HTTP/1.1\r\nhost: somebody\r\nx: y":
                await stream.send_all(bytes([byte]))
                await trio.sleep(1)
        except trio.BrokenResourceError:
            return


async def test_whoever_asks_until_the_end_hears_that_it_is_stopping(tmp_path: Path) -> None:
    """Never a bug of ours: an answer, the word that it stops, or the end of the connection."""
    async with a_receiver() as receiver:
        daemon = Daemon(tmp_path, a_subscription(receiver.port))
        async with daemon.running(), trio.open_nursery() as nursery:
            await Producer(daemon.door).feed([an_event(f"c{n}", "newCall") for n in range(50)])
            for path in (
                "/v1/status",
                "/v1/states",
                "/v1/subscriptions",
                "/metrics",
                "/v1/deliveries",
            ):
                nursery.start_soon(_ask_on, door_of(daemon), path)
            code = await daemon.end(signal.SIGTERM, within_s=10)
            await daemon.logged("daemon.stopped")
        names = {line["event"] for line in daemon.log}
    assert (code, names & {"http.failed", "http.connection_failed", "spool.degraded"}) == (0, set())


async def _ask_on(door: Path, path: str) -> None:
    """Ask again and again until nobody answers."""
    async with control(door) as operator:
        while True:
            try:
                await operator.text(path)
            except ControlRefused as refused:
                if str(refused) != "callpost is stopping.":
                    raise
            except ControlUnreachable:
                return
