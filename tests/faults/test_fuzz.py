"""Nonsense at every door: nothing raises, nothing hangs, and every line gets its one reply.

Answers over HTTP have the same in `tests/edge/send/test_http1_fuzz.py`, frames in
`tests/model/test_framing.py`.
"""

import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callpost.config import FaultyConfig, Source, parse
from callpost.edge.send_tcp import TcpSender
from callpost.model.delivery import Message
from callpost.model.endpoint import Frame, TcpEndpoint, Timeouts, Tls
from callpost.model.framing import framed
from callpost.model.limits import Egress
from callpost.model.outcome import Delivered, LocalFault, Outcome, Refused, Retry
from callpost.model.url import ParsedUrl, UrlFault, parse_url
from edge.send.scripted_link import ScriptedLink
from examples import examples
from faults.damaged_texts import cut, damaged
from faults.house_in_a_thread import Guests, a_house_in_a_thread
from faults.real_subscriptions import PROMISES, configured

_SHARED: Final = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
a_little = settings(max_examples=examples(1), suppress_health_check=_SHARED)
a_lot = settings(max_examples=examples(2), suppress_health_check=_SHARED)

LINE_MAX_BYTES: Final = 1024
CODES: Final = {"invalid", "too_large"}
GOOD: Final = '{"event":"newCall","callId":"c","id":"good","from":"+4512345678","user":["a"]}'
EVENTS: Final = (
    GOOD,
    '{"event":"hangup","callId":"\\u00e9","cause":"busy","q850":17,"data":{"k":"v"}}',
    '{"event":"dtmf","callId":"d","dtmf":"1*#","time":"2026-01-02T03:04:05.678+02:00"}',
    '{"event":"cdr","callId":"c","duration":1.5,"answered":true,"startTime":null,"linkId":3}',
)
_WORDS: Final = (
    "\0",
    "\\u0000",
    "\ud83d\ude00",
    "{",
    "[[",
    '"',
    "1e999",
    "-0",
    "null",
    "true",
    "\\",
)
_lines = st.one_of(
    st.sampled_from(EVENTS).map(str.encode),
    damaged(EVENTS, _WORDS).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.binary(max_size=40),
    st.sampled_from(
        [b"", b" \t", b"\r", b"x" * 1023, b"x" * 1024, b"x" * 1025, b"x" * 5000, b"[" * 900]
    ),
)
_streams = st.builds(
    lambda lines, ends: b"".join(
        line + end for line, end in zip(lines, ends[: len(lines)], strict=True)
    ),
    st.lists(_lines, max_size=12),
    st.lists(st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b""]), min_size=12, max_size=12),
)
_cuts = st.lists(st.integers(0, 20_000), max_size=6)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guests]:
    """One house for all examples: what one of them breaks, the next ones see."""
    limits = f"[intake]\nmax_event_bytes = {LINE_MAX_BYTES}\n"
    with a_house_in_a_thread(tmp_path_factory.mktemp("house"), limits) as guests:
        yield guests


def expected(stream: bytes) -> list[bytes]:
    """The lines that are owed a reply."""
    lines = [line.removesuffix(b"\r") for line in stream.split(b"\n")]
    return [line for line in lines if line.strip(b" \t\r")]


@a_lot
@given(stream=_streams, cuts=_cuts)
def test_each_line_of_any_stream_gets_one_reply_in_its_turn(
    house: Guests, stream: bytes, cuts: list[int]
) -> None:
    """However it is cut; too long a line is told so, and a good event is taken."""
    lines = expected(stream)
    answered = house.converse(cut(stream, cuts))
    replies = [json.loads(reply) for reply in answered.splitlines()]
    assert len(replies) == len(lines)
    for line, reply in zip(lines, replies, strict=True):
        if len(line) > LINE_MAX_BYTES:
            assert reply["error"] == "too_large"
        elif line == GOOD.encode():
            assert (reply["ok"], reply["id"]) == (True, "good")
        else:
            assert reply["ok"] or reply["error"] in CODES
    assert house.troubles() == []


@a_little
@given(stream=_streams, cuts=_cuts)
def test_who_breaks_off_harms_nobody(house: Guests, stream: bytes, cuts: list[int]) -> None:
    """Another producer is answered at once."""
    house.break_off(cut(stream, cuts))
    assert json.loads(house.converse([GOOD.encode()]))["id"] == "good"
    assert house.troubles() == []


@a_little
@given(datagram=_lines | _streams)
def test_any_datagram_is_survived(house: Guests, datagram: bytes) -> None:
    """It is an event or it is not."""
    house.throw(datagram)
    assert json.loads(house.converse([GOOD.encode()]))["id"] == "good"
    assert house.troubles() == []


_EXAMPLES: Final = Path(__file__).parents[2] / "config"
CONFIGURATIONS: Final = (
    configured(PROMISES, "127.0.0.1", 8080, 8081, 9),
    *(path.read_text() for path in sorted(_EXAMPLES.rglob("*.toml"))),
)
_TOML_WORDS: Final = (
    *('"', "'''", "[[", "]]", "{", "}", "=", "\n", "#", ".", ",", "\0", "\ud800", "\u202e"),
    *("[[subscription]]\n", "[preset.x]\n", 'preset = "zammad"\n', 'url = "tcp://h:1"\n'),
    *("1979-05-27", "nan", "-1", "1e400", "9" * 5000, "true", '"credential:x"', "[" * 500),
)


