"""The slow way from a line to an event: field by field, forgiving and exact.

`null`, "" and what holds only those are absent; unknown fields are refused or kept in `data`;
the first thing that cannot be forgiven is a `MalformedEvent` with its path.
"""

import re
from difflib import get_close_matches
from typing import Final, Literal, NoReturn

from msgspec import DecodeError, Raw, ValidationError, convert
from msgspec import json as msgspec_json
from msgspec.structs import fields

from callpost.model.event import CallEvent, plain_decimal
from callpost.model.malformed import RULES, MalformedEvent, shown

UnknownFields = Literal["refuse", "data"]

_OF_THE_DAEMON: Final = frozenset({"seq", "previousId"})
_TYPES: Final = {each.encode_name: each.type for each in fields(CallEvent)}
_BY_FOLDED_NAME: Final = {name.lower(): name for name in _TYPES}
_OBJECT: Final = msgspec_json.Decoder(dict[str, Raw])
# A high surrogate without a low one after it, or a low one without a high one before it; only
# to choose the words for a line that was refused.
_HALF_A_PAIR: Final = re.compile(
    rb"\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]", re.DOTALL
)
_BYTE: Final = re.compile(r"\(byte ([0-9]+)\)")


def event_of_plain(line: bytes, unknown_fields: UnknownFields) -> CallEvent:
    """The event of a line that the strict Struct refused, not yet normalised."""
    try:
        present = _present(_members(line), unknown_fields)
        return convert(present, CallEvent)
    except RecursionError:
        raise MalformedEvent("The event is nested too deeply.", "$") from None
    except ValidationError:
        _name_fault(present)


def _members(line: bytes) -> dict[str, Raw]:
    """The object's fields, each still as JSON, so that a fault in one can be laid at its door."""
    if line.startswith(b"\xef\xbb\xbf"):
        raise MalformedEvent("The event begins with a byte order mark, which JSON forbids.", "$")
    if not line.strip():
        raise MalformedEvent("The event is empty.", "$")
    try:
        line.decode()
        return _OBJECT.decode(line)
    except UnicodeDecodeError as error:
        message = f"The event is not valid UTF-8 at byte {error.start}."
    except ValidationError:
        message = "An event must be a JSON object."
    except DecodeError as error:
        message = f"The event is not valid JSON: {_syntax_fault(line, error)}."
    raise MalformedEvent(message, "$")


def _syntax_fault(line: bytes, error: DecodeError) -> str:
    if _HALF_A_PAIR.search(line):
        return "it holds half of a surrogate pair"
    if "trailing" in str(error):
        return "something follows its end"
    place = _BYTE.search(str(error))
    return f"the fault is at byte {place[1]}" if place else "it ends too early"


def _present(members: dict[str, Raw], unknown_fields: UnknownFields) -> dict[str, object]:
    """The plain values of all fields that are not absent, under their names on the wire."""
    known: dict[str, object] = {}
    extra: dict[str, str] = {}
    for name, raw in members.items():
        if _is_absent(name, raw):
            continue
        if name in _OF_THE_DAEMON:
            raise MalformedEvent(f"`{name}` is set by the daemon and may not be sent.", f"$.{name}")
        if name in _TYPES:
            known[name] = _value(name, raw)
        elif unknown_fields == "refuse":
            _refuse_unknown(name)
        else:
            extra[name] = _as_text(_value(name, raw))
    for name, kept in (("user", _users(known)), ("data", extra | _data(known))):
        known.pop(name, None)
        if kept:
            known[name] = kept
    return known


def _is_absent(name: str, raw: Raw) -> bool:
    # An empty run of digits is a value of its own: the caller pressed nothing.
    text = bytes(raw)
    return text == b"null" or (text == b'""' and name != "dtmf")


def _value(name: str, raw: Raw) -> object:
    path = f"$.{shown(name)}"
    try:
        value: object = msgspec_json.decode(raw)
    except DecodeError:
        # The syntax was checked with the whole line; what is left is a number such as 1e400.
        raise MalformedEvent(f"`{shown(name)}` holds a number out of range.", path) from None
    if not name:
        raise MalformedEvent("A field has no name.", "$")
    if _holds_nul(name) or _holds_nul(value):
        raise MalformedEvent(f"`{shown(name)}` holds a NUL character.", _nul_path(path, value))
    return value


def _holds_nul(value: object) -> bool:
    match value:
        case str():
            return "\0" in value
        case list():
            return any(_holds_nul(item) for item in value)
        case dict():
            return any(_holds_nul(key) or _holds_nul(item) for key, item in value.items())
        case _:
            return False


def _nul_path(path: str, value: object) -> str:
    """The path one step further down, where the NUL stands in one item or member."""
    match value:
        case list():
            steps = [f"[{place}]" for place, item in enumerate(value) if _holds_nul(item)]
        case dict():
            named = [key for key, item in value.items() if _holds_nul(item) and "\0" not in key]
            steps = [f".{shown(key)}" for key in named]
        case _:
            steps = []
    return path + steps[0] if steps else path


def _refuse_unknown(name: str) -> NoReturn:
    # A name as long as a line would make the comparison slow, and none of ours is as long.
    folded = re.sub(r"[^a-z0-9]", "", name[:64].lower())
    close = get_close_matches(folded, _BY_FOLDED_NAME, n=1, cutoff=0.75)
    hint = f" (did you mean `{_BY_FOLDED_NAME[close[0]]}`?)" if close else ""
    raise MalformedEvent(
        f"`{shown(name)}` is not a field of an event{hint}; "
        "what has no field of its own belongs under `data`.",
        f"$.{shown(name)}",
    )


def _as_text(value: object) -> str:
    """An unknown field's value as `data` holds it."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return plain_decimal(value)
        case _:
            return msgspec_json.encode(value).decode()


def _users(known: dict[str, object]) -> list[str]:
    users = known.get("user", [])
    if not isinstance(users, list):
        _refuse("user", "$.user")
    kept = []
    for place, user in enumerate(users):
        if not isinstance(user, str | None):
            raise MalformedEvent("Each `user` must be a string.", f"$.user[{place}]")
        if user:
            kept.append(user)
    return kept


def _data(known: dict[str, object]) -> dict[str, str]:
    data = known.get("data", {})
    if not isinstance(data, dict):
        _refuse("data", "$.data")
    kept = {}
    for key, value in data.items():
        if not key:
            raise MalformedEvent("A key in `data` is empty.", "$.data")
        if not isinstance(value, str | None):
            raise MalformedEvent("Each value in `data` must be a string.", f"$.data.{shown(key)}")
        if value:
            kept[key] = value
    return kept


def _name_fault(present: dict[str, object]) -> NoReturn:
    """Find which field it was that the Struct refused, in the order of the wire."""
    for name, kind in _TYPES.items():
        if name not in present:
            if name in {"event", "callId"}:
                raise MalformedEvent(f"`{name}` is required.", f"$.{name}") from None
            continue
        try:
            convert(present[name], kind)
        except ValidationError:
            _refuse(name, f"$.{name}")
    raise MalformedEvent("The event is malformed.", "$") from None


def _refuse(name: str, path: str) -> NoReturn:
    raise MalformedEvent(f"`{name}` {RULES[name]}.", path) from None
