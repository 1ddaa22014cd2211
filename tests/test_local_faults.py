"""Faults of this machine, made by real means: they are charged to nobody, and they pass.

`max_attempts = 1` is the proof: one round that counted would be the end of the delivery.
"""

import json
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Final

import pytest
import trio

from callpost.edge.listen import Arrived
from household import Daemon, a_receiver, an_event

ONE_ROUND: Final = "retry = { pauses_s = [1.0], max_age_s = 60.0, max_attempts = 1 }"
# Answers every question for an IPv4 address with 127.0.0.1, every other one with nothing
# (RFC 1035, section 4: header, the question again, one record that points to its name).
NAME_SERVER: Final = r"""
import socket, struct, sys
door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
door.bind(("", 53))
print("ready", flush=True)
while True:
    asked, client = door.recvfrom(512)
    end = asked.index(0, 12) + 5
    is_ipv4 = asked[end - 4 : end - 2] == b"\0\1"
    head = asked[:2] + struct.pack(">HHHHH", 0x8180, 1, is_ipv4, 0, 0)
    record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1" if is_ipv4 else b""
    door.sendto(head + asked[12:end] + record, client)
"""


@cache
def why_no_namespace() -> str:
    """Why this machine has no network namespaces for us; "" where it has."""
    try:
        made = subprocess.run(
            ["unshare", "-n", "ip", "link", "show", "lo"],  # noqa: S607 - found where it is
            capture_output=True,
            text=True,
            check=False,
            timeout=10,
        )
    except OSError as error:
        return str(error)
    return made.stderr.strip() if made.returncode else ""


@pytest.fixture
def namespaces() -> None:
    """For tests that need a network namespace of their own."""
    if why_no_namespace():
        pytest.skip(f"no network namespace: {why_no_namespace()}")


def a_subscription(name: str, url: str, *more: str) -> str:
    """A subscription whose first round that counts is its last."""
    lines = ["[[subscription]]", f'name = "{name}"', f'url = "{url}"', ONE_ROUND, *more, ""]
    return "\n".join(lines)


def feed(daemon: Daemon, *lines: bytes) -> None:
    """By datagram: the daemon needs no descriptor to receive one."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as producer:
        for line in lines:
            producer.sendto(line, str(daemon.datagrams))


def pid_of(daemon: Daemon) -> int:
    """The running daemon's process."""
    assert daemon.process is not None
    return daemon.process.pid


async def blamed(daemon: Daemon, reason: str) -> dict[str, object]:
    """The first attempt that ended for that reason."""

    def lines() -> list[dict[str, object]]:
        attempts = [line for line in daemon.log if line["event"] == "delivery.attempted"]
        return [line for line in attempts if line["reason"] == reason]

    await daemon.until(lambda _: bool(lines()), within_s=15)
    return lines()[0]


def dead(daemon: Daemon) -> list[dict[str, object]]:
    """What was given up."""
    return [line for line in daemon.log if line["event"] == "delivery.died"]


async def test_a_daemon_without_descriptors_charges_nobody(tmp_path: Path) -> None:
    """No descriptor is left for a connection; once there is one, the event goes out."""
    async with a_receiver() as receiver:
        url = f"http://127.0.0.1:{receiver.port}/calls"
        daemon = Daemon(tmp_path, a_subscription("crm", url))
        async with daemon.running():
            pid = pid_of(daemon)
            _, most = resource.prlimit(pid, resource.RLIMIT_NOFILE)
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (lowest_free_descriptor(pid), most))
            feed(daemon, an_event("c1", "newCall", id="e1"), an_event("c1", "hangup", id="e2"))
            line = await blamed(daemon, "connect:no_descriptors")
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, most))
            await receiver.until(lambda r: r.ids() == ["e1", "e2"], within_s=15)
            status = await daemon.end(signal.SIGTERM)
    assert (line["outcome"], dead(daemon), status) == ("localfault", [], 0)


def lowest_free_descriptor(pid: int) -> int:
    """The number that the next descriptor would get: as a limit it lets no other be opened."""
    taken = {int(entry.name) for entry in Path(f"/proc/{pid}/fd").iterdir()}
    return next(number for number in range(1_000_000) if number not in taken)


async def test_few_descriptors_serve_all_in_turn(tmp_path: Path) -> None:
    """Eight subscribers, and room for three connections at a time: all get theirs."""
    async with a_receiver() as receiver:
        subscriptions = [
            a_subscription(f"crm-{number}", f"http://127.0.0.1:{receiver.port}/{number}")
            for number in range(8)
        ]
        daemon = Daemon(tmp_path, "\n".join(subscriptions))
        async with daemon.running():
            limit = lowest_free_descriptor(pid_of(daemon)) + 3
            resource.prlimit(pid_of(daemon), resource.RLIMIT_NOFILE, (limit, limit))
            feed(daemon, an_event("c1", "newCall", id="e1"))
            await receiver.until(lambda r: len(targets_of(r.arrived)) == 8, within_s=30)
    assert dead(daemon) == []


