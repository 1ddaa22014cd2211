"""Whatever a peer sends to httpx, however it is cut: an answer as it was made, or a failure."""

from collections.abc import Callable

import httpx
import pytest
import trio
from hypothesis import example, given
from hypothesis import strategies as st
from trio.testing import MockClock

from callpost.edge.http1 import Answer, ExchangeFailure
from callpost.edge.send_httpx.carrier import Carrier
from callpost.edge.send_httpx.request import request_of
from edge.send.answers import WellFormed, any_stream, pieces, well_formed
from edge.send.scripted_link import ScriptedLink

_URL = httpx.URL("http://crm.example")
_REQUEST = b"POST / HTTP/1.1\r\nhost: crm.example\r\ncontent-length: 2\r\n\r\n{}"
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_cuts = st.lists(st.integers(0, 2_000), max_size=10)
_ENDS: dict[str, Callable[[], OSError | None]] = {
    "closed": lambda: None,
    "reset": ConnectionResetError,
}


def _exchanged(parts: list[bytes], end: OSError | None = None) -> Answer | ExchangeFailure:
    async def exchange() -> Answer | ExchangeFailure:
        carrier = Carrier(ScriptedLink(parts, end), _URL, opened_at=0.0)
        request = request_of(_REQUEST, _URL, is_http2=False)
        return await carrier.exchange(request, first_byte_by=1.0, deadline=2.0)

    return trio.run(exchange, clock=MockClock())


@pytest.mark.parametrize("end", _ENDS)
@given(stream=any_stream, cuts=_cuts)
@example(stream=b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000, cuts=[])
@example(stream=b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + _OK, cuts=[])
@example(stream=b"HTTP/1.1 000 No\r\n\r\n", cuts=[])
@example(stream=b"HTTP/7.7 200 OK\r\nContent-Length: 0\r\n\r\n", cuts=[])
def test_any_stream_is_an_answer_or_a_failure(end: str, stream: bytes, cuts: list[int]) -> None:
    """Nothing that a peer sends raises, and what is no status of ours is no answer."""
    result = _exchanged(pieces(stream, cuts), _ENDS[end]())
    assert isinstance(result, ExchangeFailure) or 200 <= result.status <= 999


@given(answer=well_formed(), cuts=_cuts)
@example(answer=WellFormed(_OK, 200, (), b"ok", reusable=True), cuts=[])
def test_a_well_formed_answer_reads_as_it_was_made(answer: WellFormed, cuts: list[int]) -> None:
    """Every framing, with interim answers before it, extensions and trailers in it."""
    result = _exchanged(pieces(answer.stream, cuts))
    assert isinstance(result, Answer)
    read = (result.status, result.headers, result.body)
    assert read == (answer.status, answer.headers, answer.body)


@given(answer=well_formed(), cuts=_cuts)
def test_a_connection_is_used_again_only_where_it_may_be(
    answer: WellFormed, cuts: list[int]
) -> None:
    """Rather once too little: httpx's is closed where it is not sure."""
    result = _exchanged(pieces(answer.stream, cuts))
    assert isinstance(result, Answer)
    assert answer.reusable or not result.reusable


@given(answer=well_formed(), behind=st.binary(min_size=1, max_size=50))
def test_a_connection_with_more_behind_the_answer_is_not_used_again(
    answer: WellFormed, behind: bytes
) -> None:
    """The next answer would be read from it."""
    result = _exchanged([answer.stream + behind])
    assert isinstance(result, Answer)
    assert not result.reusable
