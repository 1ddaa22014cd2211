"""The whole house as a child process over real sockets and a real disk."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
import trio

from callpost.edge.listen import Behaviour
from household import Daemon, Producer, Receiver, a_receiver, an_event


def a_subscription(port: int, *more: str) -> str:
    """A subscription to everything, as POSTJSON."""
    return "\n".join(
        ["[[subscription]]", 'name = "crm"', f'url = "http://127.0.0.1:{port}/calls"', *more, ""]
    )


def a_story(calls: int) -> list[bytes]:
    """`calls` calls of five events each, interleaved, with ids of the producer's own."""
    kinds = ["newCall", "ringing", "answer", "hangup", "cdr"]
    return [
        an_event(f"call-{call}", kind, id=f"{call}-{place}")
        for place, kind in enumerate(kinds)
        for call in range(calls)
    ]


def seqs_in_order_of_first_arrival(receiver: Receiver) -> dict[str, list[int]]:
    """For each call the `seq` of what arrived, repeats left out."""
    seen: dict[str, list[int]] = defaultdict(list)
    for body in receiver.bodies():
        call, seq = str(body["callId"]), int(str(body["seq"]))
        if seq not in seen[call]:
            seen[call].append(seq)
    return seen


async def test_an_event_goes_from_the_socket_to_the_subscriber(tmp_path: Path) -> None:
    """A plain client gets its reply, the receiver its event with the marks of the contract."""
    async with a_receiver() as receiver:
        daemon = Daemon(tmp_path, a_subscription(receiver.port))
        async with daemon.running():
            producer = Producer(daemon.door)
            await producer.feed([an_event("c1", "newCall", id="e1")])
            await receiver.until(lambda r: len(r.arrived) == 1, within_s=10)
    headers = {name.lower(): value for name, value in receiver.arrived[0].headers}
    assert producer.replies == [{"ok": True, "id": "e1", "number": 1, "matched": 1}]
    assert (headers["webhook-id"], headers["callpost-seq"], headers["callpost-attempt"]) == (
        "e1",
        "1",
        "1",
    )


async def test_a_datagram_is_an_event_too(tmp_path: Path) -> None:
    """One datagram, one event, no reply."""
    async with a_receiver() as receiver:
        daemon = Daemon(tmp_path, a_subscription(receiver.port))
        async with daemon.running():
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as producer:
                producer.sendto(an_event("c1", "newCall", id="d1"), str(daemon.datagrams))
            await receiver.until(lambda r: r.ids() == ["d1"], within_s=10)


async def test_nothing_is_lost_over_a_stop_and_a_start(tmp_path: Path) -> None:
    """SIGTERM in the middle of 2,000 events, then a new start: all arrive, in order, once."""
    lines = a_story(400)
    async with a_receiver() as receiver:
        daemon = Daemon(tmp_path, a_subscription(receiver.port))
        producer = Producer(daemon.door)
        async with daemon.running(), trio.open_nursery() as nursery:
            nursery.start_soon(producer.feed, lines)
            await receiver.until(lambda r: len(r.arrived) >= 300, within_s=20)
            status = await daemon.end(signal.SIGTERM)
        acknowledged = set(producer.acknowledged())
        async with daemon.running():
            await receiver.until(lambda r: set(r.ids()) >= acknowledged, within_s=40)
    assert status == 0
    assert len(receiver.ids()) == len(set(receiver.ids()))
    assert all(seqs == sorted(seqs) for seqs in seqs_in_order_of_first_arrival(receiver).values())


async def test_a_second_signal_cuts_the_draining_short(tmp_path: Path) -> None:
    """With a receiver that hangs the daemon ends at once, and says that it has ended."""
    async with a_receiver(Behaviour(delay_s=60)) as receiver:
        daemon = Daemon(tmp_path, a_subscription(receiver.port))
        async with daemon.running():
            await Producer(daemon.door).feed([an_event("c1", "newCall")])
            await receiver.until(lambda r: len(r.arrived) == 1, within_s=10)
            assert daemon.process is not None
            daemon.process.send_signal(signal.SIGTERM)
            await daemon.logged("daemon.stopping")
            status = await daemon.end(signal.SIGTERM, within_s=5)
            await daemon.logged("daemon.stopped")
    names = {line["event"] for line in daemon.log}
    assert (status, "attempt.cut_short" in names) == (0, True)


