"""Two network namespaces and the link between them, which loses, delays, reorders and damages.

The link is a pair of TUN devices with this process in the middle: what `tc netem` does, on any
kernel that has TUN. It takes root; all that is made goes at the end, with the addresses in it.
"""

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final, TypeVar

import pytest
import trio

Made = TypeVar("Made")
# linux/if_tun.h
_TUNSETIFF: Final = 0x400454CA
_IFF_TUN: Final = 0x0001
_IFF_NO_PI: Final = 0x1000
_NEW_NETWORK: Final = 0x40000000
_PACKET_MAX_BYTES: Final = 65_536
_HEADER_BYTES: Final = 20
HERE: Final = "10.99.0.1"
THERE: Final = "10.99.0.2"


@dataclass(frozen=True)
class Weather:
    """What happens to packets: shares of them, and seconds."""

    loss: float = 0.0
    delay_s: float = 0.0
    jitter_s: float = 0.0
    corrupt: float = 0.0
    twice: float = 0.0


FAIR: Final = Weather()
CUT: Final = Weather(loss=1.0)


class BadLink:
    """What is sent at one end comes out at the other, as the weather is."""

    def __init__(self, chance: Random, here: int, there: int) -> None:
        self.weather = FAIR
        self.lost = self.damaged = self.carried = 0
        self._chance = chance
        self._ends = here, there

    async def carry(self) -> None:
        """Carry packets for ever; each that is late has a task of its own here."""
        here, there = self._ends
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._one_way, here, there, nursery)
            nursery.start_soon(self._one_way, there, here, nursery)

    async def _one_way(self, source: int, target: int, late: trio.Nursery) -> None:
        while True:
            await trio.lowlevel.wait_readable(source)
            packet = os.read(source, _PACKET_MAX_BYTES)
            weather, draw = self.weather, self._chance.random
            if draw() < weather.loss:
                self.lost += 1
                continue
            if draw() < weather.corrupt and len(packet) > _HEADER_BYTES:
                self.damaged += 1
                packet = self._damage(packet)
            self.carried += 1
            for _ in range(2 if draw() < weather.twice else 1):
                delay_s = weather.delay_s + weather.jitter_s * draw()
                if delay_s:
                    late.start_soon(self._later, target, packet, delay_s)
                else:
                    self._put(target, packet)

    async def _later(self, target: int, packet: bytes, delay_s: float) -> None:
        await trio.sleep(delay_s)
        self._put(target, packet)

    def _put(self, target: int, packet: bytes) -> None:
        # A full queue drops packets, as on any link.
        with contextlib.suppress(BlockingIOError):
            os.write(target, packet)

    def _damage(self, packet: bytes) -> bytes:
        place = self._chance.randrange(_HEADER_BYTES, len(packet))
        flipped = packet[place] ^ (1 << self._chance.randrange(8))
        return packet[:place] + bytes([flipped]) + packet[place + 1 :]


@dataclass(frozen=True)
class Namespaces:
    """Where the daemon lives and where the receivers do, each with its end of the link."""

    here: str
    there: str
    ends: tuple[int, int]

    def command_here(self) -> tuple[str, ...]:
        """What a command is put behind to run here."""
        return ("/usr/bin/env", "ip", "netns", "exec", self.here)


@contextmanager
def two_namespaces() -> Iterator[Namespaces]:
    """Make them, or skip with the reason; take them away again."""
    if not Path("/dev/net/tun").exists():
        pytest.skip("there is no /dev/net/tun")
    with ExitStack() as held:
        here, there = (_namespace(held, where) for where in ("here", "there"))
        yield Namespaces(here, there, (_end(held, here, HERE), _end(held, there, THERE)))


@asynccontextmanager
async def a_bad_link(chance: Random, names: Namespaces) -> AsyncIterator[BadLink]:
    """A link between the two; packets are carried in its nursery."""
    async with trio.open_nursery() as nursery:
        link = BadLink(chance, *names.ends)
        nursery.start_soon(link.carry)
        yield link
        nursery.cancel_scope.cancel()


def listening(name: str, address: str) -> trio.SocketListener:
    """A listener at any port of an address inside the namespace."""

    def listen() -> socket.socket:
        made = socket.create_server((address, 0), backlog=128)
        made.setblocking(False)
        return made

    return trio.SocketListener(trio.socket.from_stdlib_socket(_inside(name, listen)))


def _namespace(held: ExitStack, where: str) -> str:
    name = f"callpost-{os.getpid()}-{where}"
    _run("netns", "add", name)
    held.callback(_run, "netns", "delete", name, check=False)
    return name


def _end(held: ExitStack, name: str, address: str) -> int:
    """One end of the link, with its address, up."""

    def make() -> int:
        tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        held.callback(os.close, tun)
        fcntl.ioctl(tun, _TUNSETIFF, struct.pack("16sH22x", b"bad0", _IFF_TUN | _IFF_NO_PI))
        return tun

    tun = _inside(name, make)
    _run("-n", name, "link", "set", "lo", "up")
    _run("-n", name, "address", "add", f"{address}/24", "dev", "bad0")
    _run("-n", name, "link", "set", "bad0", "up")
    return tun


def _inside(name: str, make: Callable[[], Made]) -> Made:
    """What `make` makes inside the namespace: a thread enters it and ends there."""
    made: list[Made] = []
    faults: list[OSError] = []

    def enter() -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        try:
            with Path("/run/netns", name).open("rb") as namespace:
                if libc.setns(namespace.fileno(), _NEW_NETWORK) != 0:
                    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))  # noqa: TRY301 - it belongs to the calls around it
            made.append(make())
        except OSError as fault:
            faults.append(fault)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    if faults:
        pytest.skip(f"cannot work inside a network namespace: {faults[0]}")
    return made[0]


def _run(*words: str, check: bool = True) -> None:
    done = subprocess.run(
        ["/usr/bin/env", "ip", *words], check=False, capture_output=True, text=True
    )
    if check and done.returncode != 0:
        pytest.skip(f"cannot set up a network namespace: {done.stderr.strip()}")
