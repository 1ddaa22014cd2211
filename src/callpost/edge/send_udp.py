"""One UDP endpoint's door: one datagram per event, always best effort.

Delivered means sent: nothing tells whether a datagram arrived.
"""

from typing import Protocol

import trio

from callpost.model.delivery import Message, Report
from callpost.model.endpoint import UdpEndpoint
from callpost.model.framing import enveloped
from callpost.model.limits import DATAGRAM_MAX_BYTES, Egress
from callpost.model.outcome import Delivered, LocalFault, Outcome, Rejected, Retry


class DatagramLink(Protocol):
    """A way to send datagrams to the peer."""

    async def send(self, datagram: bytes) -> Retry | Rejected | LocalFault | None:
        """Hand it to the kernel; None once that was done, else why it was not."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


class Dialer(Protocol):
    """What makes links."""

    async def connect_datagram(
        self, host: str, port: int, *, connect_timeout_s: float
    ) -> DatagramLink | Retry | LocalFault:
        """A link, or why there is none."""
        ...


class UdpSender:
    """Sends to one UDP endpoint; the name is looked up again after `connection_max_age_s`."""

    def __init__(self, endpoint: UdpEndpoint, *, dialer: Dialer, egress: Egress) -> None:
        self._endpoint = endpoint
        self._dialer = dialer
        self._egress = egress
        self._turn = trio.Lock()
        self._link: DatagramLink | None = None
        self._opened_at = 0.0

    async def send(self, message: Message) -> Report:
        """Make one attempt, within the endpoint's time-outs."""
        started = trio.current_time()
        content = self._content(message)
        if len(content) > DATAGRAM_MAX_BYTES:
            return Report(
                outcome=Rejected("too_large"), connect_ms=None, total_ms=0.0, reused=False
            )
        outcome: Outcome = Retry(reason="timeout", phase="write", timed_out=True)
        connect_ms: float | None = None
        reused = False
        with trio.CancelScope(deadline=started + self._endpoint.timeouts.whole_s):
            async with self._turn:
                reused = self._is_usable()
                link = self._link if reused else await self._connect()
                if isinstance(link, Retry | LocalFault):
                    outcome = link
                elif link is not None:
                    connect_ms = None if reused else (self._opened_at - started) * 1000
                    outcome = await self._sent(link, content)
        return Report(
            outcome=outcome,
            connect_ms=connect_ms,
            total_ms=(trio.current_time() - started) * 1000,
            reused=reused,
        )

    def close(self) -> None:
        """Drop the socket, unless a datagram is on its way."""
        if not self._turn.locked():
            self._hang_up()

    def _content(self, message: Message) -> bytes:
        if self._endpoint.envelope:
            return enveloped(message, keys=self._endpoint.signing_keys)
        return message.content

    def _is_usable(self) -> bool:
        age_s = trio.current_time() - self._opened_at
        if age_s >= self._egress.connection_max_age_s:
            self._hang_up()
        return self._link is not None

    async def _connect(self) -> DatagramLink | Retry | LocalFault:
        link = await self._dialer.connect_datagram(
            self._endpoint.host,
            self._endpoint.port,
            connect_timeout_s=self._endpoint.timeouts.connect_s,
        )
        if not isinstance(link, Retry | LocalFault):
            self._link = link
            self._opened_at = trio.current_time()
        return link

    async def _sent(self, link: DatagramLink, content: bytes) -> Outcome:
        failure = await link.send(content)
        if failure is None:
            return Delivered("sent")
        if not isinstance(failure, Rejected):
            self._hang_up()
        return failure

    def _hang_up(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None
