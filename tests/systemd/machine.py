"""A machine with a real systemd, for a test: systemd-nspawn on a Debian of its own.

It has a network of its own with nothing but loopback, and what is written on it is gone with it.
Nothing of the machine that runs the tests is touched but /var/cache/callpost-tests, where the
unpacked Debian stays for the next time.
"""

import os
import select
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

SUITE: Final = "bookworm"
# What the package depends on, and what makes it a machine.
PACKAGES: Final = ("systemd", "systemd-sysv", "dbus", "python3-venv")
CACHE: Final = Path("/var/cache/callpost-tests")
TOOLS: Final = ("systemd-nspawn", "debootstrap", "unshare", "nsenter", "dpkg-buildpackage", "dh")
BOOT_S: Final = 60
PROGRAM_S: Final = 120
# In a mount namespace of its own: /run belongs to the systemd of the machine that runs the tests,
# if there is one, and overlayfs wants its upper layer on another kind of file system than its own.
BOOT: Final = """
set -e
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs tmpfs "$2"
mkdir "$2/upper" "$2/work" "$2/root"
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
exec systemd-nspawn --quiet --directory="$2/root" --machine=callpost-test --boot \
  --register=no --keep-unit --private-network --console=pipe --notify-ready=yes \
  --bind-ro="$3:/mnt" --setenv=SYSTEMD_COLORS=0
"""


class Running:
    """A program inside the machine whose lines are read as they come."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def line(self) -> str:
        """The next line; empty at the end."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip("\n")

    def lines_until(self, part: str) -> list[str]:
        """The lines up to the first with `part` in it; all lines where there is none."""
        lines: list[str] = []
        while (line := self.line()) and part not in line:
            lines.append(line)
        return [*lines, line] if line else lines

    def end(self) -> str:
        """Close its input and wait for its end; what it had left to say."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        # communicate() would leave out what is in the buffer of the lines.
        return self._process.stdout.read()


class Machine:
    """The way into a machine that is up."""

    def __init__(self, leader: int) -> None:
        # The limits of nspawn hold for what it started; who comes in this way is root.
        environment = [
            "env",
            "-i",
            "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG=C.UTF-8",
        ]
        self._way = ["nsenter", "--target", str(leader), "--all", *environment]

    def run(self, *command: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command to its end, whatever that is."""
        return subprocess.run(
            [*self._way, *command],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def told(self, *command: str) -> str:
        """What a command that must succeed prints."""
        done = self.run(*command)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    @contextmanager
    def start(self, *command: str) -> Iterator[Running]:
        """Start a program and read along; it is to end with its input."""
        with subprocess.Popen(
            [*self._way, "timeout", str(PROGRAM_S), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            yield Running(process)

    def write(self, path: str, text: str) -> None:
        """Write a file, its folder too; an existing one keeps its owner and mode."""
        self.told("mkdir", "-p", str(Path(path).parent))
        assert self.run("sh", "-c", f"cat > {path}", text=text).returncode == 0


def reason_to_skip() -> str | None:
    """Why no machine can be made here, None where one may."""
    if os.geteuid() != 0:
        return "systemd-nspawn needs root"
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    if mirror() is None:
        return f"apt has no source of Debian's {SUITE}"
    return None


def mirror() -> str | None:
    """Where apt on this machine gets Debian from."""
    if shutil.which("apt-get") is None:
        return None
    told = subprocess.run(
        [
            *("apt-get", "indextargets", "--format", "$(RELEASE) $(COMPONENT) $(REPO_URI)"),
            "Created-By: Packages",
        ],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
    )
    found = (line.split(" ") for line in told.stdout.splitlines())
    return next((one[2] for one in found if one[:2] == [SUITE, "main"]), None)


def debian() -> Path:
    """The unpacked Debian, made where it is missing: that takes a minute."""
    tree = CACHE / f"{SUITE}-{'-'.join(PACKAGES)}"
    if tree.is_dir():
        return tree
    source = mirror()
    assert source is not None
    CACHE.mkdir(mode=0o700, exist_ok=True)
    new = tree.with_suffix(f".{os.getpid()}")
    made = subprocess.run(
        [
            *("debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}"),
            *(SUITE, str(new), source),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
    )
    if made.returncode:
        shutil.rmtree(new, ignore_errors=True)
        pytest.skip(f"debootstrap failed: {made.stdout[-500:]}")
    new.rename(tree)
    return tree


@contextmanager
def booted(place: Path, files: Path) -> Iterator[Machine]:
    """A machine that is up, with `files` at /mnt; skips the test where none can be started."""
    place.mkdir()
    console = place.with_suffix(".console")
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as news,
        console.open("wb") as output,
    ):
        news.bind(str(place.with_suffix(".ready")))
        process = subprocess.Popen(
            [
                *("unshare", "--mount", "--propagation=private", "bash", "-c", BOOT, "boot"),
                *(str(debian()), str(place), str(files)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | {"NOTIFY_SOCKET": str(place.with_suffix(".ready"))},
        )
        leader = _leader(news, process)
    if leader is None:
        _end(process)
        pytest.skip(f"no machine can be started here: {console.read_text()[-500:]}")
    machine = Machine(leader)
    try:
        yield machine
    finally:
        machine.run("systemctl", "poweroff")
        _end(process)


def _leader(news: socket.socket, process: "subprocess.Popen[bytes]") -> int | None:
    """The number of the machine's init, once it has told that all is up; None where it never is."""
    leader = None
    ended = os.pidfd_open(process.pid)
    try:
        while news.fileno() in select.select([news.fileno(), ended], [], [], BOOT_S)[0]:
            for line in news.recv(4096).decode().splitlines():
                name, _, value = line.partition("=")
                if name == "X_NSPAWN_LEADER_PID":
                    leader = int(value)
                elif line == "READY=1":
                    return leader
        return None
    finally:
        os.close(ended)


def _end(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
