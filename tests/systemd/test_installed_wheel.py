"""The package's own checker, and the service from a virtual environment on a real systemd.

Slow: `pytest -n 0 -m slow tests/systemd`. Needs root; says why where it is skipped.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from systemd.machine import Machine
from systemd.operated import CONFIGURATION, SUBSCRIPTION, produced, received, receiver

pytestmark = [pytest.mark.slow]

PROGRAM = "/opt/callpost/bin/callpost"


def install_environment(machine: Machine) -> None:
    """Callpost in /opt/callpost, as the README has it, and as a service."""
    machine.told("python3", "-m", "venv", "/opt/callpost")
    only_wheels = ("env", "PIP_NO_INDEX=1", "PIP_FIND_LINKS=/mnt/wheels")
    machine.told(*only_wheels, "/opt/callpost/bin/pip", "install", "callpost")
    machine.told(PROGRAM, "install-service")


def callpost_files(machine: Machine) -> list[str]:
    """Whatever has callpost in its name, outside of its environment."""
    spared = ("/proc", "/sys", "/mnt", "/var/log", "/opt/callpost")
    prune = [word for path in spared for word in ("-path", path, "-prune", "-o")]
    found = machine.told("find", "/", *prune, "-name", "*callpost*", "-print")
    return sorted(found.splitlines())


def test_the_service_of_an_environment_delivers(own_machine: Machine) -> None:
    """What `install-service` says to do next is enough."""
    install_environment(own_machine)
    own_machine.write(CONFIGURATION, SUBSCRIPTION)
    own_machine.told("callpost", "check")
    own_machine.told("systemctl", "enable", "--now", "callpost.service")
    with receiver(own_machine) as receiving:
        sent = produced(own_machine, "environment", 3)
        assert (len(sent), received(receiving, sent)) == (3, sent)


def test_uninstalling_leaves_what_is_the_administrators(own_machine: Machine) -> None:
    """The running service is stopped, its files go, configuration and spool stay."""
    install_environment(own_machine)
    own_machine.told("systemctl", "enable", "--now", "callpost.service")
    own_machine.told(PROGRAM, "install-service", "--uninstall")
    running = own_machine.run("systemctl", "is-active", "callpost.service").stdout.strip()
    assert (running, callpost_files(own_machine)) == (
        "inactive",
        ["/etc/callpost", CONFIGURATION, "/var/lib/callpost"],
    )


def test_lintian_finds_no_error(files: Path) -> None:
    """Debian's own checker, without an override."""
    lintian = shutil.which("lintian")
    if lintian is None:
        pytest.skip("lintian is not installed")
    checked = subprocess.run(
        [lintian, "--fail-on", "error", "--allow-root", files / "callpost.deb"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    assert checked.returncode == 0, checked.stdout
