"""One UDP endpoint's door: one datagram per event, always best effort.

Delivered means sent: nothing tells whether a datagram arrived.
"""

from typing import Final, Protocol

import trio

from callpost.model.delivery import Message, Report
from callpost.model.endpoint import UdpEndpoint
from callpost.model.framing import enveloped
from callpost.model.limits import DATAGRAM_MAX_BYTES, Egress
from callpost.model.outcome import Delivered, LocalFault, Outcome, Rejected, Retry

# The kernel takes datagrams at once, so nothing would ever wait; to let the others have their
# turn at every datagram would cost 3 us each.
_DATAGRAMS_A_TURN: Final = 16


class DatagramLink(Protocol):
    """A way to send datagrams to the peer."""

    def send(self, datagram: bytes) -> Retry | Rejected | LocalFault | bool:
        """Hand it to the kernel: True once that was done, False where it has no room just now.

        Else why it cannot be sent.
        """
        ...

    async def wait(self) -> None:
        """Wait until the kernel has room again."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


class Dialer(Protocol):
    """What makes links."""

    async def connect_datagram(
        self, host: str, port: int, *, connect_timeout_s: float, strict: bool
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
        self._datagrams = 0

    async def send(self, message: Message) -> Report:
        """Make one attempt, within the endpoint's time-outs."""
        self._datagrams += 1
        if self._datagrams % _DATAGRAMS_A_TURN == 0:
            await trio.lowlevel.checkpoint()
        started = trio.current_time()
        content = self._content(message)
        if len(content) > DATAGRAM_MAX_BYTES:
            return Report(outcome=_TOO_LARGE, connect_ms=None, total_ms=0.0, reused=False)
        if not self._turn.locked() and self._is_usable(started):
            # The kernel mostly has room; a lock and a deadline to wait under would cost 9 us.
            outcome = self._sent(content)
            if outcome is not None:
                total_ms = (trio.current_time() - started) * 1000
                return Report(outcome=outcome, connect_ms=None, total_ms=total_ms, reused=True)
        return await self._send_in_turn(content, started)

    def headers(self, message: Message) -> tuple[tuple[str, str], ...]:  # noqa: ARG002 - the port's
        """See ports.Sender: a datagram has none."""
        return ()

    def close(self) -> None:
        """Drop the socket, unless a datagram is on its way."""
        if not self._turn.locked():
            self._hang_up()

    def _content(self, message: Message) -> bytes:
        if self._endpoint.envelope:
            return enveloped(message, keys=self._endpoint.signing_keys)
        return message.content

    async def _send_in_turn(self, content: bytes, started: float) -> Report:
        """Send after those that wait already, on a new socket where there is none."""
        outcome: Outcome | None = None
        connect_ms: float | None = None
        reused = False
        with trio.CancelScope(deadline=started + self._endpoint.timeouts.whole_s):
            async with self._turn:
                reused = self._is_usable(trio.current_time())
                if not reused:
                    outcome = await self._connect()
                    connect_ms = None if outcome else (self._opened_at - started) * 1000
                while outcome is None:
                    outcome = self._sent(content)
                    if outcome is None and self._link is not None:
                        await self._link.wait()
        return Report(
            outcome=outcome or Retry(reason="timeout", phase="write", timed_out=True),
            connect_ms=connect_ms,
            total_ms=(trio.current_time() - started) * 1000,
            reused=reused,
        )

    def _is_usable(self, now: float) -> bool:
        if now - self._opened_at >= self._egress.connection_max_age_s:
            self._hang_up()
        return self._link is not None

    async def _connect(self) -> Retry | LocalFault | None:
        link = await self._dialer.connect_datagram(
            self._endpoint.host,
            self._endpoint.port,
            connect_timeout_s=self._endpoint.timeouts.connect_s,
            strict=self._endpoint.strict,
        )
        if isinstance(link, Retry | LocalFault):
            return link
        self._link = link
        self._opened_at = trio.current_time()
        return None

    def _sent(self, content: bytes) -> Outcome | None:
        """How it ended; None where the kernel has no room just now."""
        if self._link is None:
            return Retry(reason="closed", phase="write")
        sent = self._link.send(content)
        if sent is True:
            return _SENT
        if sent is False:
            return None
        if not isinstance(sent, Rejected):
            self._hang_up()
        return sent

    def _hang_up(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None


_SENT: Final = Delivered("sent")
_TOO_LARGE: Final = Rejected("too_large")