def faults_of(text: str) -> list[str]:
    """What the parser says of a text; it may say nothing else."""
    source = Source("callpost.toml", text.encode("utf-8", "surrogatepass"))
    try:
        parse([source], secret=lambda _directory, _name: None, environment={})
    except FaultyConfig as faulty:
        faults = [str(fault) for fault in faulty.faults]
        assert faults
        return faults
    return []


def all_are_lines(faults: list[str]) -> bool:
    """Each is one line that can be printed."""
    return all(len(fault.splitlines()) == 1 and fault.isprintable() for fault in faults)


@a_lot
@given(text=damaged(CONFIGURATIONS, _TOML_WORDS))
def test_a_damaged_configuration_has_faults_and_nothing_else(text: str) -> None:
    """Each fault is a line to print."""
    assert all_are_lines(faults_of(text))


@a_lot
@given(text=st.text() | st.text(alphabet='[]{}="\n#.,ax1-+_ \\u'))
def test_any_text_as_configuration_has_faults_or_not(text: str) -> None:
    """Likewise."""
    assert all_are_lines(faults_of(text))


URLS: Final = (
    "http://user:p%40ss@host.example:8080/a/b?x=1&y=%C3%A4#ct=2000&rt=5000&rc=2&rp=5xx,ct",
    "https://[2001:db8::1]:443/?q",
    "tcp://10.0.0.9:4010",
    "udp://b\u00fccher.example:5060#tt=100",
)
_URL_WORDS: Final = ("://", "@", "#", "?", "%", "%zz", ":", "[", "]", "\u3002", "\u200d", "xn--")
_NUMBERS: Final = (
    "#ct=",
    "&rp=all",
    "99999999999",
    "\u0661",
    "-1",
    "0x1f",
    "1e3",
    "127.1",
    "0177.1",
)


@a_lot
@given(text=damaged(URLS, (*_URL_WORDS, *_NUMBERS)))
def test_a_damaged_url_is_a_url_or_a_fault(text: str) -> None:
    """A URL's parts can go onto the wire, a fault is a sentence without the URL in it."""
    match parse_url(text):
        case ParsedUrl() as parsed:
            assert parsed.target.isascii()
            assert not set(parsed.target + parsed.host) & set(" \r\n\t\0")
            assert 1 <= parsed.port <= 65_535
        case UrlFault() as fault:
            assert str(fault.sentence).isprintable()


_FRAMES: Final[tuple[Frame, ...]] = ("lf", "crlf", "nul", "octets", "netstring")
_CONTENTS: Final = (b"OK", b"200", b"503 busy", b"404", b"", b"\xff\xfe")
_ANSWERS: Final = st.binary(max_size=60) | st.builds(
    lambda frame, content, more: framed(content, frame) + more,
    st.sampled_from(_FRAMES),
    st.sampled_from(_CONTENTS),
    st.binary(max_size=10),
)


class _Link(ScriptedLink):
    """As a TCP sender wants it."""

    def lend(self, now: float) -> None:
        """It waits."""

    def drop_received(self) -> bool:
        """What came too early is gone."""
        return not self.closed


class _Dialer:
    """Everybody is connected to the same kind of peer."""

    def __init__(self, answer: list[bytes]) -> None:
        self._answer = answer

    async def connect(
        self,
        host: str,  # noqa: ARG002 - the port's, as all of them
        port: int,  # noqa: ARG002
        *,
        tls: ssl.SSLContext | None,  # noqa: ARG002
        connect_timeout_s: float,  # noqa: ARG002
        strict: bool,  # noqa: ARG002
    ) -> _Link:
        """At once."""
        return _Link(list(self._answer))

    def tls_context(self, tls: Tls) -> ssl.SSLContext | Retry | LocalFault:
        """Nobody asks for it."""
        raise NotImplementedError


async def _outcome(frame: Frame, answer: list[bytes]) -> Outcome:
    endpoint = TcpEndpoint(
        place="primary",
        host="h",
        port=1,
        method="POSTJSON",
        level=2,
        frame=frame,
        ack=True,
        timeouts=Timeouts(connect_s=1, first_byte_s=1, whole_s=1),
    )
    sender = TcpSender(endpoint, dialer=_Dialer(answer), egress=Egress())
    report = await sender.send(MESSAGE)
    sender.close()
    return report.outcome


MESSAGE: Final = Message(
    id="e",
    seq=1,
    previous_id="",
    attempt=1,
    sent_at=0.0,
    content=b"{}",
    content_type="application/json",
    replay=False,
)


@a_lot
@given(frame=st.sampled_from(_FRAMES), answer=_ANSWERS, cuts=_cuts)
async def test_any_acknowledgement_is_an_outcome(
    frame: Frame, answer: bytes, cuts: list[int]
) -> None:
    """The same one however it is cut; only what begins with OK or 2 delivers."""
    whole = await _outcome(frame, [answer] if answer else [])
    assert isinstance(whole, Delivered | Refused | Retry)
    assert await _outcome(frame, cut(answer, cuts)) == whole
    if isinstance(whole, Delivered):
        assert b"OK" in answer or b"2" in answer
