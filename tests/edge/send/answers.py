"""Answers for Hypothesis: well-formed ones with what they mean, and streams of any kind."""

from itertools import pairwise

from hypothesis import strategies as st
from msgspec import Struct

_Headers = tuple[tuple[bytes, bytes], ...]

# In any case, repeated, empty; the last two are read by nobody.
_NAMES = [b"Retry-After", b"LOCATION", b"www-Authenticate", b"Server", b"X-Request-Id"]
_VALUES = [b"", b"7", b"a b", b"https://x.example/?a=b:c", b"\xe9", b"x" * 200]
_KEPT = {b"retry-after", b"location", b"www-authenticate"}
_INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"
_EARLY = b"HTTP/1.1 103 Early Hints\r\nLocation: /early\r\nRetry-After: 9\r\n\r\n"


class WellFormed(Struct, frozen=True):
    """An answer as RFC 9112 has it; `reusable` says that another may follow."""

    stream: bytes
    status: int
    headers: _Headers
    body: bytes
    reusable: bool


@st.composite
def well_formed(draw: st.DrawFn) -> WellFormed:
    """Any way an answer may begin, and any way it may end."""
    end = draw(st.sampled_from([b"\r\n", b"\n"]))
    version = draw(st.sampled_from([b"1.1", b"1.0"]))
    wish = draw(st.sampled_from([b"", b"close", b"keep-alive"]))
    status = draw(st.sampled_from([200, 201, 204, 304, 307, 404, 410, 413, 429, 503, 599]))
    field = st.tuples(st.sampled_from(_NAMES), st.sampled_from(_VALUES))
    headers = draw(st.lists(field, max_size=4))
    body = draw(st.binary(max_size=300))
    how = "none" if status in {204, 304} else draw(st.sampled_from(["length", "chunked", "close"]))
    lines = [b"HTTP/%b %d %b" % (version, status, draw(st.sampled_from([b"OK", b"", b"a b"])))]
    lines += [b"%b:%b%b" % (name, draw(st.sampled_from([b" ", b""])), v) for name, v in headers]
    if wish:
        lines.append(b"Connection: " + wish)
    match how:
        case "length":
            lines.append(b"Content-Length: %d" % len(body))
            content = body
        case "chunked":
            lines.append(b"Transfer-Encoding: chunked")
            content = draw(_chunks(body))
        case "none":
            body = content = b""
        case _:
            content = body
    interim = b"".join(draw(st.lists(st.sampled_from([_INTERIM, _EARLY]), max_size=3)))
    stays = wish == b"keep-alive" if version == b"1.0" else wish != b"close"
    return WellFormed(
        interim + b"".join(line + end for line in lines) + end + content,
        status,
        tuple((name.lower(), v) for name, v in headers if name.lower() in _KEPT),
        body,
        stays and how != "close",
    )


@st.composite
def _chunks(draw: st.DrawFn, body: bytes) -> bytes:
    content, rest = b"", body
    while rest:
        size = draw(st.integers(1, len(rest)))
        extension = draw(st.sampled_from([b"", b";a=b", b';n="v"', b";x"]))
        content += b"%x%b\r\n%b\r\n" % (size, extension, rest[:size])
        rest = rest[size:]
    trailers = draw(st.lists(st.sampled_from([b"Retry-After: 9", b"Empty:", b"X: y"]), max_size=3))
    return content + b"0\r\n" + b"".join(line + b"\r\n" for line in trailers) + b"\r\n"


@st.composite
def _spoilt(draw: st.DrawFn) -> bytes:
    """A well-formed answer with some bytes missing, changed, or too many."""
    stream = bytearray(draw(well_formed()).stream)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(stream)))
        width = draw(st.sampled_from([0, 1, 20]))
        put = st.sampled_from([b"", b"\r\n", b"\n", b"\0", b"\xff", b" ", b":", b"H", b"9"])
        stream[place : place + width] = draw(put)
    return bytes(stream)


_FRAGMENTS = [
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 204 No\r\n",
    b"HTTP/1.1 101 Switching\r\n\r\n",
    b"HTTP/1.0 503 Busy\n",
    _INTERIM,
    b"Content-Length: 3\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip\r\n",
    b"Upgrade: h2c\r\n",
    b"Retry-After: 7\r\n",
    b"Empty:\r\n",
    b" folded\r\n",
    b"Connection: close\r\n",
    b"Connection: upgrade\r\n",
    b"\r\n",
    b"\n",
    b"3\r\nabc\r\n",
    b"0\r\n\r\n",
    b"abc",
    b"\0\xff",
]

# A whole answer, then nothing, an empty line too many, nonsense, or the beginning of another.
_followed = st.tuples(
    well_formed().map(lambda answer: answer.stream),
    st.sampled_from([b"", b"\r\n", b"\n\r\nX", b"X", b"H", b"HTTP/1.1 200 OK\r\n", b"\0"]),
).map(b"".join)

any_stream = (
    st.binary(max_size=60)
    | st.lists(st.sampled_from(_FRAGMENTS), max_size=12).map(b"".join)
    | _spoilt()
    | _followed
)


def pieces(stream: bytes, cuts: list[int]) -> list[bytes]:
    """`stream` as it may arrive: in pieces, none of them empty."""
    places = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    return [stream[start:end] for start, end in pairwise(places)]
