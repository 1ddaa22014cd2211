"""Answers out of bytes: what llhttp reads and what we make of it."""

import pytest

from callpost.edge.http1.parse import AnswerParser
from callpost.model.limits import ANSWER_HEADERS_MAX_BYTES, ANSWER_MAX_BYTES

_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def _parsed(*pieces: bytes) -> AnswerParser:
    parser = AnswerParser()
    for piece in pieces:
        parser.feed(piece)
    return parser


@pytest.mark.parametrize(
    "answer",
    [
        _OK,
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
        _CHUNKED + b"2;a=b\r\nok\r\n0\r\nTrailer: x\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        b"\r\n" + _OK,
        _OK + b"\r\n",
        _CONTINUE + b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + _OK,
    ],
)
def test_a_whole_answer_leaves_the_connection_reusable(answer: bytes) -> None:
    """The answer's end is known, so another request may follow."""
    assert _parsed(answer).reusable


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.1 204 No Content\r\n\r\nbody",
        _OK + b"more",
        _OK + _OK,
        _CHUNKED + b"zz\r\n",
        _CHUNKED + b"2\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + b"x" * 99_999,
    ],
)
def test_what_is_not_a_whole_answer_and_nothing_else_retires_the_connection(answer: bytes) -> None:
    """Bytes too many or too few, or the peer's own wish."""
    assert not _parsed(answer).reusable


@pytest.mark.parametrize(
    "answer", [_CHUNKED + b"zz\r\n", _CHUNKED + b"2\r\nok", _OK + b"more", _OK[:-1]]
)
def test_headers_fix_the_status_whatever_the_body_does(answer: bytes) -> None:
    """A body that is broken changes nothing about the outcome."""
    parser = _parsed(answer)
    assert (parser.headed, parser.status) == (True, 200)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"hello world\n", "not HTTP"),
        (b"<html>", "not HTTP"),
        (b"RTSP/1.0 200 OK\r\n\r\n", "not HTTP"),
        (b"HELO\r\n", "expected http/, rtsp/ or ice/"),
        (b"HTTP/0.9 200 OK\r\n\r\n", "unknown version"),
        (b"HTTP/2.0 200 OK\r\n\r\n", "unknown version"),
        (b"HTTP/1.1 050 OK\r\n\r\n", "unexpected status"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "unexpected status"),
        (b"HTTP/1.1 2x0 OK\r\n\r\n", "invalid status code"),
        (_CONTINUE * 17, "too many interim answers"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
            "transfer-encoding can't be present with content-length",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n",
            "invalid character in content-length",
        ),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000, "header block too large"),
        (b"\r\n" * 40_000, "header block too large"),
        (
            b"HTTP/1.1 100 C\r\nX: " + b"x" * 40_000 + b"\r\n\r\n" + _OK[:17] + b"X: 1\r\n" * 9_000,
            "header block too large",
        ),
    ],
)
def test_what_is_no_answer_is_a_protocol_error(answer: bytes, error: str) -> None:
    """The error is one of our words or llhttp's, never the peer's."""
    assert _parsed(answer).error == error


def test_a_header_block_as_large_as_the_limit_is_read() -> None:
    """The limit is the largest block."""
    start, end = b"HTTP/1.1 204 No\r\nX: ", b"\r\n\r\n"
    padding = b"x" * (ANSWER_HEADERS_MAX_BYTES - len(start) - len(end))
    assert _parsed(start + padding + end).reusable


def test_the_body_is_cut_at_its_limit() -> None:
    """No more of a body is kept than anybody will read."""
    answer = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 99_999
    assert len(_parsed(answer).body) == ANSWER_MAX_BYTES


def test_a_body_above_the_limit_ends_the_reading() -> None:
    """An endless body is left alone."""
    assert _parsed(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 99_999).done


def test_trailers_without_end_end_the_reading() -> None:
    """What comes behind the body is left alone too."""
    assert _parsed(_CHUNKED + b"0\r\n", *[b"A: b\r\n" * 1_000] * 22).done


def test_a_trailer_is_no_header() -> None:
    """What comes behind the body cannot change what was said before it."""
    parser = _parsed(_CHUNKED + b"0\r\nRetry-After: 9\r\n\r\n")
    assert parser.headers == []


def test_headers_of_an_interim_answer_do_not_count() -> None:
    """Only the final answer's headers are kept."""
    parser = _parsed(b"HTTP/1.1 103 E\r\nLocation: /early\r\n\r\n" + _OK)
    assert parser.headers == []
