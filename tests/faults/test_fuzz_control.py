"""Nonsense at the operator's door: never a 500, never a hang, never a traceback in the log."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callpost.web.problem import Problem
from control_house import an_open_door, raw
from examples import examples

_SHARED: Final = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
a_lot = settings(max_examples=examples(1), suppress_health_check=_SHARED)

# Requests of one example go to one door: what one of them breaks, the next ones see.
_TOGETHER: Final = 8
_WITHIN_S: Final = 10.0

_WORDS: Final = (
    *("v1", "health", "live", "status", "subscriptions", "crm", "pause", "test", "state"),
    *("states", "deliveries", "forwards", "purge"),
    *("dead-letters", "calls", "events", "c%2F1", "replay", "reload", "config", "log-level"),
    *("metrics", "openapi.json", "..", "%00", "%ff", "%zz", "", "a" * 300),
)
_paths = st.lists(st.sampled_from(_WORDS), max_size=5).map(lambda words: "/" + "/".join(words))
_names = st.sampled_from(
    ["subscription", "limit", "cursor", "kind", "since", "until", "customer", "call", "x", ""]
)
_values = st.one_of(
    st.sampled_from(["", "0", "-1", "1", "99999999999999999999", "1e309", "nan", "true", "%00"]),
    st.sampled_from(["%F0%9F%98%80", "%ED%A0%80", "newCall", "2026-11-21T00:00:00Z", "0001-01-01"]),
    st.text("abc+;&=%", max_size=8),
)
_queries = st.lists(st.tuples(_names, _values), max_size=4).map(
    lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)
)
_KEYS: Final = (
    *("subscription", "kinds", "since", "limit", "dryRun", "level", "x", "event", "callId"),
    *("url", "name", "customer", "headers", "auth", "password", "fallback", "secrets", "number"),
    *("to", "body_signature", "status_callback", "max_age_s", "retry", "responses"),
)
_json = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(allow_nan=False),
        st.text(max_size=6),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(_KEYS),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=8,
)
_bodies = st.one_of(
    st.just(b""),
    _json.map(lambda value: msgspec.json.encode(_within_json(value))),
    st.binary(max_size=64),
    st.sampled_from([b"[" * 2000, b'"\\ud800"', b"\xef\xbb\xbf{}"]),
)
_types = st.sampled_from(
    [
        *(b"application/json", b"application/json; charset=x", b"text/plain", b""),
        *(b"application/merge-patch+json", b"application/x-ndjson"),
    ]
)
_methods = st.sampled_from(
    [b"GET", b"POST", b"PUT", b"PATCH", b"HEAD", b"DELETE", b"OPTIONS", b"get", b"X"]
)


def _within_json(value: object) -> object:
    """Whole numbers beyond 64 bits as text: msgspec writes none."""
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**64:
        return str(value)
    if isinstance(value, list):
        return [_within_json(one) for one in value]
    if isinstance(value, dict):
        return {key: _within_json(one) for key, one in value.items()}
    return value


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """One request that is HTTP, whatever it asks for."""
    body = draw(_bodies)
    query = draw(_queries)
    target = draw(_paths) + (f"?{query}" if query else "")
    return b"%b %b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n%bcontent-length: %d\r\n\r\n%b" % (
        draw(_methods),
        target.encode(),
        draw(_types.map(lambda kind: b"content-type: %b\r\n" % kind if kind else b"")),
        len(body),
        body,
    )


async def answers(directory: Path, sent: Sequence[bytes]) -> tuple[list[bytes], list[object]]:
    """What is answered to each, all of them at a time, and what stands in the log then."""
    answered: list[bytes] = []
    async with an_open_door(directory) as door:

        async def ask(text: bytes) -> None:
            answered.append(await raw(door.path, text))

        with trio.fail_after(_WITHIN_S):
            async with trio.open_nursery() as nursery:
                for text in sent:
                    nursery.start_soon(ask, text)
            status = await raw(door.path, b"GET /v1/status HTTP/1.0\r\n\r\n")
            assert b" 200 " in status.partition(b"\r\n")[0]
    return answered, [line["event"] for line in door.lines]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all examples: each makes the socket anew."""
    return tmp_path_factory.mktemp("door")


@a_lot
@given(sent=st.lists(requests(), min_size=1, max_size=_TOGETHER))
def test_every_request_gets_an_answer_that_is_no_bug_of_ours(
    directory: Path, sent: Sequence[bytes]
) -> None:
    """Below 500 (but 503), and a problem document where it is no success."""
    answered, log = trio.run(answers, directory, sent)
    assert log == []
    for answer in answered:
        head, _, content = answer.partition(b"\r\n\r\n")
        status = int(head.split()[1])
        assert status < 500 or status == 503
        if status >= 400 and content:
            assert msgspec.json.decode(content, type=Problem).status == status


@a_lot
@given(
    sent=st.lists(
        st.one_of(
            st.binary(max_size=200),
            requests().flatmap(lambda text: st.integers(0, len(text)).map(lambda n: text[:n])),
            requests().flatmap(
                lambda text: st.binary(min_size=1, max_size=4).map(lambda noise: noise + text)
            ),
        ).map(lambda text: text + b"\r\n\r\n"),
        min_size=1,
        max_size=_TOGETHER,
    )
)
def test_what_is_no_request_harms_nobody(directory: Path, sent: Sequence[bytes]) -> None:
    """Who sends it may wait for nothing; the next one is answered, and the log is silent."""
    log = trio.run(_harmed, directory, sent)
    assert [event for event in log if event != "http.connection_failed"] == []


async def _harmed(directory: Path, sent: Sequence[bytes]) -> list[object]:
    async with an_open_door(directory) as door:
        with trio.fail_after(_WITHIN_S):
            async with trio.open_nursery() as nursery:
                for text in sent:
                    stream = await trio.open_unix_socket(str(door.path))
                    await nursery.start(_say, stream, text)
                status = await raw(door.path, b"GET /v1/status HTTP/1.0\r\n\r\n")
                assert b" 200 " in status.partition(b"\r\n")[0]
                nursery.cancel_scope.cancel()
    return [line["event"] for line in door.lines]


async def _say(
    stream: trio.SocketStream,
    text: bytes,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    async with stream:
        try:
            await stream.send_all(text)
            task_status.started()
            while await stream.receive_some():
                pass
        except trio.BrokenResourceError:
            task_status.started()
