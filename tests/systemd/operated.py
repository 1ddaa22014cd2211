"""The service on a machine of the tests, and who feeds it and takes what it delivers."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from systemd.machine import Machine, Running

CONFIGURATION = "/etc/callpost/callpost.toml"
DROP_INS = "/etc/systemd/system/callpost.service.d"
SUBSCRIPTION = """
[[subscription]]
name = "crm"
url = "http://127.0.0.1:8900/calls"
method = "POSTJSON"
events = ["newCall"]
"""


def install(machine: Machine) -> None:
    """Install the package and configure the subscription."""
    machine.told("dpkg", "--install", "/mnt/callpost.deb")
    machine.write(CONFIGURATION, SUBSCRIPTION)
    machine.told("systemctl", "restart", "callpost.service")


@contextmanager
def receiver(machine: Machine) -> Iterator[Running]:
    """The subscriber, listening."""
    with machine.start("/usr/bin/python3", "/mnt/receive_in_machine.py") as running:
        assert running.line() == "listening"
        yield running


def producer(machine: Machine, prefix: str, count: int) -> AbstractContextManager[Running]:
    """A producer of so many events; its lines are the ids that were accepted."""
    return machine.start("/usr/bin/python3", "/mnt/produce_in_machine.py", prefix, str(count))


def produced(machine: Machine, prefix: str, count: int) -> set[str]:
    """Send so many events; the ids that were accepted."""
    with producer(machine, prefix, count) as sending:
        return set(sending.end().split())


def received(receiving: Running, wanted: set[str]) -> set[str]:
    """What of the wanted ids arrives, up to the last of them."""
    missing = set(wanted)
    while missing and (line := receiving.line()):
        missing.discard(json.loads(line)["id"])
    return wanted - missing


def property_of(machine: Machine, name: str) -> str:
    """A property of the service, as systemd tells it."""
    return machine.told("systemctl", "show", "--value", f"--property={name}", "callpost.service")


def drop_in(machine: Machine, *lines: str) -> None:
    """Change the service and start it again."""
    machine.write(f"{DROP_INS}/test.conf", "\n".join(["[Service]", *lines, ""]))
    machine.told("systemctl", "daemon-reload")
    machine.told("systemctl", "restart", "callpost.service")
