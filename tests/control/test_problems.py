"""Bad requests: each is answered with a problem document that names what is wrong."""

import msgspec
import pytest
import trio

from callpost.web.problem import Problem
from control.conftest import Ask
from control_house import OpenDoor, raw

JSON = {"content-type": "application/json"}


async def problem_of(ask: Ask, method: str, path: str, **more: object) -> Problem:
    """What is answered, which must be a problem document with the status in it."""
    answer = await ask(method, path, **more)
    assert answer.headers["content-type"] == "application/problem+json"
    told = msgspec.json.decode(answer.content, type=Problem)
    assert (told.status, told.type, bool(told.title)) == (answer.status_code, "about:blank", True)
    return told


REFUSED = [
    ("GET", "/v1/subscriptions/nope", 404, "There is no subscription named 'nope'."),
    ("POST", "/v1/subscriptions/nope/test", 404, "There is no subscription named 'nope'."),
    ("GET", "/v1/calls/none", 404, "Nothing of this call is kept."),
    ("GET", "/v1/events/none", 404, "No event with this id is kept."),
    ("GET", "/v1/statsu", 404, 'There is no such path; did you mean "/v1/status"?'),
    ("GET", "/", 404, "There is no such path."),
    ("GET", "/v1/calls/", 404, None),
    ("GET", "/v1/status/", 404, 'There is no such path; did you mean "/v1/status"?'),
    ("GET", "/v1/subscriptions/a%2Fb", 404, None),
    ("POST", "/v1/status", 405, "This path does not know that method; it knows GET, HEAD."),
    ("DELETE", "/v1/log-level", 405, None),
    ("GET", "/v1/deliveries?limit=0", 400, "limit: expected int >= 1."),
    ("GET", "/v1/deliveries?limit=1001", 400, "limit: expected int <= 1000."),
    ("GET", "/v1/deliveries?limit=ten", 400, "limit: expected int, got str."),
    ("GET", "/v1/deliveries?limit=1&limit=2", 400, "limit: is given more than once."),
    ("GET", "/v1/deliveries?limti=1", 400, 'limti: there is no such field; did you mean "limit"?'),
    ("GET", "/v1/deliveries?cursor=bad", 400, "cursor: no listing has given out this cursor."),
    ("GET", "/v1/status?x=1", 400, "x: there is no such field."),
    ("GET", "/v1/deliveries?subscription=%ff", 400, None),
    ("GET", "/v1/deliveries?" + "&".join(["limit=1"] * 101), 400, None),
    ("GET", "/v1/attempts?outcome=lost", 400, None),
    ("GET", "/v1/dead-letters?kind=newcall", 400, None),
]


@pytest.mark.parametrize(("method", "path", "status", "detail"), REFUSED)
async def test_a_bad_question_is_told_in_one_sentence(
    ask: Ask, method: str, path: str, status: int, detail: str | None
) -> None:
    """The status for programs, the sentence for people."""
    told = await problem_of(ask, method, path)
    assert (told.status, detail or told.detail) == (status, told.detail)


@pytest.mark.parametrize("since", ["yesterday", "-1", "nan", "inf", "1e300", "2026-11-21"])
async def test_what_is_no_time_is_told_so(ask: Ask, since: str) -> None:
    """With the two forms that it may have."""
    told = await problem_of(ask, "GET", f"/v1/dead-letters?since={since}")
    assert str(told.errors[0]) == (
        "since: expected a time such as 2026-11-21T16:40:00Z, or seconds since 1970"
    )


BODIES: list[tuple[bytes, list[str]]] = [
    (b"[]", ["$: expected an object"]),
    (b"null", ["$: expected an object"]),
    (b'{"limit":"5"}', ["$.limit: expected int, got str"]),
    (b'{"limit":true}', ["$.limit: expected int, got bool"]),
    (b'{"limit":-1}', ["$.limit: expected int >= 0"]),
    (b'{"dryRun":1}', ["$.dryRun: expected bool, got int"]),
    (b'{"dryrun":true}', ['$.dryrun: there is no such field; did you mean "dryRun"?']),
    (b'{"kinds":["cdr",7]}', ["$.kinds[1]: expected str, got int"]),
    (
        b'{"subscription":1,"nonsense":2,"delivered":"yes"}',
        [
            "$.subscription: expected str, got int",
            "$.nonsense: there is no such field",
            "$.delivered: expected bool, got str",
        ],
    ),
    (b'{"cursor":"bad"}', ["$.cursor: no listing has given out this cursor"]),
]


