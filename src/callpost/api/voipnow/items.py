"""One phone call event of VoipNow: its fields, and what its type says of calls.

From wiki.4psa.com, UnifiedAPI "PhoneCallEvents". The rules of its fields stand here alone, for
saved lists and for the API.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, Literal
from urllib.parse import quote

from msgspec import Struct

from callpost.api.document import Item
from callpost.api.translated import Table
from callpost.model.mask import EXTENSION_MASK_PREFIX
from callpost.model.unseen import unseen
from callpost.model.url import ParsedUrl, UrlFault, parse_url
from callpost.model.vocabulary import Flow, Kind

# What each type says of calls that the extension receives, and of calls that it makes.
KINDS_IN: Final[Mapping[int, Kind]] = {0: "newCall", 2: "hangup", 3: "answer"}
KINDS_OUT: Final[Mapping[int, Kind]] = {1: "newCall", 2: "hangup", 4: "answer"}
ORDER: Final[tuple[Kind, ...]] = ("newCall", "answer", "hangup")
TYPE_MAX: Final = 4
NOTE_MAX_CHARS: Final = 1_024
_EXTENSION_MAX_CHARS: Final = 255
_URL_MAX_CHARS: Final = 16_384


class Event(Struct, frozen=True, kw_only=True):
    """One item: VoipNow asks for one URL to be called at one event of one extension."""

    type: int
    method: Literal["GET1", "POSTARGS"]
    note: str
    url: str
    is_enabled: bool


def read_event(item: Item, *, type_code: str) -> Event:
    """The event; what is wrong with it is in the item's faults, and then it is not to be used."""
    type_ = _known(item, "type", code=type_code, most=TYPE_MAX, default=None)
    method = _known(item, "method", code="pce_method_invalid", most=1, default=None)
    return Event(
        type=type_,
        method="POSTARGS" if method else "GET1",
        note=item.text("note", code="pce_note_invalid", most=NOTE_MAX_CHARS),
        url=_url(item),
        is_enabled=bool(_known(item, "status", code="pce_status_invalid", most=1, default=1)),
    )


def said(event: Event) -> dict[str, object]:
    """The event in VoipNow's words, in which numbers are texts."""
    return {
        "type": str(event.type),
        "method": "1" if event.method == "POSTARGS" else "0",
        "note": event.note,
        "url": event.url,
        "status": "1" if event.is_enabled else "0",
    }


def is_extension(text: str) -> bool:
    """Whether it can be the number of one extension, such as `0003*210`; `@self` is none."""
    is_one = not text.startswith(("@", EXTENSION_MASK_PREFIX))
    return is_one and 0 < len(text) <= _EXTENSION_MAX_CHARS and not unseen(text)


def kinds_of(types: Collection[int], told: Mapping[int, Kind]) -> list[Kind]:
    """The events that these types tell of calls received, or of calls made."""
    found = {told.get(type_) for type_ in types}
    return [kind for kind in ORDER if kind in found]


def table_of(
    extension: str, events: Sequence[Event], kinds: Sequence[Kind], flow: Flow | None
) -> Table:
    """The subscription, without a name, that these events of one extension and URL are together.

    Without a flow it is for calls that come in and calls that go out.
    """
    first = events[0]
    table: Table = {
        "url": first.url,
        "method": first.method,
        "vocabulary": "voipnow",
        "level": 1,
        "extension": [extension],
        "events": list(kinds),
    }
    if flow is not None:
        table["flow"] = [flow]
    if note := joined_notes(events):
        table["note"] = note[:NOTE_MAX_CHARS]
    if not first.is_enabled:
        table["enabled"] = False
    return table


def joined_notes(events: Sequence[Event]) -> str:
    """Every note once, however long; a line break, which no note of ours can hold, is a space."""
    joined = "; ".join(dict.fromkeys(event.note for event in events if event.note))
    return "".join(char if char.isprintable() else " " for char in joined)


def path_of(user: str, extension: str) -> str:
    """Where the phone call events of an extension are; a type and an id may follow."""
    return f"/uapi/extensions/{quote(user, safe='@')}/{quote(extension, safe='*')}/phoneCallEvents"


def _known(item: Item, key: str, *, code: str, most: int, default: int | None) -> int:
    """A small number, which travels as a text or a number; what is missing is a fault."""
    if not item.has(key) and default is not None:
        return default
    if not item.has(key):
        item.fault(key, code, "is required")
    return item.whole(key, code=code, least=0, most=most) or 0


def _url(item: Item) -> str:
    code = "pce_url_invalid"
    url = item.needed("url", code=code, most=_URL_MAX_CHARS)
    match parse_url(url) if url else None:
        case UrlFault(sentence=sentence):
            item.fault("url", code, sentence)
        case ParsedUrl(scheme="tcp" | "udp"):
            item.fault("url", code, "expected a URL of http or https")
        case _:
            pass
    return url
