"""Whatever a peer sends, however it is cut: the same answer, or the same clean failure."""

from collections.abc import Callable

import pytest
import trio
from hypothesis import example, given
from hypothesis import strategies as st
from trio.testing import MockClock

from callpost.edge.http1 import Answer, Connection, ExchangeFailure
from callpost.edge.http1.parse import AnswerParser
from edge.send.answers import WellFormed, any_stream, pieces, well_formed
from edge.send.scripted_link import ScriptedLink

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_TRAILED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nRetry-After: 9\r\nEmpty:\r\n\r\n"
)
_cuts = st.lists(st.integers(0, 2_000), max_size=10)


def _fed(parser: AnswerParser, *parts: bytes) -> tuple[object, ...]:
    """All that a parser says of the answer; without headers only why there are none."""
    for part in parts:
        parser.feed(part)
    answer = (parser.status, tuple(parser.headers), parser.body) if parser.headed else None
    return (answer, parser.reusable, parser.error, parser.done, parser.received)


@given(stream=any_stream, cuts=_cuts)
@example(stream=_OK + b"\r\nX", cuts=[len(_OK), len(_OK) + 2])
@example(stream=_OK[:17] + b"X: " + b"x" * 70_000, cuts=[65_536])
@example(stream=_TRAILED[:47] + b"1\r\nx\r\n" * 30_000, cuts=[70_000, 131_071])
def test_any_stream_reads_the_same_however_it_is_cut(stream: bytes, cuts: list[int]) -> None:
    """Nothing that a peer sends raises, and packets' borders mean nothing."""
    cut = _fed(AnswerParser(), *pieces(stream, cuts))
    assert cut == _fed(AnswerParser(), stream)


@given(answer=well_formed(), cuts=_cuts)
def test_a_well_formed_answer_reads_as_it_was_made(answer: WellFormed, cuts: list[int]) -> None:
    """Every framing, with interim answers before it, extensions and trailers in it."""
    parser = AnswerParser()
    _fed(parser, *pieces(answer.stream, cuts))
    read = (parser.status, tuple(parser.headers), parser.body, parser.reusable)
    assert read == (answer.status, answer.headers, answer.body, answer.reusable)


@given(first=well_formed().filter(lambda answer: answer.reusable), then=any_stream, cuts=_cuts)
@example(first=WellFormed(_TRAILED, 200, (), b"", reusable=True), then=_OK, cuts=[])
def test_nothing_of_an_answer_is_left_for_the_next(
    first: WellFormed, then: bytes, cuts: list[int]
) -> None:
    """On a connection that is used again an answer reads as on a fresh one."""
    used = AnswerParser()
    _fed(used, first.stream)
    used.begin()
    assert _fed(used, *pieces(then, cuts)) == _fed(AnswerParser(), then)


def _ends() -> dict[str, Callable[[], OSError | None]]:
    return {"closed": lambda: None, "reset": ConnectionResetError, "silent": TimeoutError}


async def _exchanged(
    parts: list[bytes], end: OSError | None
) -> tuple[Answer | ExchangeFailure, bool]:
    """The result, its `reusable` aside, and whether the connection is fit for another."""
    connection = Connection(ScriptedLink(parts, end), opened_at=0.0)
    result = await connection.exchange(b"request", first_byte_by=1.0, deadline=2.0)
    connection.rest(0.0)
    if isinstance(result, Answer):
        result = Answer(result.status, result.headers, result.body, reusable=True)
    return result, connection.wake(0.0)


@pytest.mark.parametrize("end", list(_ends()))
@given(stream=any_stream, cuts=_cuts)
def test_any_exchange_ends_the_same_however_the_answer_is_cut(
    end: str, stream: bytes, cuts: list[int]
) -> None:
    """In an answer or a failure, and what is too much retires the connection in either case."""
    ended = _ends()[end]

    async def both() -> bool:
        whole = await _exchanged([stream] if stream else [], ended())
        return await _exchanged(pieces(stream, cuts), ended()) == whole

    assert trio.run(both, clock=MockClock())