@pytest.mark.parametrize(("content", "faults"), BODIES)
async def test_every_field_at_fault_is_named_by_its_path(
    ask: Ask, content: bytes, faults: list[str]
) -> None:
    """All of them at once."""
    told = await problem_of(ask, "POST", "/v1/replay", content=content, headers=JSON)
    assert (told.status, [str(one) for one in told.errors]) == (400, faults)


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"\xff",
        b'{"a":"\xff"}',
        b'{"a":"\\ud800"}',
        b"[" * 5000,
        b"{}{}",
        b"NaN",
        b'{"a":1e999}',
    ],
)
async def test_what_is_no_json_is_told_so(ask: Ask, content: bytes) -> None:
    """One sentence, not a traceback."""
    told = await problem_of(ask, "POST", "/v1/replay", content=content, headers=JSON)
    assert told.status == 400
    assert told.detail.startswith("The body cannot be read as JSON: ")


async def test_a_missing_field_is_told(ask: Ask) -> None:
    """The only one that any body must have."""
    told = await problem_of(ask, "PUT", "/v1/log-level", content=b"{}", headers=JSON)
    assert [str(one) for one in told.errors] == ["$.level: is missing"]


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded"])
async def test_another_content_type_is_refused(ask: Ask, kind: str | None) -> None:
    """Whoever sends a form would be surprised by what is read of it."""
    headers = {} if kind is None else {"content-type": kind}
    told = await problem_of(ask, "POST", "/v1/reload", content=b"{}", headers=headers)
    assert told.status == 415


async def test_a_method_that_does_not_fit_is_told_with_those_that_do(ask: Ask) -> None:
    """In the header Allow (RFC 9110, section 10.2.1), of all that the path has."""
    answer = await ask("DELETE", "/v1/log-level")
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "PUT"}


async def test_an_unreadable_spool_is_told_so(door: OpenDoor, ask: Ask) -> None:
    """As something that may pass."""
    door.known.readable = False
    told = await problem_of(ask, "GET", "/v1/deliveries")
    assert (told.status, told.detail) == (503, "The spool cannot be read: disk I/O error.")


async def test_a_bug_is_logged_and_answered(door: OpenDoor, ask: Ask) -> None:
    """The door stays open; who asked learns that it is our fault."""
    door.known.broken = True
    told = await problem_of(ask, "GET", "/v1/states")
    assert (told.status, (await ask("GET", "/v1/status")).status_code) == (500, 200)
    assert [line["event"] for line in door.lines] == ["http.failed"]


async def test_a_body_that_is_too_large_is_refused_and_read_away(door: OpenDoor) -> None:
    """Also in chunks, whose sum nobody has announced."""
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    request = b"POST /v1/replay HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
    request += b"content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    answer = await raw(door.path, request + chunk * 16 + b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_a_body_that_has_no_end_costs_its_connection(door: OpenDoor, ask: Ask) -> None:
    """Reading stops somewhere, and others are answered."""
    stream = await trio.open_unix_socket(str(door.path))
    async with stream:
        await stream.send_all(
            b"POST /v1/replay HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\n"
        )
        with trio.fail_after(10), pytest.raises(trio.BrokenResourceError):
            await stream.send_all(b" " * 100_000_000)
    assert (await ask("GET", "/v1/status")).status_code == 200


async def test_a_body_that_is_at_its_limit_is_read(ask: Ask) -> None:
    """64 KiB."""
    body = b'{"cursor":"' + b"x" * (65_536 - 13) + b'"}'
    assert len(body) == 65_536
    assert (await ask("POST", "/v1/replay", content=body, headers=JSON)).status_code == 200
    told = await problem_of(ask, "POST", "/v1/replay", content=body + b" ", headers=JSON)
    assert told.status == 413
