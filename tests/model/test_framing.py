"""Frames on a stream, and the envelope."""

import hmac
import json
from base64 import b64encode
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from callpost.model.delivery import Message
from callpost.model.endpoint import Frame
from callpost.model.framing import BadFrame, FrameReader, enveloped, framed

_FRAMES: tuple[Frame, ...] = get_args(Frame)
# Formats guarantee neither LF nor NUL in content; CR LF cannot be there without LF.
_contents = st.lists(st.binary(max_size=80).map(lambda b: b.translate(None, b"\n\0")), max_size=6)

_MESSAGE = Message(
    content=b'{"event":"newCall"}',
    content_type="application/json",
    id="evt_1",
    seq=3,
    previous_id="evt_0",
    attempt=2,
    sent_at=1_700_000_000.9999,
)


def _read(frame: Frame, pieces: list[bytes], max_bytes: int = 1_000) -> list[bytes]:
    reader = FrameReader(frame, max_bytes=max_bytes)
    frames = []
    for piece in pieces:
        reader.feed(piece)
        while (content := reader.next_frame()) is not None:
            frames.append(content)
    return frames


def _cut(stream: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    return [stream[a:b] for a, b in pairwise(places)]


@pytest.mark.parametrize(
    ("frame", "wire"),
    [
        ("lf", b"hello\n"),
        ("crlf", b"hello\r\n"),
        ("nul", b"hello\0"),
        ("octets", b"5 hello"),
        ("netstring", b"5:hello,"),
    ],
)
def test_a_frame_looks_on_the_wire_as_its_standard_says(frame: Frame, wire: bytes) -> None:
    """Receivers written for each framing read ours."""
    assert framed(b"hello", frame) == wire


@given(
    frame=st.sampled_from(_FRAMES),
    contents=_contents,
    cuts=st.lists(st.integers(0, 10_000), max_size=8),
)
def test_contents_come_out_as_they_went_in(
    frame: Frame, contents: list[bytes], cuts: list[int]
) -> None:
    """However the stream is cut, the same frames arrive."""
    stream = b"".join(framed(content, frame) for content in contents)
    assert _read(frame, _cut(stream, cuts)) == contents


@given(
    frame=st.sampled_from(_FRAMES),
    stream=st.binary(max_size=60) | st.text("0123456789:, \r\n", max_size=40).map(str.encode),
    cuts=st.lists(st.integers(0, 100), max_size=8),
)
def test_any_stream_reads_the_same_whole_and_cut(
    frame: Frame, stream: bytes, cuts: list[int]
) -> None:
    """Nonsense is refused or read, but not by where it was cut."""

    def outcome(pieces: list[bytes]) -> list[bytes] | str:
        try:
            return _read(frame, pieces, max_bytes=12)
        except BadFrame as fault:
            return str(fault)

    assert outcome(_cut(stream, cuts)) == outcome([stream])


@pytest.mark.parametrize("frame", _FRAMES)
def test_a_frame_as_large_as_the_limit_is_read(frame: Frame) -> None:
    """The limit is the largest content, not one less."""
    assert _read(frame, [framed(b"12345", frame)], max_bytes=5) == [b"12345"]


@pytest.mark.parametrize("frame", _FRAMES)
def test_a_frame_above_the_limit_is_refused(frame: Frame) -> None:
    """Memory does not grow with what a peer sends."""
    with pytest.raises(BadFrame, match="too large"):
        _read(frame, [framed(b"123456", frame)], max_bytes=5)


@pytest.mark.parametrize("frame", ["lf", "crlf", "nul"])
def test_a_frame_without_end_is_refused(frame: Frame) -> None:
    """The limit holds before the end has come."""
    with pytest.raises(BadFrame, match="too large"):
        _read(frame, [b"123", b"456", b"789"], max_bytes=5)


@pytest.mark.parametrize("stream", [b"x", b"99999999999", b"5,hello", b":", b"5:helloX", b"-1:"])
def test_a_length_that_is_none_is_refused(stream: bytes) -> None:
    """A netstring that cannot be one ends the reading."""
    with pytest.raises(BadFrame):
        _read("netstring", [stream])


def test_json_stands_in_the_envelope_as_an_object() -> None:
    """A receiver parses one JSON document and has the event."""
    assert json.loads(enveloped(_MESSAGE, keys=())) == {
        "id": "evt_1",
        "seq": 3,
        "attempt": 2,
        "time": "2023-11-14T22:13:20.999Z",
        "content": {"event": "newCall"},
    }


def test_other_content_stands_in_the_envelope_as_text() -> None:
    """A form or XML is a string."""
    form = replace(_MESSAGE, content=b"event=newCall", content_type="text/plain")
    assert json.loads(enveloped(form, keys=()))["content"] == "event=newCall"


def test_the_envelope_is_signed_over_its_content() -> None:
    """The signature is Standard Webhooks' over id, time in seconds and the content as it stands."""
    signed = b"evt_1.1700000000." + _MESSAGE.content
    expected = "v1," + b64encode(hmac.digest(b"key", signed, "sha256")).decode()
    assert json.loads(enveloped(_MESSAGE, keys=[b"key"]))["signature"] == expected


def test_an_envelope_is_one_line() -> None:
    """It can be framed by LF."""
    assert b"\n" not in enveloped(_MESSAGE, keys=[b"key"])
