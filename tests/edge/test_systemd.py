"""Under systemd: the sockets that it hands over, what it is told, and the units themselves."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from callpost.edge.systemd import InheritedSocketUnusable, Notifier, inherited_sockets

UNITS = Path(__file__).parents[2] / "systemd"

# Its first lines are systemd's part: the descriptors go where they belong. The rest is a service
# that tells, as lines of JSON, what it was handed.
SERVICE = """
import json, os, sys
if "LISTEN_PID" not in os.environ:
    os.environ["LISTEN_PID"] = str(os.getpid())
given = [int(argument) for argument in sys.argv[1:]]
for place, descriptor in enumerate(given, start=100):
    os.dup2(descriptor, place)
for place, _ in enumerate(given):
    os.dup2(100 + place, 3 + place)
from callpost.edge.systemd import InheritedSocketUnusable, inherited_sockets
try:
    sockets = inherited_sockets(os.environ)
except InheritedSocketUnusable as fault:
    print(json.dumps(str(fault)))
else:
    print(json.dumps({
        name: [one.fileno(), one.getsockname(), one.get_inheritable()]
        for name, one in sockets.items()
    }))
    print(json.dumps([name for name in os.environ if name.startswith("LISTEN_")]))
    for one in sockets.values():
        one.close()
"""


@pytest.fixture
def held() -> Iterator[ExitStack]:
    """Closes what the test opened."""
    with ExitStack() as stack:
        yield stack


def made(held: ExitStack, path: Path, kind: socket.SocketKind) -> socket.socket:
    """A socket of the Unix domain as a .socket unit makes it."""
    one = held.enter_context(socket.socket(socket.AF_UNIX, kind))
    one.bind(str(path))
    if kind == socket.SOCK_STREAM:
        one.listen()
    return one


def told_by_service(sockets: list[socket.socket], names: str, pid: str = "") -> list[object]:
    """Start a service as systemd does: descriptors from 3 on, announced in its environment."""
    descriptors = [one.fileno() for one in sockets]
    environment = {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "LISTEN_FDS": str(len(sockets)),
        "LISTEN_FDNAMES": names,
    }
    completed = subprocess.run(
        [sys.executable, "-c", SERVICE, *map(str, descriptors)],
        pass_fds=descriptors,
        env=environment | ({"LISTEN_PID": pid} if pid else {}),
        stdout=subprocess.PIPE,
        check=True,
        timeout=20,
    )
    return [json.loads(line) for line in completed.stdout.splitlines()]


# --- the sockets


def test_sockets_are_taken_over_by_name(held: ExitStack, tmp_path: Path) -> None:
    """Each comes under its FileDescriptorName, and no child process gets it."""
    events = made(held, tmp_path / "e", socket.SOCK_STREAM)
    datagrams = made(held, tmp_path / "d", socket.SOCK_DGRAM)
    control = made(held, tmp_path / "c", socket.SOCK_STREAM)
    told = told_by_service([datagrams, events, control], "datagrams:events:control")
    assert told[0] == {
        "datagrams": [3, str(tmp_path / "d"), False],
        "events": [4, str(tmp_path / "e"), False],
        "control": [5, str(tmp_path / "c"), False],
    }


def test_the_apis_socket_may_be_on_the_network(held: ExitStack) -> None:
    """It is the only one that other machines may reach."""
    door = held.enter_context(socket.create_server(("127.0.0.1", 0)))
    host, port = door.getsockname()
    assert told_by_service([door], "api")[0] == {"api": [3, [host, port], False]}


def test_no_other_socket_may_be_on_the_network(held: ExitStack) -> None:
    """Who can reach it is a matter of a file's mode and group."""
    door = held.enter_context(socket.create_server(("127.0.0.1", 0)))
    (told,) = told_by_service([door], "control")
    assert str(told).endswith("its unit needs ListenStream= with a path.")


def test_the_announcement_is_taken_down(held: ExitStack, tmp_path: Path) -> None:
    """A program that the service starts does not take the sockets for its own."""
    told = told_by_service([made(held, tmp_path / "e", socket.SOCK_STREAM)], "events")
    assert told[1] == []


def test_sockets_for_another_process_are_left_alone(held: ExitStack, tmp_path: Path) -> None:
    """LISTEN_PID says for whom they are."""
    events = made(held, tmp_path / "e", socket.SOCK_STREAM)
    assert told_by_service([events], "events", pid="1")[0] == {}


def test_without_systemd_there_are_no_sockets() -> None:
    """In the foreground of a shell the daemon makes its own."""
    assert inherited_sockets({}) == {}


@pytest.mark.parametrize(
    ("kind", "name", "lacks"),
    [
        (
            socket.SOCK_STREAM,
            "callpost.socket",
            "FileDescriptorName=events, datagrams, control or api",
        ),
        (socket.SOCK_DGRAM, "events", "ListenStream= with a path"),
        (socket.SOCK_STREAM, "datagrams", "ListenDatagram= with a path"),
        (socket.SOCK_DGRAM, "api", "ListenStream= with a path or a port"),
    ],
)
def test_a_socket_that_does_not_fit_is_named(
    held: ExitStack, tmp_path: Path, kind: socket.SocketKind, name: str, lacks: str
) -> None:
    """The sentence says what the unit lacks."""
    (told,) = told_by_service([made(held, tmp_path / "x", kind)], name)
    assert str(told).endswith(f"its unit needs {lacks}.")


