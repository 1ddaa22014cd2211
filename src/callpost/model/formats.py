"""One event as the content of one delivery, in the method and vocabulary of the subscription.

First the event becomes names and values in its vocabulary, then one writer for each format puts
them down in that order; so every format says the same.
"""

import re
from collections.abc import Callable
from typing import Final, assert_never

from msgspec import Struct
from msgspec.json import Encoder

from callpost.model.dialects import Pairs, Value, spoken
from callpost.model.event import CallEvent, plain_decimal, stored
from callpost.model.flow import Seen
from callpost.model.percent import form_encoded, query_encoded
from callpost.model.swml import swml
from callpost.model.vocabulary import Level, Method, Vocabulary

FORM_TYPE: Final = "application/x-www-form-urlencoded"
XML_TYPE: Final = "application/xml; charset=utf-8"
JSON_TYPE: Final = "application/json"


class Content(Struct, frozen=True):
    """The query string of a GET (its type is ""), or the body of a POST."""

    content: bytes
    content_type: str


def content_of(
    body: bytes,
    *,
    method: Method,
    level: Level,
    vocabulary: Vocabulary,
    seq: int,
    previous_id: str,
    seen: Seen | None = None,
) -> Content:
    """What `render` makes of the event that is stored as `body`.

    In our own words at level 2 the stored event is the content already, and only its place in
    the call is added: 0.2 us instead of 3.2.
    """
    if method == "POSTJSON" and level == 2 and vocabulary == "callpost":
        return Content(_placed(body, seq, previous_id), JSON_TYPE)
    return render(
        stored(body),
        method=method,
        level=level,
        vocabulary=vocabulary,
        seq=seq,
        previous_id=previous_id,
        seen=seen,
    )


def render(
    event: CallEvent,
    *,
    method: Method,
    level: Level,
    vocabulary: Vocabulary,
    seq: int,
    previous_id: str,
    seen: Seen | None = None,
) -> Content:
    """The event as `method` sends it; `level` counts for POSTARGS and POSTJSON.

    `seen` is for the vocabularies that see a call from one of its ends. An event of a kind that
    the vocabulary lacks (matched under other settings) goes out with what the vocabulary has for
    it.
    """
    if vocabulary == "swml" and method == "POSTJSON":
        # SignalWire's JSON has objects in objects, which no list of names and values can say.
        return Content(_JSON.encode(swml(event)), JSON_TYPE)
    pairs = spoken(
        event,
        vocabulary=vocabulary,
        level=_level_of(method, level),
        seq=seq,
        previous_id=previous_id,
        seen=seen,
    )
    return written(pairs, method=method, root="callEvent")


def written(pairs: Pairs, *, method: Method, root: str) -> Content:
    """Names and values in the form that `method` has; `root` is the element around them in XML."""
    match method:
        case "GET1" | "GET2":
            return Content(_assignments(pairs, query_encoded), "")
        case "POSTARGS":
            return Content(_assignments(pairs, form_encoded), FORM_TYPE)
        case "POSTXML1" | "POSTXML2":
            return Content(_xml(pairs, root), XML_TYPE)
        case "POSTJSON":
            return Content(_JSON.encode(dict(pairs)), JSON_TYPE)
        case _:
            assert_never(method)


def _placed(body: bytes, seq: int, previous_id: str) -> bytes:
    """The canonical JSON of an event with `seq` and `previousId` as its last members."""
    if previous_id:
        return b'%b,"seq":%d,"previousId":%b}' % (body[:-1], seq, _JSON.encode(previous_id))
    return b'%b,"seq":%d}' % (body[:-1], seq)


def _level_of(method: Method, level: Level) -> Level:
    match method:
        case "GET1" | "POSTXML1":
            return 1
        case "GET2" | "POSTXML2":
            return 2
        case "POSTARGS" | "POSTJSON":
            return level
        case _:
            assert_never(method)


def _assignments(pairs: Pairs, encoded: Callable[[str], str]) -> bytes:
    """`name=value` joined by `&`, for queries and forms; a list is `name[]`, a map `name[key]`."""
    parts: list[str] = []
    for name, value in pairs:
        match value:
            case tuple():
                parts += [f"{name}%5B%5D={encoded(item)}" for item in value]
            case dict():
                parts += [
                    f"{name}%5B{encoded(key)}%5D={encoded(item)}" for key, item in value.items()
                ]
            case _:
                parts.append(f"{name}={encoded(_text(value))}")
    return "&".join(parts).encode("ascii")


def _xml(pairs: Pairs, root: str) -> bytes:
    """One line: whatever would break it, or could not stand in XML 1.0, is replaced."""
    children = "".join(_elements(name, value) for name, value in pairs)
    return f'{_XML_HEAD}<{root} version="1">{children}</{root}>'.encode()


def _elements(name: str, value: Value) -> str:
    match value:
        case tuple():
            return "".join(f"<{name}>{_escaped(item)}</{name}>" for item in value)
        case dict():
            items = (
                f'<item key="{_escaped(key)}">{_escaped(item)}</item>'
                for key, item in value.items()
            )
            return f"<{name}>{''.join(items)}</{name}>"
        case _:
            return f"<{name}>{_escaped(_text(value))}</{name}>"


def _escaped(text: str) -> str:
    return text.translate(_XML_TABLE) if _XML_SPECIAL.search(text) else text


def _text(value: str | float) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case _:
            return plain_decimal(value)


def _xml_table() -> dict[int, str]:
    # XML 1.0, section 2.2: a document cannot hold these, not even as references.
    impossible = [*range(0x20), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF]
    # A parser turns bare line ends into LF, and in attributes into spaces; references stay.
    references = {ord(letter): f"&#{ord(letter)};" for letter in "\t\n\r"}
    entities = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&quot;"}
    return dict.fromkeys(impossible, "\ufffd") | references | entities


_XML_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>'
_XML_TABLE: Final = _xml_table()
# Most texts hold none of these, and to look for them is far quicker than to translate.
_XML_SPECIAL: Final = re.compile(f"[{re.escape(''.join(map(chr, _XML_TABLE)))}]")
_JSON: Final = Encoder()
