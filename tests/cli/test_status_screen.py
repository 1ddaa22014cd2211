"""The one screen of `callpost status`, as it stands there."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.cells import cell_len

from callpost.cli.standing import is_well, screen
from callpost.model.condition import HealthReport, HostTrouble, Phase, Status
from conditions import BAD_DAY, NOW, WELL

WELL_AT_60 = """\
callpost 0.1.0 is healthy
behind        nothing is pending
failing       nobody
spool         45.0 MiB of 8.0 GiB (0 %), 0 dead letters,
              last commit 2.1 ms
intake        12,033 accepted, none refused, 1 connection
deliveries    40 subscriptions, 12,040 attempts, 12,033
              delivered, 0 dead since the start
configured    /etc/callpost/callpost.toml, loaded 09:00
running       since 09:00 (1 h 30 min), process 4711
"""
BAD_AT_60 = """\
callpost 0.1.0 is degraded
because       No endpoint can be reached from this machine
              (since 10:12)
behind        1,204 pending, the oldest 1 h 28 min old, 37
              in flight
failing       crm.example.com: 37 subscriptions, down since
              09:02, certificate expired 08:59 (1,200
              pending)
              http://pbx.example.net:8080: popup, gone, 410
              Gone
paused        crm-backup, ops
certificates  crm.example.com ended 2026-11-21, 1 h 31 min
              ago
              b.example.com ends 2026-12-01, in 10 days
spool         45.0 MiB of 8.0 GiB (0 %), 12 dead letters,
              last commit 2.1 ms
intake        12,033 accepted, 3 duplicates, 12 refused
              (invalid 10, too_large 2), 3 connections
deliveries    40 subscriptions, 12,040 attempts, 12,033
              delivered, 12 dead since the start
configured    /etc/callpost/callpost.toml, loaded 09:00: the
              last good one, for the files have a fault
running       since 09:00 (1 h 30 min), process 4711
"""
BAD_AT_80 = """\
callpost 0.1.0 is degraded
because       No endpoint can be reached from this machine (since 10:12)
behind        1,204 pending, the oldest 1 h 28 min old, 37 in flight
failing       crm.example.com: 37 subscriptions, down since 09:02, certificate
              expired 08:59 (1,200 pending)
              http://pbx.example.net:8080: popup, gone, 410 Gone
paused        crm-backup, ops
certificates  crm.example.com ended 2026-11-21, 1 h 31 min ago
              b.example.com ends 2026-12-01, in 10 days
spool         45.0 MiB of 8.0 GiB (0 %), 12 dead letters, last commit 2.1 ms
intake        12,033 accepted, 3 duplicates, 12 refused (invalid 10, too_large
              2), 3 connections
deliveries    40 subscriptions, 12,040 attempts, 12,033 delivered, 12 dead since
              the start
configured    /etc/callpost/callpost.toml, loaded 09:00: the last good one, for
              the files have a fault
running       since 09:00 (1 h 30 min), process 4711
"""
BAD_AT_120 = """\
callpost 0.1.0 is degraded
because       No endpoint can be reached from this machine (since 10:12)
behind        1,204 pending, the oldest 1 h 28 min old, 37 in flight
failing       crm.example.com: 37 subscriptions, down since 09:02, certificate expired 08:59 (1,200 pending)
              http://pbx.example.net:8080: popup, gone, 410 Gone
paused        crm-backup, ops
certificates  crm.example.com ended 2026-11-21, 1 h 31 min ago
              b.example.com ends 2026-12-01, in 10 days
spool         45.0 MiB of 8.0 GiB (0 %), 12 dead letters, last commit 2.1 ms
intake        12,033 accepted, 3 duplicates, 12 refused (invalid 10, too_large 2), 3 connections
deliveries    40 subscriptions, 12,040 attempts, 12,033 delivered, 12 dead since the start
configured    /etc/callpost/callpost.toml, loaded 09:00: the last good one, for the files have a fault
running       since 09:00 (1 h 30 min), process 4711
"""  # noqa: E501 - as wide as the terminal

PHASES = {"starting": "starting", "draining": "stopping"}


def told(status: Status, width: int | None) -> str:
    """The screen's text."""
    return "".join(f"{line.plain}\n" for line in screen(status, NOW, width))


