"""systemd's watchdog: how often it wants to hear from us, and that it does."""

import os
import socket
from pathlib import Path

import pytest

from callpost.edge.systemd import Notifier, watchdog_interval_s


@pytest.mark.parametrize(
    ("environment", "interval_s"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getppid())}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": ""}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "-1"}, None),
        ({"WATCHDOG_USEC": "²"}, None),
    ],
)
def test_half_of_the_watchdogs_time_is_the_interval(
    environment: dict[str, str], interval_s: float | None
) -> None:
    """Where it is meant for this process, and makes sense."""
    assert watchdog_interval_s(environment) == interval_s


def test_the_watchdog_is_told(tmp_path: Path) -> None:
    """In one datagram."""
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(address))
        Notifier({"NOTIFY_SOCKET": str(address)}).watchdog()
        assert manager.recv(4096) == b"WATCHDOG=1"