async def test_a_hangup_signal_does_not_end_it(tmp_path: Path) -> None:
    """SIGHUP, as a closing terminal sends it, reads the configuration again and changes nothing."""
    async with a_receiver() as receiver:
        daemon = Daemon(tmp_path, a_subscription(receiver.port))
        async with daemon.running():
            assert daemon.process is not None
            daemon.process.send_signal(signal.SIGHUP)
            await daemon.logged("config.reloaded")
            await Producer(daemon.door).feed([an_event("c1", "newCall")])
            await receiver.until(lambda r: len(r.arrived) == 1, within_s=10)


async def test_kill_9_in_the_middle_of_5000_events_loses_nothing_acknowledged(
    tmp_path: Path,
) -> None:
    """Every event that was answered ok arrives after the crash, in the order of its call."""
    lines = a_story(1000)
    async with a_receiver() as receiver:
        daemon = Daemon(tmp_path, a_subscription(receiver.port))
        producer = Producer(daemon.door)
        async with daemon.running():
            midway = trio.Event()

            def look() -> None:
                if len(producer.replies) >= 2000:
                    midway.set()

            async with trio.open_nursery() as nursery:
                nursery.start_soon(lambda: producer.feed(lines, answered=look))
                await midway.wait()
                await daemon.end(signal.SIGKILL)
        acknowledged = set(producer.acknowledged())
        async with daemon.running():
            await receiver.until(lambda r: set(r.ids()) >= acknowledged, within_s=60)
    assert len(acknowledged) >= 2000
    assert all(
        seqs == list(range(1, len(seqs) + 1))
        for seqs in seqs_in_order_of_first_arrival(receiver).values()
    )


