"""Events over HTTP: one, an array of them, or a line for each, answered as on the socket.

A token's events are its customer's, whatever they say: what is let in here is what is decided
below, for the intake takes every line as the operator's own.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec
import trio
from msgspec import Raw, Struct
from starlette.responses import Response

from callpost.api.own.examples import EVENT_SENT, REPLY
from callpost.api.ports import Producers, Shares
from callpost.model.caller import Caller
from callpost.model.event import CallEvent
from callpost.web.asked import JSON_TYPE, Asked, Sent
from callpost.web.fields import Nothing
from callpost.web.operation import Accepted, Operation, Shown, operation_on
from callpost.web.problem import Refusal

BODY_MAX_BYTES: Final = 1024 * 1024
_LINES_TYPE: Final = "application/x-ndjson"
# The smallest ones that fit make twenty times their size in replies, all in memory.
EVENTS_MAX: Final = 10_000
# So many, or so many bytes, then others have their turn: an event may be one that its customer
# has made as dear as can be, with masks and forward rules.
_AT_ONCE: Final = 20
_BYTES_AT_ONCE: Final = 16 * 1024
_STATUS_OF: Final = {
    "invalid": 400,
    "too_large": 413,
    "spool_full": 507,
    "spool_error": 503,
    "stopping": 503,
}
# What cannot be read here must not be read by the intake either: with this behind it, it is JSON
# for nobody.
_SPOILT: Final = b"\x00"
_NO_OBJECT: Final = b"[]"
_OBJECT: Final = msgspec.json.Decoder(dict[str, Raw])
_ARRAY: Final = msgspec.json.Decoder(list[Raw])
_ABSENT: Final = frozenset({b"null", b'""'})


class Reply(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of an event: where it is, or why it was refused and nothing of it is kept."""

    ok: bool
    id: str = ""
    number: int = 0
    matched: int = 0
    duplicate: bool = False
    error: str = ""
    message: str = ""
    path: str = ""


_NAMES_A_STRANGER: Final = Reply(
    ok=False,
    error="invalid",
    message="The customer is none that this token acts for.",
    path="$.customer",
)
_NAMES_NOBODY: Final = Reply(
    ok=False,
    error="invalid",
    message="The customer is required: this token acts for several.",
    path="$.customer",
)
_NO_ROOM: Final = Reply(
    ok=False,
    error="spool_full",
    message="The customer has taken its share of the spool; try again later.",
)


def events(producers: Producers, shares: Shares) -> Iterator[Operation]:
    """The one way in."""
    entrance = Entrance(producers, shares)

    async def accept(asked: Asked[Nothing, Sent]) -> Response:
        sent = asked.body
        if sent.media_type == _LINES_TYPE:
            lines = [line for line in sent.content.split(b"\n") if line.strip()]
            replies = await entrance.accepted(asked.caller, lines)
            return Response(b"".join(replies), media_type=_LINES_TYPE)
        if sent.content.lstrip()[:1] == b"[":
            replies = await entrance.accepted(asked.caller, _items(sent.content))
            return _json(b"[" + b",".join(reply.strip() for reply in replies) + b"]")
        [reply] = await entrance.accepted(asked.caller, [sent.content])
        error = msgspec.json.decode(reply, type=Reply).error
        return _json(reply.strip(), _STATUS_OF[error] if error else 200)

    yield operation_on(
        Accepted(
            types={JSON_TYPE: CallEvent | list[CallEvent], _LINES_TYPE: str},
            most_bytes=BODY_MAX_BYTES,
            is_required=True,
        ),
        "POST",
        "/v1/events",
        accept,
        query=Nothing,
        returns=Reply | list[Reply],
        shown=Shown(
            "Take in one event, or many: each is answered once it is on disk",
            EVENT_SENT,
            REPLY,
            statuses=(200, 400, 413, 503, 507),
            also={_LINES_TYPE: str},
        ),
    )


class Entrance:
    """Lets in what is its caller's, as far as the customer has room."""

    def __init__(self, producers: Producers, shares: Shares) -> None:
        self._producers = producers
        self._shares = shares

    async def accepted(self, caller: Caller, lines: Sequence[bytes]) -> list[bytes]:
        """One reply line each, in order; they are taken in some at a time."""
        if len(lines) > EVENTS_MAX:
            raise Refusal(413, f"A request has at most {EVENTS_MAX:,} events.")
        replies: list[bytes] = []
        for some in _in_turns(lines):
            taken = [self.let_in(caller, line) for line in some]
            lines_in = [one for one in taken if not isinstance(one, Reply)]
            told = await self._producers.accept([one.line for one in lines_in]) if lines_in else []
            for one, reply in zip(lines_in, told, strict=True):
                self._count(one, reply)
            answers = iter(told)
            replies += [
                msgspec.json.encode(one) + b"\n" if isinstance(one, Reply) else next(answers)
                for one in taken
            ]
            # Where all are refused nothing has waited for the disk.
            await trio.lowlevel.checkpoint()
        return replies

    def let_in(self, caller: Caller, line: bytes) -> "LetIn | Reply":
        """The line as the intake may have it, or why it may not."""
        if len(line) > self._producers.max_event_bytes:
            return LetIn(None)
        if caller.role == "admin":
            return LetIn(line)
        try:
            members = _OBJECT.decode(line)
        except msgspec.ValidationError:
            return LetIn(_NO_OBJECT)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return LetIn(line + _SPOILT)
        customer = _whose(caller, members)
        if isinstance(customer, Reply):
            return customer
        if not self._shares.has_room(customer):
            return _NO_ROOM
        members["customer"] = Raw(msgspec.json.encode(customer))
        # Written anew, so that a member that stands there twice is there once.
        return LetIn(msgspec.json.encode(members), customer)

    def _count(self, one: "LetIn", reply: bytes) -> None:
        """An admin's events are counted for nobody."""
        if one.line is None or one.customer is None:
            return
        told = msgspec.json.decode(reply, type=Reply)
        if told.ok and not told.duplicate:
            self._shares.take(one.customer, len(one.line), told.matched)


class LetIn(Struct, frozen=True):
    """A line for the intake, None where it is too long, and the customer that it counts for."""

    line: bytes | None
    customer: str | None = None


def _in_turns(lines: Sequence[bytes]) -> Iterator[list[bytes]]:
    some: list[bytes] = []
    size = 0
    for line in lines:
        if some and (len(some) == _AT_ONCE or size + len(line) > _BYTES_AT_ONCE):
            yield some
            some, size = [], 0
        some.append(line)
        size += len(line)
    if some:
        yield some


def _whose(caller: Caller, members: Mapping[str, Raw]) -> str | Reply:
    """The customer whose event it is, or why it can be nobody's."""
    named = bytes(members.get("customer", b"null")).strip()
    if named in _ABSENT:
        return _NAMES_NOBODY if caller.only_customer is None else caller.only_customer
    try:
        customer = msgspec.json.decode(named, type=str)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _NAMES_A_STRANGER
    return customer if caller.acts_for(customer) else _NAMES_A_STRANGER


def _items(content: bytes) -> list[bytes]:
    try:
        return [bytes(item) for item in _ARRAY.decode(content)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Refusal(400, "The body cannot be read as a JSON array.") from None


def _json(content: bytes, status: int = 200) -> Response:
    return Response(content, status, media_type=JSON_TYPE)
