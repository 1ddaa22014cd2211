"""HTTP/2 out of bytes: however they are cut, and whatever they are, an exchange has a result."""

from collections.abc import Sequence
from itertools import pairwise
from math import inf

import trio
from h2.config import H2Configuration
from h2.connection import H2Connection
from hypothesis import given
from hypothesis import strategies as st

from callpost.edge.http1 import Answer, ExchangeFailure
from callpost.edge.send_http_negotiated.http2 import Http2Connection

REQUEST = b"POST /calls HTTP/1.1\r\nhost: crm.example\r\ncontent-length: 2\r\n\r\n{}"
GREETING = b"\0\0\0\4\0\0\0\0\0"


class _Tape:
    """A link that says what is on it, piece by piece, and then ends."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self.expired = False
        self._pieces = [GREETING, *(piece for piece in pieces if piece)]

    async def send_all(self, data: bytes) -> None:
        """Nobody listens."""

    async def receive_some(self, _: int) -> bytes:
        """The next piece."""
        await trio.lowlevel.checkpoint()
        return self._pieces.pop(0) if self._pieces else b""

    def reason_of(self, error: OSError) -> str:
        """There are none."""
        raise error

    def set_deadline(self, when: float) -> None:
        """It needs no deadline, because it never waits."""

    def rest(self, now: float) -> None:
        """It may."""

    def wake(self, _: float) -> bool:
        """It always does."""
        return True

    def peer_is_idle(self) -> bool:
        """It says everything at once."""
        return not self._pieces

    def close(self) -> None:
        """There is nothing to close."""


def _answered(pieces: Sequence[bytes]) -> Answer | ExchangeFailure:
    """What comes of one exchange with these bytes behind the greeting."""

    async def exchange() -> Answer | ExchangeFailure:
        connection = Http2Connection(_Tape(pieces), opened_at=0.0)
        assert not await connection.begin()
        return await connection.exchange(REQUEST, first_byte_by=inf, deadline=inf)

    return trio.run(exchange)


def _answer_bytes() -> bytes:
    """A whole answer on the first stream, as a server writes it."""
    client, server = H2Connection(), H2Connection(H2Configuration(client_side=False))
    client.initiate_connection()
    request = {":method": "GET", ":scheme": "https", ":path": "/", ":authority": "h"}
    client.send_headers(1, list(request.items()), end_stream=True)
    server.receive_data(client.data_to_send())
    server.send_headers(1, [(":status", "103"), ("link", "</a>")])
    server.send_headers(1, [(":status", "503"), ("retry-after", "7"), ("x-other", "1" * 300)])
    server.send_data(1, b"later, please")
    server.send_headers(1, [("x-trailer", "1")], end_stream=True)
    return server.data_to_send()


WHOLE = _answer_bytes()
EXPECTED = Answer(503, ((b"retry-after", b"7"),), b"later, please", reusable=True)


def _cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    bounds = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(bounds)]


@given(st.lists(st.integers(0, 10_000), max_size=30))
def test_it_does_not_matter_how_an_answer_is_cut(places: list[int]) -> None:
    """Headers, body and status are the same."""
    assert _answered(_cut(WHOLE, places)) == EXPECTED


@given(st.integers(0, len(WHOLE)))
def test_an_answer_that_breaks_off_is_an_answer_once_its_headers_are_here(length: int) -> None:
    """Before that it is none."""
    result = _answered([WHOLE[:length]])
    assert isinstance(result, ExchangeFailure) or (
        result.status == 503 and EXPECTED.body.startswith(result.body)
    )


@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=5))
def test_a_damaged_answer_has_a_result(changes: list[tuple[int, int]]) -> None:
    """It may even be an answer still; nothing raises."""
    damaged = bytearray(WHOLE)
    for place, value in changes:
        damaged[place] = value
    assert isinstance(_answered([bytes(damaged)]), Answer | ExchangeFailure)


_FRAMES = st.builds(
    lambda kind, flags, number, payload: (
        len(payload).to_bytes(3) + bytes([kind, flags]) + number.to_bytes(4) + payload
    ),
    st.integers(0, 12),
    st.integers(0, 255),
    st.sampled_from([0, 1, 2, 3, 2**31 - 1, 2**32 - 1]),
    st.binary(max_size=64),
)


@given(st.lists(_FRAMES, max_size=8))
def test_any_frames_have_a_result(frames: list[bytes]) -> None:
    """Of every kind, with any content, on any stream."""
    assert isinstance(_answered(frames), Answer | ExchangeFailure)


@given(st.binary(max_size=200))
def test_any_bytes_have_a_result(data: bytes) -> None:
    """Also what is no frame at all."""
    assert isinstance(_answered([data]), Answer | ExchangeFailure)
