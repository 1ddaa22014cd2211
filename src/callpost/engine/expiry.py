"""Certificates that end soon: those that peers showed, and our own by which they know us.

What counts is the configuration in force: a peer that nothing is sent to any more is no trouble.
Each is told once a day.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Final

import structlog
import trio

from callpost.engine.ports import Clock
from callpost.model.condition import CERTIFICATE_SOON_S, Certificate
from callpost.model.endpoint import Endpoint, HttpEndpoint, TcpEndpoint, Tls
from callpost.model.instant import utc_text
from callpost.model.subscription import Subscription

_LOOK_INTERVAL_S: Final = 3_600.0
# A little less than a day: the looks drift, and no day is to be left out.
_TOLD_INTERVAL_S: Final = 86_400.0 - _LOOK_INTERVAL_S / 2
_DAY_S: Final = 86_400.0


class Expiry:
    """Knows when certificates end.

    `seen(host, port)` is the end of the certificate that a peer showed last, `of_file(path)` that
    of a file of ours; None where it is not known. Ends are in seconds since 1970. `shown` names
    the files of what our own doors show to those who come in.
    """

    def __init__(
        self,
        *,
        subscriptions: Callable[[], Iterable[Subscription]],
        seen: Callable[[str, int], float | None],
        of_file: Callable[[str], Awaitable[float | None]],
        shown: Callable[[], Iterable[str]] = tuple,
        clock: Clock,
        log: structlog.typing.FilteringBoundLogger,
    ) -> None:
        self._subscriptions = subscriptions
        self._seen = seen
        self._of_file = of_file
        self._shown = shown
        self._clock = clock
        self._log = log
        self._files: dict[str, float] = {}
        self._told_at: dict[str, float] = {}

    def known(self) -> list[tuple[str, float]]:
        """Every certificate that is known by its name, with its end; the first to end first."""
        ends: dict[str, float] = dict(self._files)
        for origin, host, port in self._peers():
            end = self._seen(host, port)
            if end is not None:
                ends[origin] = end
        return sorted(ends.items(), key=lambda one: one[1])

    def soon(self) -> tuple[Certificate, ...]:
        """Those that end within three weeks, or have ended."""
        by = self._clock.wall() + CERTIFICATE_SOON_S
        return tuple(
            Certificate(name=name, expires_at=utc_text(end))
            for name, end in self.known()
            if end <= by
        )

    async def watch(self) -> None:
        """Look for ever, once an hour, and tell."""
        while True:
            await self.look()
            await trio.sleep(_LOOK_INTERVAL_S)

    async def look(self) -> None:
        """Read our own files again and tell of what ends soon, each certificate once a day."""
        files = {}
        ours = {tls.client_cert for tls in self._settings() if tls.client_cert}
        for path in ours.union(self._shown()):
            end = await self._of_file(path)
            if end is not None:
                files[path] = end
        self._files = files
        now, wall = self._clock.steady(), self._clock.wall()
        ending = [one for one in self.known() if one[1] <= wall + CERTIFICATE_SOON_S]
        names = {name for name, _ in ending}
        # One that was renewed is told at once when it ends again.
        self._told_at = {name: at for name, at in self._told_at.items() if name in names}
        for name, end in ending:
            if now - self._told_at.get(name, float("-inf")) >= _TOLD_INTERVAL_S:
                self._told_at[name] = now
                self._log.warning(
                    "certificate.expiring",
                    certificate=name,
                    expiresAt=utc_text(end),
                    daysLeft=int((end - wall) // _DAY_S),
                )

    def _peers(self) -> Iterator[tuple[str, str, int]]:
        """The origin, host and port of whoever shows a certificate."""
        for endpoint in self._endpoints():
            if _tls_of(endpoint) is not None:
                yield endpoint.origin, endpoint.host, endpoint.port
            proxy = endpoint.proxy if isinstance(endpoint, HttpEndpoint) else None
            if proxy is not None and proxy.scheme == "https":
                yield proxy.origin, proxy.host, proxy.port

    def _settings(self) -> Iterator[Tls]:
        for endpoint in self._endpoints():
            tls = _tls_of(endpoint)
            if tls is not None:
                yield tls

    def _endpoints(self) -> Iterator[Endpoint]:
        for one in self._subscriptions():
            yield from one.endpoints
            for other in (one.callback, one.report):
                if other is not None:
                    yield other


def _tls_of(endpoint: Endpoint) -> Tls | None:
    match endpoint:
        case HttpEndpoint(scheme="https", tls=tls):
            return tls
        case TcpEndpoint(tls=tls):
            return tls
        case _:
            return None