def test_a_healthy_daemon_is_told_in_a_few_lines() -> None:
    """Nothing that is not there takes room."""
    assert told(WELL, 60) == WELL_AT_60


@pytest.mark.parametrize(
    ("width", "text"), [(60, BAD_AT_60), (80, BAD_AT_80), (120, BAD_AT_120), (None, BAD_AT_120)]
)
def test_a_bad_day_says_what_is_wrong_and_who_fails(width: int | None, text: str) -> None:
    """Reasons first, the host at which most waits before the others, a pipe like a wide screen."""
    assert told(BAD_DAY, width) == text


@pytest.mark.parametrize("phase", ["starting", "draining"])
def test_a_daemon_that_is_not_ready_says_so(phase: Phase) -> None:
    """It is neither healthy nor degraded."""
    health = HealthReport(live=True, ready=False, phase=phase, degraded=())
    first = told(replace(WELL, health=health), None).splitlines()[0]
    assert (first, is_well(health)) == (f"callpost 0.1.0 is {PHASES[phase]}", False)


def test_a_fault_everywhere_still_fits_one_screen() -> None:
    """What does not fit is counted, and where to see it is said."""
    hosts = tuple(
        replace(BAD_DAY.troubled[0], endpoint=f"https://h{number}.example:443")
        for number in range(100)
    )
    names = tuple(f"subscription-{number}" for number in range(1_000))
    certificates = BAD_DAY.certificates * 20
    worst = replace(BAD_DAY, troubled=hosts, paused=names, certificates=certificates)
    assert len(told(worst, 80).splitlines()) <= 30


def test_the_hosts_that_are_not_shown_are_counted() -> None:
    """With the command that shows them all."""
    worst = replace(BAD_DAY, troubled=BAD_DAY.troubled[:1] * 10)
    assert "and 2 more hosts: callpost subscriptions --failing" in told(worst, 120)


@given(reason=st.text(), name=st.text(), width=st.none() | st.integers(20, 130))
def test_nothing_from_outside_breaks_the_screen(reason: str, name: str, width: int | None) -> None:
    """A subscriber's words neither widen a line nor move the cursor."""
    trouble = HostTrouble(
        endpoint=name,
        condition="down",
        since=None,
        reason=reason,
        subscriptions=(name,),
        pending=1,
    )
    lines = [line.plain for line in screen(replace(BAD_DAY, troubled=(trouble,)), NOW, width)]
    controls = [char for line in lines for char in line if unicodedata.category(char) == "Cc"]
    assert (controls, max(map(cell_len, lines)) <= (width or 10**9)) == ([], True)


@pytest.mark.parametrize(
    ("subscriptions", "forwards", "lines"),
    [
        (3, 0, ["left out      3 subscriptions, forbidden by now: callpost subscriptions"]),
        (0, 1, ["left out      1 forward rule, forbidden by now: GET /v1/forwards"]),
        (
            1,
            2,
            [
                "left out      1 subscription, forbidden by now: callpost subscriptions",
                "              2 forward rules, forbidden by now: GET /v1/forwards",
            ],
        ),
    ],
)
def test_what_the_files_forbid_by_now_is_counted(
    subscriptions: int, forwards: int, lines: list[str]
) -> None:
    """Clients have made it, and get nothing by it."""
    config = replace(WELL.config, left_out=subscriptions, left_out_forwards=forwards)
    shown = [line.plain for line in screen(replace(WELL, config=config), NOW, 80)]
    assert [line for line in shown if "forbidden by now" in line] == lines
