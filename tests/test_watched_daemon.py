"""A whole daemon under a service manager's watchdog: it is heard from while it works and drains."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from callpost.edge.listen import Behaviour
from household import Daemon, Producer, a_receiver, an_event

SUBSCRIPTION = '[[subscription]]\nname = "crm"\nurl = "http://127.0.0.1:{port}/"\n'


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Where the service manager listens; it wants to hear every 0.2 s that all is well."""
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.setblocking(False)
        manager.bind(address)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        monkeypatch.setenv("WATCHDOG_USEC", "400000")
        yield manager


async def heard(manager: socket.socket, word: bytes) -> None:
    """Wait until the daemon says this."""
    with trio.fail_after(15):
        while True:
            await trio.lowlevel.wait_readable(manager)
            if word in manager.recv(4096).splitlines():
                return


async def test_a_daemon_that_works_is_heard_from(tmp_path: Path, manager: socket.socket) -> None:
    """Again and again, once it is ready."""
    async with Daemon(tmp_path, SUBSCRIPTION.format(port=9)).running():
        await heard(manager, b"READY=1")
        for _ in range(3):
            await heard(manager, b"WATCHDOG=1")


async def test_a_daemon_that_drains_is_heard_from(tmp_path: Path, manager: socket.socket) -> None:
    """A restart in the middle of a stop would cut off what is in flight."""
    async with a_receiver(Behaviour(delay_s=3.0)) as receiver:
        daemon = Daemon(tmp_path, SUBSCRIPTION.format(port=receiver.port))
        async with daemon.running():
            await Producer(daemon.door).feed([an_event("c1", "newCall")])
            await receiver.until(lambda r: len(r.arrived) == 1, within_s=10)
            assert daemon.process is not None
            daemon.process.send_signal(signal.SIGTERM)
            await heard(manager, b"STOPPING=1")
            await heard(manager, b"WATCHDOG=1")
            await heard(manager, b"WATCHDOG=1")
            assert daemon.process.poll() is None


async def test_what_waits_is_told_as_it_changes(tmp_path: Path, manager: socket.socket) -> None:
    """`systemctl status` shows how it is, not how it was at the start."""
    async with Daemon(tmp_path, SUBSCRIPTION.format(port=9)).running() as daemon:
        await heard(manager, b"STATUS=1 subscription, 0 pending")
        await Producer(daemon.door).feed([an_event("c1", "newCall")])
        await heard(manager, b"STATUS=1 subscription, 1 pending")
