"""The Debian package on a machine with a real systemd: what its units promise.

Slow: `pytest -n 0 -m slow tests/systemd`. Needs root; says why where it is skipped.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from systemd.machine import Machine, Running, booted
from systemd.operated import (
    CONFIGURATION,
    DROP_INS,
    SUBSCRIPTION,
    drop_in,
    install,
    produced,
    producer,
    property_of,
    received,
    receiver,
)

pytestmark = [pytest.mark.slow]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, files: Path) -> Iterator[Machine]:
    """A machine on which callpost is installed and delivers."""
    with booted(tmp_path_factory.mktemp("shared") / "machine", files) as machine:
        install(machine)
        yield machine


@pytest.fixture
def machine(shared: Machine) -> Machine:
    """The shared machine, as each test finds it: the one subscription, the daemon up."""
    shared.told("rm", "-rf", DROP_INS)
    shared.told("systemctl", "daemon-reload")
    shared.write(CONFIGURATION, SUBSCRIPTION)
    shared.told("systemctl", "restart", "callpost.service")
    return shared


def owners(machine: Machine) -> Sequence[str]:
    """Who may use the doors."""
    doors = (
        "callpost-intake/events.sock",
        "callpost-intake/datagrams.sock",
        "callpost/control.sock",
    )
    paths = [f"/run/{door}" for door in doors]
    return machine.told("stat", "--format=%a %G %n", *paths).splitlines()


def journal_from_now(machine: Machine) -> AbstractContextManager[Running]:
    """What the service logs from now on."""
    follow = "journalctl --follow --lines=0 --unit=callpost --output=cat"
    # It ends with its input, as all that is started here.
    return machine.start("sh", "-c", f"{follow} & cat > /dev/null; kill $!")


def test_the_daemon_says_that_it_is_ready(machine: Machine) -> None:
    """READY=1 is what systemd waited for, and it shows the daemon's one line."""
    status = property_of(machine, "StatusText")
    assert (property_of(machine, "ActiveState"), status.startswith("1 subscription")) == (
        "active",
        True,
    )


def test_the_doors_are_for_their_groups(machine: Machine) -> None:
    """Also after a restart of the daemon: they are systemd's."""
    assert owners(machine) == [
        "660 callpost /run/callpost-intake/events.sock",
        "660 callpost /run/callpost-intake/datagrams.sock",
        "660 callpost-admin /run/callpost/control.sock",
    ]


def test_an_event_starts_the_daemon(machine: Machine) -> None:
    """The doors are open before it is up."""
    machine.told("systemctl", "stop", "callpost.service")
    with receiver(machine) as receiving:
        sent = produced(machine, "activation", 1)
        assert received(receiving, sent) == {"activation-0"}


def test_events_sent_during_a_restart_arrive(machine: Machine) -> None:
    """Every one of them was accepted, and every one is delivered."""
    with receiver(machine) as receiving, producer(machine, "restart", 2_000) as sending:
        begun = {sending.line() for _ in range(200)}
        machine.told("systemctl", "restart", "callpost.service")
        sent = begun | set(sending.end().split())
        assert (len(sent), received(receiving, sent)) == (2_000, sent)


def test_events_sent_during_a_kill_arrive(machine: Machine) -> None:
    """SIGKILL in the middle; systemd starts the daemon again."""
    with receiver(machine) as receiving, producer(machine, "kill", 2_000) as sending:
        begun = {sending.line() for _ in range(200)}
        machine.told("systemctl", "kill", "--signal=KILL", "callpost.service")
        sent = begun | set(sending.end().split())
        assert (len(sent), received(receiving, sent)) == (2_000, sent)


def test_a_reload_reads_the_configuration_again(machine: Machine) -> None:
    """Without another start."""
    before = property_of(machine, "MainPID")
    machine.write(CONFIGURATION, SUBSCRIPTION + SUBSCRIPTION.replace("crm", "wallboard"))
    machine.told("systemctl", "reload", "callpost.service")
    names = machine.told("callpost", "subscriptions", "--json")
    assert ("wallboard" in names, property_of(machine, "MainPID")) == (True, before)


def test_a_reload_of_a_faulty_file_fails(machine: Machine) -> None:
    """`systemctl reload` says so, and the daemon goes on with what it had."""
    machine.write(CONFIGURATION, SUBSCRIPTION + "nonsense = 1\n")
    status = machine.run("systemctl", "reload", "callpost.service").returncode
    with receiver(machine) as receiving:
        sent = produced(machine, "faulty", 1)
        assert (status != 0, received(receiving, sent)) == (True, {"faulty-0"})