def targets_of(arrived: list[Arrived]) -> set[str]:
    """Who got something."""
    return {what.target for what in arrived}


async def test_without_a_route_nobody_is_charged(tmp_path: Path, namespaces: None) -> None:
    """A network that is not there; once it is up, the event goes out."""
    daemon = Daemon(
        tmp_path, a_subscription("crm", "http://127.0.0.1:8900/calls"), within=("unshare", "-n")
    )
    async with daemon.running():
        feed(daemon, an_event("c1", "newCall", id="e1"), an_event("c1", "hangup", id="e2"))
        line = await blamed(daemon, "connect:network_unreachable")
        await raise_network(daemon)
        ids = await heard_inside(daemon, count=2)
    assert (line["outcome"], ids, dead(daemon)) == ("localfault", ["e1", "e2"], [])


async def test_udp_without_a_route_is_charged_to_nobody(tmp_path: Path, namespaces: None) -> None:
    """As for TCP."""
    daemon = Daemon(
        tmp_path, a_subscription("crm", "udp://127.0.0.1:8902"), within=("unshare", "-n")
    )
    async with daemon.running():
        feed(daemon, an_event("c1", "newCall", id="e1"))
        line = await blamed(daemon, "udp:network_unreachable")
        await raise_network(daemon)
        await blamed(daemon, "sent")
    assert (line["outcome"], dead(daemon)) == ("localfault", [])


async def test_a_resolver_that_is_down_is_charged_to_nobody(
    tmp_path: Path, namespaces: None
) -> None:
    """No name server answers for any name; once one does, every event goes out."""
    # With one round that counts the first name asked for would die: nobody knows yet that the
    # other names are not answered either.
    rounds = "retry = { pauses_s = [1.0], max_age_s = 60.0, max_attempts = 2 }"
    subscriptions = [
        a_subscription(name, f"http://{name}.example:8900/calls").replace(ONE_ROUND, rounds)
        for name in ("one", "two", "three")
    ]
    daemon = Daemon(tmp_path, "\n".join(subscriptions), within=("unshare", "-n"))
    async with daemon.running():
        feed(daemon, an_event("c1", "newCall", id="e1"))
        line = await blamed(daemon, "dns:resolver_down")
        await raise_network(daemon)
        async with a_name_server_inside(daemon):
            ids = await heard_inside(daemon, count=3)
    assert (line["outcome"], ids, dead(daemon)) == ("localfault", ["e1"] * 3, [])


def inside(daemon: Daemon) -> list[str]:
    """A command that runs another one in the daemon's network."""
    return ["nsenter", "--target", str(pid_of(daemon)), "--net"]


async def raise_network(daemon: Daemon) -> None:
    """Bring the loopback interface up, with the addresses of the name servers on it."""
    await trio.run_process([*inside(daemon), "ip", "link", "set", "lo", "up"])
    for address in name_servers():
        add = ["ip", "address", "add", f"{address}/32", "dev", "lo"]
        await trio.run_process([*inside(daemon), *add])


def name_servers() -> list[str]:
    """The IPv4 addresses that the system's resolver asks, but for loopback."""
    lines = [line.split() for line in Path("/etc/resolv.conf").read_text().splitlines()]
    addresses = [words[1] for words in lines if words[:1] == ["nameserver"]]
    return [one for one in addresses if ":" not in one and not one.startswith("127.")]


async def heard_inside(daemon: Daemon, *, count: int) -> list[str]:
    """The ids of so many events that arrive at `callpost listen` in the daemon's network."""
    listen = [sys.executable, "-m", "callpost", "listen", "--json", "--count", str(count)]
    with trio.fail_after(30):
        listened = await trio.run_process([*inside(daemon), *listen], capture_stdout=True)
    contents = [json.loads(line)["content"] for line in listened.stdout.splitlines()]
    return [(json.loads(one) if isinstance(one, str) else one)["id"] for one in contents]


@asynccontextmanager
async def a_name_server_inside(daemon: Daemon) -> AsyncIterator[None]:
    """A name server that knows every name as 127.0.0.1."""
    process = await trio.lowlevel.open_process(
        [*inside(daemon), sys.executable, "-c", NAME_SERVER], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    async with process.stdout:
        try:
            await process.stdout.receive_some()
            yield
        finally:
            process.kill()
            with trio.CancelScope(shield=True):
                await process.wait()
