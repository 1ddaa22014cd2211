"""systemd's side: the sockets that it hands over, and what it is told.

Not under systemd there are no sockets and nobody to tell, and nothing here fails for it.
"""

import os
import socket
import time
from collections.abc import Mapping, MutableMapping
from contextlib import ExitStack, suppress
from typing import Final

# sd_listen_fds(3): the first descriptor that is handed over.
_FIRST_DESCRIPTOR: Final = 3
_KIND_OF: Final = {
    "events": socket.SOCK_STREAM,
    "datagrams": socket.SOCK_DGRAM,
    "control": socket.SOCK_STREAM,
    "api": socket.SOCK_STREAM,
}
# Only this one may be reached from other machines; all others are known by a path.
_ON_NETWORK: Final = "api"
_NETWORK: Final = frozenset({socket.AF_INET, socket.AF_INET6})
_WORD_OF: Final = {socket.SOCK_STREAM: "ListenStream", socket.SOCK_DGRAM: "ListenDatagram"}
# The service manager reads at once; a full queue must not hold up the calls for longer.
_NOTIFY_TIMEOUT_S: Final = 0.5


class InheritedSocketUnusable(Exception):
    """systemd handed over something else than we expect; the message is one sentence."""


def inherited_sockets(environment: Mapping[str, str]) -> dict[str, socket.socket]:
    """Return the sockets that were handed to this process, by their FileDescriptorName.

    Raises InheritedSocketUnusable. Source: sd_listen_fds(3).
    """
    names = _names(environment)
    if isinstance(environment, MutableMapping):
        # What is said to us is not said to a program that we start.
        for variable in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
            environment.pop(variable, None)
    with ExitStack() as held:
        sockets = {
            name: held.enter_context(_adopted(descriptor, name))
            for descriptor, name in enumerate(names, start=_FIRST_DESCRIPTOR)
        }
        # All of them fit: they are the caller's now.
        held.pop_all()
    return sockets


def _names(environment: Mapping[str, str]) -> list[str]:
    if environment.get("LISTEN_PID") != str(os.getpid()):
        return []
    count = environment.get("LISTEN_FDS", "")
    if not count.isdecimal():
        raise InheritedSocketUnusable(f"LISTEN_FDS is not a number: {count!r}.")
    names = environment.get("LISTEN_FDNAMES", "").split(":")
    if int(count) and len(names) != int(count):
        raise InheritedSocketUnusable(
            f"LISTEN_FDS announces {count} sockets, LISTEN_FDNAMES names {len(names)}."
        )
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InheritedSocketUnusable(f"systemd hands over two sockets named {twice!r}.")
    return names[: int(count)]


def _adopted(descriptor: int, name: str) -> socket.socket:
    kind = _KIND_OF.get(name)
    if kind is None:
        *others, last = _KIND_OF
        known = f"{', '.join(others)} or {last}"
        raise InheritedSocketUnusable(
            f"systemd hands over a socket named {name!r};"
            f" its unit needs FileDescriptorName={known}."
        )
    try:
        os.set_inheritable(descriptor, False)
        adopted = socket.socket(fileno=descriptor)
    except OSError as error:
        raise InheritedSocketUnusable(
            f"the descriptor {descriptor} that systemd named {name!r} is not a socket."
        ) from error
    if not _fits(adopted, kind, name):
        adopted.close()
        or_port = " or a port" if name == _ON_NETWORK else ""
        raise InheritedSocketUnusable(
            f"the socket {name!r} of systemd is of the wrong kind;"
            f" its unit needs {_WORD_OF[kind]}= with a path{or_port}."
        )
    return adopted


def _fits(adopted: socket.socket, kind: socket.SocketKind, name: str) -> bool:
    on_network = name == _ON_NETWORK and adopted.family in _NETWORK
    if not (adopted.family == socket.AF_UNIX or on_network) or adopted.type != kind:
        return False
    # With Accept=yes systemd would hand over one connection instead of the door.
    listening = bool(adopted.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    return listening == (kind == socket.SOCK_STREAM)


def watchdog_interval_s(environment: Mapping[str, str]) -> float | None:
    """Return how often the service manager wants to hear that all is well, None where it does not.

    That is half of the time after which it would restart us. Source: sd_watchdog_enabled(3).
    """
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    limit_us = environment.get("WATCHDOG_USEC", "")
    if not (limit_us.isascii() and limit_us.isdecimal()) or not int(limit_us):
        return None
    return int(limit_us) / 2_000_000


class Notifier:
    """Tells the service manager how the daemon is; silent where there is none.

    `watchdog_interval_s` is how often it wants to hear `watchdog`. Source: sd_notify(3).
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.watchdog_interval_s = watchdog_interval_s(environment)
        self._address = _notify_address(environment.get("NOTIFY_SOCKET", ""))

    def ready(self) -> None:
        """Events are accepted from now on; also the end of a reload."""
        self._tell("READY=1")

    def status(self, text: str) -> None:
        """Show `text` in `systemctl status`, in one line."""
        self._tell("STATUS=" + " ".join(text.split()))

    def reloading(self) -> None:
        """A reload has begun; `ready` tells its end."""
        # CLOCK_MONOTONIC, as systemd reads it.
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def watchdog(self) -> None:
        """All is well; without this for WatchdogSec we are restarted."""
        self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """The doors are closing."""
        self._tell("STOPPING=1")

    def extend(self, seconds: float) -> None:
        """Ask for `seconds` from now to finish what is in hand."""
        self._tell(f"EXTEND_TIMEOUT_USEC={round(seconds * 1_000_000)}")

    def _tell(self, state: str) -> None:
        if not self._address:
            return
        # A service manager that does not listen is no reason to stop delivering.
        with (
            suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify,
        ):
            notify.settimeout(_NOTIFY_TIMEOUT_S)
            notify.sendto(state.encode("utf-8", "replace"), self._address)


def _notify_address(text: str) -> bytes:
    """The address in the kernel's form: a path, or NUL and a name for an abstract one."""
    if text.startswith("@"):
        return b"\0" + os.fsencode(text[1:])
    return os.fsencode(text) if text.startswith("/") else b""