def test_a_stuck_daemon_is_started_again(machine: Machine) -> None:
    """One that does not turn any more tells the watchdog nothing."""
    drop_in(machine, "WatchdogSec=2s", "TimeoutAbortSec=2s")
    before = property_of(machine, "MainPID")
    with journal_from_now(machine) as journal:
        machine.told("systemctl", "kill", "--signal=STOP", "callpost.service")
        lines = journal.lines_until("daemon.started")
    found = any("watchdog" in line.lower() for line in lines)
    assert (found, property_of(machine, "MainPID") != before) == (True, True)


def test_a_working_daemon_keeps_the_watchdog_quiet(machine: Machine) -> None:
    """It reports by itself: after three times the time it is the same process."""
    drop_in(machine, "WatchdogSec=1s")
    before = property_of(machine, "MainPID")
    machine.told("sleep", "3")
    assert property_of(machine, "MainPID") == before


def test_credentials_come_from_systemd(machine: Machine) -> None:
    """A secret that the daemon's user cannot read in its file."""
    machine.write("/etc/callpost-secrets/crm-key", "s3cret\n")
    machine.told("chmod", "0600", "/etc/callpost-secrets/crm-key")
    machine.write(CONFIGURATION, SUBSCRIPTION + 'headers = { X-Api-Key = "credential:crm-key" }\n')
    drop_in(machine, "LoadCredential=crm-key:/etc/callpost-secrets/crm-key")
    with receiver(machine) as receiving:
        produced(machine, "credential", 1)
        assert json.loads(receiving.line())["key"] == "s3cret"


def test_the_journal_finds_a_call(machine: Machine) -> None:
    """By the fields of the line."""
    with receiver(machine) as receiving:
        received(receiving, produced(machine, "journal", 3))
    machine.told("systemctl", "stop", "callpost.service")
    machine.told("journalctl", "--sync")
    entry = json.loads(machine.told("journalctl", "--output=json", "CALL_ID=journal-1"))
    names = ("_SYSTEMD_UNIT", "SYSLOG_IDENTIFIER", "CALLPOST_EVENT", "SUBSCRIPTION", "HTTP_STATUS")
    assert [entry[name] for name in names] == [
        *("callpost.service", "callpost", "delivery.attempted", "crm", "204")
    ]


def test_the_hardening_is_in_force(machine: Machine) -> None:
    """What systemd says of the running service."""
    security = ("systemd-analyze", "security", "--threshold=11", "callpost.service")
    done = machine.run(*security)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "place", ["/etc/callpost", "/usr/lib/callpost", "/var/lib", "/run", "/srv"]
)
def test_the_daemon_can_write_nowhere_else(machine: Machine, place: str) -> None:
    """Not even root could from where it is."""
    namespace = ("nsenter", "--target", property_of(machine, "MainPID"), "--mount")
    done = machine.run(*namespace, "touch", f"{place}/written")
    assert "Read-only file system" in done.stderr


def test_the_daemon_has_no_privilege(machine: Machine) -> None:
    """No capability, none to be had, and a filter of system calls."""
    lines = machine.told("cat", f"/proc/{property_of(machine, 'MainPID')}/status").splitlines()
    status = dict(line.split(":\t", 1) for line in lines)
    wanted = ("CapEff", "CapBnd", "NoNewPrivs", "Seccomp")
    assert [int(status[name], 16) for name in wanted] == [0, 0, 1, 2]


def test_an_upgrade_loses_nothing_that_waits(own_machine: Machine) -> None:
    """Accepted before, delivered after, by the new version."""
    install(own_machine)
    sent = produced(own_machine, "upgrade", 500)
    own_machine.told("dpkg", "--install", "/mnt/newer.deb")
    version = own_machine.told("dpkg-query", "--show", "--showformat=${Version}", "callpost")
    with receiver(own_machine) as receiving:
        found = received(receiving, sent)
    assert (version[-2:], len(found)) == ("-2", 500)


def test_an_upgrade_keeps_the_configuration(own_machine: Machine) -> None:
    """The file is the administrator's."""
    install(own_machine)
    own_machine.told("dpkg", "--install", "/mnt/newer.deb")
    assert own_machine.told("cat", CONFIGURATION) == SUBSCRIPTION.strip()


def test_a_purge_leaves_no_trace(own_machine: Machine) -> None:
    """No file, no user, no group, no unit; the journal and dpkg's own log tell what was."""
    install(own_machine)
    produced(own_machine, "purge", 5)
    own_machine.told("dpkg", "--purge", "callpost")
    spared = ("/proc", "/sys", "/mnt", "/var/log")
    prune = [word for path in spared for word in ("-path", path, "-prune", "-o")]
    files = own_machine.told("find", "/", *prune, "-iname", "*callpost*", "-print")
    accounts = own_machine.run("grep", "callpost", "/etc/passwd", "/etc/group").stdout
    units = own_machine.run("systemctl", "list-unit-files", "--no-legend", "callpost*").stdout
    assert (files, accounts, units) == ("", "", "")
