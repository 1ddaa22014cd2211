"""Names to addresses: the system's resolver, in threads of its own.

A look-up belongs to its name, not to the caller: a second caller waits for the one that runs,
and one that hangs keeps one thread busy, however often its name is asked for again.
"""

import socket
from collections.abc import Callable
from typing import Final

import trio

from callpost.edge.dial.fair import FairLimiter
from callpost.edge.dial.fault import is_local, reason_of
from callpost.model.outcome import LocalFault, Retry

# Blocks, as `socket.getaddrinfo` does, and returns addresses in the order of RFC 6724.
LookUp = Callable[[str], tuple[str, ...]]
Verdict = tuple[str, ...] | Retry | LocalFault

# Threads that wait for an answer. The resolver gives up after some 10 to 30 s; where a hundred
# names hang at once, a thread that is given back goes to the tenant who has fewest.
_THREADS_MAX: Final = 100
# A name that is not there is not asked for again for so long; with the shortest pauses of the
# schedule it would be asked for by every attempt.
_NEGATIVE_S: Final = 5.0
# What is known of a name counts for so long when we ask whether the resolver itself is down. A
# name in use is looked up at least once in `connection_max_age_s`, half of this by default.
_REMEMBERED_S: Final = 600.0
# A name may have any number of addresses; these are more than anybody will have time to try.
_ADDRESSES_MAX: Final = 16

_NO_NAME: Final = frozenset({socket.EAI_NONAME, socket.EAI_NODATA, socket.EAI_ADDRFAMILY})
_RESOLVER_SILENT: Final = "dns:temporary_failure"


class Resolver:
    """Finds the addresses of names."""

    def __init__(self, look_up: LookUp | None = None) -> None:
        self._look_up: LookUp = look_up or _by_system
        self._threads = FairLimiter(_THREADS_MAX)
        self._running: dict[str, _Running] = {}
        self._failed: dict[str, tuple[float, Retry]] = {}
        # When each name was last looked up, and whether the resolver was silent then.
        self._silent: dict[str, tuple[float, bool]] = {}

    async def addresses(self, name: str, tenant: str = "") -> Verdict:
        """The addresses of `name`, never none; a thread that looks it up is the tenant's."""
        known = self._failed.get(name)
        if known is not None and trio.current_time() < known[0]:
            return self._judged(known[1])
        running = self._running.get(name) or await self._started(name, tenant)
        await running.done.wait()
        return self._judged(running.verdict)

    async def _started(self, name: str, tenant: str) -> "_Running":
        await self._threads.acquire(tenant)
        if name in self._running:  # somebody was faster while we waited for a thread
            self._threads.release(tenant)
            return self._running[name]
        ticket = self._running[name] = _Running()
        token = trio.lowlevel.current_trio_token()

        def finish(verdict: Verdict) -> None:
            self._threads.release(tenant)
            del self._running[name]
            self._remember(name, verdict)
            ticket.verdict = verdict
            ticket.done.set()

        def look_up() -> None:
            verdict = _verdict(self._look_up, name)
            try:
                token.run_sync_soon(finish, verdict)
            except trio.RunFinishedError:
                return  # the daemon has ended meanwhile; nobody waits any more

        trio.lowlevel.start_thread_soon(look_up, lambda ended: ended.unwrap(), "resolver")
        return ticket

    def _remember(self, name: str, verdict: Verdict) -> None:
        now = trio.current_time()
        self._failed = {known: entry for known, entry in self._failed.items() if entry[0] > now}
        if isinstance(verdict, Retry):
            self._failed[name] = (now + _NEGATIVE_S, verdict)
        self._silent = {
            known: entry for known, entry in self._silent.items() if entry[0] > now - _REMEMBERED_S
        }
        silent = isinstance(verdict, Retry) and verdict.reason == _RESOLVER_SILENT
        self._silent[name] = (now, silent)

    def _judged(self, verdict: Verdict) -> Verdict:
        """A resolver that is silent for every name, and for two at least, is our own fault."""
        if not isinstance(verdict, Retry) or verdict.reason != _RESOLVER_SILENT:
            return verdict
        everybody = len(self._silent) > 1 and all(silent for _, silent in self._silent.values())
        return LocalFault("dns:resolver_down") if everybody else verdict


class _Running:
    """One look-up under way; `verdict` counts once `done` is set."""

    def __init__(self) -> None:
        self.done = trio.Event()
        self.verdict: Verdict = ()


def _by_system(name: str) -> tuple[str, ...]:
    answers = socket.getaddrinfo(name.encode("ascii"), None, type=socket.SOCK_STREAM)
    return tuple(str(answer[4][0]) for answer in answers)


def _verdict(look_up: LookUp, name: str) -> Verdict:
    try:
        addresses = tuple(dict.fromkeys(look_up(name)))[:_ADDRESSES_MAX]
    except socket.gaierror as error:
        if error.errno in _NO_NAME:
            return Retry(reason="dns:not_found", phase="resolve")
        if error.errno == socket.EAI_AGAIN:
            return Retry(reason=_RESOLVER_SILENT, phase="resolve")
        if error.errno == socket.EAI_MEMORY:
            return LocalFault("dns:no_memory")
        return Retry(reason="dns:failure", phase="resolve")
    except OSError as error:  # EAI_SYSTEM: the resolver could not even ask
        reason = f"dns:{reason_of(error)}"
        return LocalFault(reason) if is_local(error) else Retry(reason=reason, phase="resolve")
    except UnicodeError:  # no host name at all
        return Retry(reason="dns:not_found", phase="resolve")
    return addresses or Retry(reason="dns:not_found", phase="resolve")