def test_two_sockets_of_one_name_are_refused(held: ExitStack, tmp_path: Path) -> None:
    """Which of them would be the door?"""
    both = [made(held, tmp_path / name, socket.SOCK_STREAM) for name in "ab"]
    assert told_by_service(both, "events:events") == [
        "systemd hands over two sockets named 'events'."
    ]


def test_a_connection_is_not_a_door(held: ExitStack, tmp_path: Path) -> None:
    """Accept=yes in the unit hands over a connection, which is told."""
    made(held, tmp_path / "e", socket.SOCK_STREAM)
    connection = held.enter_context(socket.socket(socket.AF_UNIX))
    connection.connect(str(tmp_path / "e"))
    (told,) = told_by_service([connection], "events")
    assert "of the wrong kind" in str(told)


def test_names_and_sockets_must_agree() -> None:
    """An environment that contradicts itself is not guessed at."""
    with pytest.raises(InheritedSocketUnusable, match="announces 2 sockets, LISTEN_FDNAMES names"):
        inherited_sockets(
            {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "2", "LISTEN_FDNAMES": "events"}
        )


def test_a_count_that_is_no_number_is_told() -> None:
    """One sentence, no traceback."""
    with pytest.raises(InheritedSocketUnusable, match="LISTEN_FDS is not a number: 'two'"):
        inherited_sockets({"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "two"})


# --- the notifications


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[socket.socket]:
    """The socket of a service manager."""
    address = str(tmp_path / "notify") if request.param == "path" else f"\0callpost-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        manager.settimeout(5)
        yield manager


def notifier_of(manager: socket.socket) -> Notifier:
    """A notifier as the manager's environment makes it."""
    address = manager.getsockname()
    name = address if isinstance(address, str) else "@" + address[1:].decode()
    return Notifier({"NOTIFY_SOCKET": name})


def test_the_manager_hears_everything_in_order(manager: socket.socket) -> None:
    """The words are those of sd_notify(3)."""
    notifier = notifier_of(manager)
    notifier.ready()
    notifier.status("3 subscriptions,\n17 pending")
    notifier.stopping()
    notifier.extend(15.5)
    assert [manager.recv(1000) for _ in range(4)] == [
        b"READY=1",
        b"STATUS=3 subscriptions, 17 pending",
        b"STOPPING=1",
        b"EXTEND_TIMEOUT_USEC=15500000",
    ]


def test_a_reload_tells_the_monotonic_time(manager: socket.socket) -> None:
    """Systemd compares it with its own clock to know that the reload came after its request."""
    before = time.monotonic_ns() // 1000
    notifier_of(manager).reloading()
    state, _, at = manager.recv(1000).partition(b"\nMONOTONIC_USEC=")
    assert (state, before <= int(at) <= time.monotonic_ns() // 1000) == (b"RELOADING=1", True)


@pytest.mark.parametrize("address", ["", "/nowhere/at/all", "@callpost-nobody", "vsock:2:1"])
def test_nobody_to_tell_is_no_fault(address: str) -> None:
    """Without a service manager, or with a dead one, the daemon goes on."""
    Notifier({"NOTIFY_SOCKET": address} if address else {}).ready()


# --- the units


def tool(name: str) -> str:
    """The tool's path; the test is skipped where it is not installed."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def output_of(*command: str) -> tuple[int, str]:
    """Exit status and all that is printed."""
    completed = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=30,
    )
    return completed.returncode, completed.stdout


def test_systemd_finds_no_fault_in_the_units(tmp_path: Path) -> None:
    """`systemd-analyze verify` has nothing to say, once the program is where it is looked for."""
    units = []
    for unit in [*UNITS.glob("*.service"), *UNITS.glob("*.socket")]:
        text = unit.read_text().replace("/opt/callpost/bin/callpost", "/bin/true")
        units.append(tmp_path / unit.name)
        units[-1].write_text(text)
    verify = (tool("systemd-analyze"), "verify", "--recursive-errors=no")
    assert output_of(*verify, *map(str, units)) == (0, "")


def test_the_exposure_is_at_most_1_1() -> None:
    """`systemd-analyze security` holds the hardening; its threshold is in tenths."""
    security = (tool("systemd-analyze"), "security", "--offline=yes", "--threshold=11")
    status, text = output_of(*security, str(UNITS / "callpost.service"))
    assert status == 0, text


def test_the_user_and_the_groups_can_be_made() -> None:
    """systemd-sysusers understands the file."""
    status, text = output_of(
        tool("systemd-sysusers"), "--dry-run", str(UNITS / "callpost.sysusers")
    )
    assert status == 0, text
