"""An HTTP/2 connection (RFC 9113): several exchanges at a time on one link, with h2 for frames.

Whoever waits for an answer reads for all; there is no task of its own. Nothing here raises for
what a peer does, and an exchange that is given up leaves the others alone.
"""

import errno
from math import inf
from typing import Final

import trio
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    InformationalResponseReceived,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import DenialOfServiceError, H2Error, ProtocolError
from h2.settings import SettingCodes, Settings

from callpost.edge.http1 import Answer, ExchangeFailure, Link
from callpost.edge.send_http_negotiated.frames import Frames, last_stream_of
from callpost.edge.send_http_negotiated.stream import Stream, fields_of
from callpost.model.limits import ANSWER_HEADERS_MAX_BYTES

_CHUNK_BYTES: Final = 16 * 1024
# What most servers allow; a peer that allows more shall not have everything on one link.
_STREAMS_MAX: Final = 100


class Http2Connection:
    """Carries exchanges over a link on which "h2" was agreed; `opened_at` is trio's time."""

    def __init__(self, link: Link, *, opened_at: float) -> None:
        self.opened_at = opened_at
        self._link = link
        self._h2 = H2Connection(H2Configuration(client_side=True, header_encoding=None))
        self._h2.local_settings = Settings(client=True, initial_values=_SETTINGS)
        self._streams: dict[int, Stream] = {}
        self._sending = trio.Lock()
        # What went out last may be half a frame: nothing can follow it.
        self._is_torn = False
        self._is_read = False
        self._news = trio.Event()
        self._frames = Frames()
        self._is_greeted = False
        # It takes no new exchanges; those that are under way may end.
        self._is_leaving = False
        # Why nothing more will come, "" as long as something may.
        self._end = ""

    @property
    def has_room(self) -> bool:
        """Whether it may carry one more exchange."""
        most = min(self._h2.remote_settings.max_concurrent_streams, _STREAMS_MAX)
        is_open = not (self._is_leaving or self._is_torn or self._end)
        return is_open and len(self._streams) < most

    @property
    def is_busy(self) -> bool:
        """Whether an exchange is under way."""
        return bool(self._streams)

    async def begin(self) -> str:
        """Exchange settings with the peer; returns why that failed, "" where it did not.

        How many exchanges it takes at a time is in its settings, so they are waited for.
        """
        self._h2.initiate_connection()
        try:
            await self._flush()
        except OSError as error:
            return self._link.reason_of(error)
        while not self._is_greeted and not self._end:
            await self._progress()
        return self._end

    async def exchange(
        self, request: bytes, *, first_byte_by: float, deadline: float
    ) -> Answer | ExchangeFailure:
        """Like `http1.Connection.exchange`, of the same `request` of HTTP/1.1."""
        stream = Stream()
        number = 0
        first_byte_by = min(first_byte_by, deadline)
        with trio.CancelScope(deadline=first_byte_by) as scope:
            try:
                number = self._h2.get_next_available_stream_id()
                self._streams[number] = stream
                await self._send(number, stream, request)
                await self._read(stream, scope, deadline)
            except H2Error:
                # It cannot be sent here: the peer takes none, or all numbers are used up.
                self._is_leaving = True
                stream.fail("stream_refused")
            finally:
                self._forget(number, stream)
        return stream.result(
            timed_out=scope.cancelled_caught and not stream.ended, short=first_byte_by < deadline
        )

    def rest(self, now: float) -> None:
        """No exchange for now; the connection may be closed behind our back."""
        self._link.rest(now)

    def wake(self, now: float) -> bool:
        """Whether an exchange may use it after `rest`, as far as can be seen from here.

        What came meanwhile is read with the next answer: it may be no more than a ping.
        """
        is_open = self._link.wake(now)
        # The deadline of the rest; each exchange has its own.
        self._link.set_deadline(inf)
        return is_open

    def close(self) -> None:
        """Close it without waiting; no exchange may be under way."""
        self._link.close()

    async def _send(self, number: int, stream: Stream, request: bytes) -> None:
        head, _, body = request.partition(b"\r\n\r\n")
        self._h2.send_headers(number, fields_of(head), end_stream=not body)
        try:
            await self._flush()
            while body and not stream.ended:
                room = self._h2.local_flow_control_window(number)
                room = min(room, self._h2.max_outbound_frame_size)
                if room <= 0:
                    await self._progress()
                    continue
                self._h2.send_data(number, body[:room], end_stream=len(body) <= room)
                body = body[room:]
                await self._flush()
        except OSError:
            return  # a peer may answer (413, say) before it has read everything: read on
        if not stream.headed:
            stream.phase = "first-byte"

    async def _read(self, stream: Stream, scope: trio.CancelScope, deadline: float) -> None:
        while not stream.ended:
            if stream.headed:
                scope.deadline = deadline
            await self._progress()

    def _forget(self, number: int, stream: Stream) -> None:
        """The exchange is over; where it was given up the peer hears of it with what is sent next.

        What it sends until then is bounded by the stream's window.
        """
        if self._streams.pop(number, None) is None or stream.whole:
            return
        try:
            self._h2.reset_stream(number, ErrorCodes.CANCEL)
        except ProtocolError:
            return  # it knows already

    async def _progress(self) -> None:
        """Read what comes next, or wait until somebody else has."""
        if self._is_read:
            await self._news.wait()
            return
        self._is_read = True
        try:
            data = await self._link.receive_some(_CHUNK_BYTES)
            self._take(data)
        except OSError as error:
            self._fail_all(self._link.reason_of(error))
        finally:
            self._is_read = False
            self._news.set()
            self._news = trio.Event()
        if not self._is_torn and not self._end:
            try:
                await self._flush()
            except OSError:
                return  # what the peer has sent already may still be read

    async def _flush(self) -> None:
        async with self._sending:
            data = self._h2.data_to_send()
            if not data:
                return
            if self._is_torn:
                raise BrokenPipeError(errno.EPIPE, "a write was given up half-way")
            try:
                await self._link.send_all(data)
            except BaseException:
                self._is_torn = True
                raise

    def _take(self, data: bytes) -> None:
        """Look at what arrived, frame by frame."""
        if not data:
            self._fail_all("closed")
            return
        try:
            for frame in self._frames.after(data):
                self._take_frame(frame)
        except DenialOfServiceError:
            self._fail_all("protocol:header block too large", received=True)
        except ProtocolError as error:
            word = ErrorCodes(error.error_code).name.replace("_", " ").lower()
            self._fail_all(f"protocol:{word}", received=True)

    def _take_frame(self, frame: bytes) -> None:
        last = last_stream_of(frame)
        if last is not None:
            # h2 would take it for the end of everything, but a server that is about to close
            # still answers what it has begun (RFC 9113, section 6.8).
            self._take_leave(last=last)
            return
        for event in self._h2.receive_data(frame):
            self._take_event(event)

    def _take_leave(self, *, last: int) -> None:
        """The peer answers what came up to `last` and nothing after it."""
        self._is_leaving = True
        for number, stream in self._streams.items():
            if number > last:
                stream.fail("closed")

    def _take_event(self, event: Event) -> None:
        if isinstance(event, RemoteSettingsChanged):
            self._is_greeted = True
            return
        number = getattr(event, "stream_id", None)
        if isinstance(event, DataReceived):
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        stream = self._streams.get(number) if isinstance(number, int) else None
        if stream is None:
            return
        match event:
            case ResponseReceived():
                stream.take_headers([(bytes(name), bytes(value)) for name, value in event.headers])
            case InformationalResponseReceived():
                stream.take_interim()
            case DataReceived():
                stream.take_body(event.data)
            case StreamEnded():
                stream.whole = True
                stream.fail("closed")
            case StreamReset():
                stream.whole = True
                # Refused means that nothing was done with it (RFC 9113, section 8.7).
                was_refused = event.error_code == ErrorCodes.REFUSED_STREAM
                stream.received = stream.received or not was_refused
                stream.fail("stream_refused" if was_refused else "stream_reset")
            case _:
                pass

    def _fail_all(self, reason: str, *, received: bool = False) -> None:
        """The connection is at its end, and all that was under way with it."""
        self._end = self._end or reason
        for stream in self._streams.values():
            stream.received = stream.received or received
            stream.fail(reason)


_SETTINGS: Final = {
    SettingCodes.ENABLE_PUSH: 0,
    SettingCodes.MAX_HEADER_LIST_SIZE: ANSWER_HEADERS_MAX_BYTES,
}