async def test_a_receiver_that_was_down_gets_everything_in_order(tmp_path: Path) -> None:
    """Retries carry the call over an outage, and the later events wait for the first."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
    daemon = Daemon(tmp_path, a_subscription(port))
    async with daemon.running():
        await Producer(daemon.door).feed(a_story(3))
        await daemon.logged("delivery.attempted")
        command = [sys.executable, "-m", "callpost", "listen", "--json", "--http", str(port)]
        command += ["--tcp", "0", "--udp", "0", "--count", "15"]
        with trio.fail_after(30):
            listened = await trio.run_process(command, capture_stdout=True)
    seqs: dict[str, list[int]] = defaultdict(list)
    for line in listened.stdout.splitlines():
        arrival = json.loads(line)
        content = arrival.get("content")
        body = json.loads(content) if isinstance(content, str) else content
        if isinstance(body, dict) and "callId" in body:
            seqs[body["callId"]].append(body["seq"])
    assert dict(seqs) == {f"call-{n}": [1, 2, 3, 4, 5] for n in range(3)}


async def test_a_refused_event_leaves_the_connection_usable(tmp_path: Path) -> None:
    """Bad lines are answered one by one, and the good one between them is delivered."""
    bad = [
        b'{"event":"newCall"}\n',
        b'{"event":"newCall","callId":7}\n',
        b'{"event":"newCall","callId":"\xff"}\n',
        b'{"event":"newCall","callId":"a","note":"x"}\n',
        b'{"event":"newCall","callId":"a\\u0000"}\n',
        b'{"event":"newCall","callId":"' + b"x" * 70 * 1024 + b'"}\n',
        b'{"event":"newCall","callId":"a","data":' + b"[" * 900 + b"]" * 900 + b"}\n",
        b"hello\n",
    ]
    async with a_receiver() as receiver:
        daemon = Daemon(tmp_path, a_subscription(receiver.port))
        producer = Producer(daemon.door)
        async with daemon.running():
            await producer.feed([*bad, an_event("c", "newCall", id="good"), bad[0]])
            await receiver.until(lambda r: r.ids() == ["good"], within_s=10)
    answers = [reply.get("error", "ok") for reply in producer.replies]
    assert answers == ["invalid"] * 5 + ["too_large"] + ["invalid"] * 2 + ["ok", "invalid"]


async def test_a_repeated_id_is_not_delivered_again(tmp_path: Path) -> None:
    """A producer may send an event again after a lost reply."""
    async with a_receiver() as receiver:
        daemon = Daemon(tmp_path, a_subscription(receiver.port))
        producer = Producer(daemon.door)
        async with daemon.running():
            await producer.feed([an_event("c", "newCall", id="e1")])
            await producer.feed([an_event("c", "newCall", id="e1"), an_event("c", "hangup")])
            await receiver.until(lambda r: len(r.arrived) == 2, within_s=10)
    assert producer.replies[1] == {
        "ok": True,
        "id": "e1",
        "number": 1,
        "matched": 1,
        "duplicate": True,
    }


async def test_a_rejected_event_is_a_hole_and_the_call_goes_on(tmp_path: Path) -> None:
    """422 is a dead letter at once; it is logged with its reason."""
    async with a_receiver(Behaviour(status=422)) as receiver:
        daemon = Daemon(tmp_path, a_subscription(receiver.port))
        async with daemon.running():
            await Producer(daemon.door).feed([an_event("c", "newCall"), an_event("c", "hangup")])
            await receiver.until(lambda r: len(r.arrived) == 2, within_s=10)
            died = await daemon.logged("delivery.died")
    assert (died["reason"], died["last"]) == ("rejected", "http_422")


def run_to_its_end(config: Path) -> subprocess.CompletedProcess[str]:
    """`callpost run`, which is expected not to stay."""
    return subprocess.run(
        [sys.executable, "-m", "callpost", "run", "--config", str(config)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize(
    ("text", "says", "status"),
    [
        ("state_directory = 7\n", "state_directory", 78),
        ('[[subscription]]\nname = "a"\nurl = "http://x:0/"\n', "Port is invalid", 78),
        ("nonsense\n", "line 1", 78),
        ('[intake]\nstrem = "x"\n', 'did you mean "stream"', 78),
        ('[intake]\nstream = "/run/' + "x" * 120 + '"\n', "107", 78),
    ],
)
def test_a_faulty_configuration_is_told_in_one_line(
    tmp_path: Path, text: str, says: str, status: int
) -> None:
    """Each fault is one line on standard error, and the exit status says configuration."""
    config = tmp_path / "callpost.toml"
    config.write_text(text)
    ended = run_to_its_end(config)
    assert (ended.returncode, says in ended.stderr, len(ended.stderr.splitlines())) == (
        status,
        True,
        1,
    ), ended.stderr


@pytest.mark.parametrize(
    ("top", "says"),
    [
        ('state_directory = "{tmp}/file"\nruntime_directory = "{tmp}"\n', "{tmp}/file"),
        (
            'state_directory = "{tmp}/state"\nruntime_directory = "{tmp}/file/run"\n',
            "{tmp}/file/run: the runtime directory cannot be made",
        ),
        ('[intake]\nstream = "{tmp}/none/events.sock"\n', "{tmp}/none"),
        ('[intake]\nstream = "file"\n', "{tmp}/file"),
    ],
)
def test_an_unusable_directory_or_socket_is_told_in_one_line(
    tmp_path: Path, top: str, says: str
) -> None:
    """The sentence names the path, and the exit status is 1."""
    (tmp_path / "file").write_text("not a socket")
    config = tmp_path / "callpost.toml"
    if "state_directory" not in top:
        top = 'state_directory = "{tmp}/state"\n' + f'runtime_directory = "{{tmp}}"\n{top}'
    config.write_text(top.replace("{tmp}", str(tmp_path)))
    ended = run_to_its_end(config)
    assert says.replace("{tmp}", str(tmp_path)) in ended.stderr
    assert (ended.returncode, len(ended.stderr.splitlines())) == (1, 1), ended.stderr


async def test_a_second_daemon_says_who_holds_the_directory(tmp_path: Path) -> None:
    """Two daemons on one state directory would lose both; the second names the first."""
    daemon = Daemon(tmp_path, "")
    async with daemon.running():
        assert daemon.process is not None
        other = tmp_path / "other.toml"
        other.write_text(
            f'state_directory = "{tmp_path}/state"\nruntime_directory = "{tmp_path}/run2"\n'
        )
        ended = await trio.to_thread.run_sync(run_to_its_end, other)
        assert (ended.returncode, str(daemon.process.pid) in ended.stderr) == (1, True)


@pytest.mark.parametrize("command", ["run", "check", "send", "listen", "init", "demo"])
def test_every_command_has_help_with_an_example(command: str) -> None:
    """`--help` ends in exit status 0 and shows an example."""
    ended = subprocess.run(
        [sys.executable, "-m", "callpost", command, "--help"],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
        env=os.environ | {"COLUMNS": "80"},
    )
    assert "Example" in ended.stdout


def test_the_demo_ends_in_its_table() -> None:
    """`callpost demo` needs nothing and exits 0 with twelve subscribers content."""
    ended = subprocess.run(
        [sys.executable, "-m", "callpost", "demo"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (ended.returncode, "12 of 12" in ended.stdout) == (0, True), ended.stdout
