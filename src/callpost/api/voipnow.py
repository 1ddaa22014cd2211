"""VoipNow phoneCallEvents: items of one event each, and the subscriptions that they are together.

From wiki.4psa.com, UnifiedAPI "PhoneCallEvents" and "List PhoneCallEvents". Items of one
extension, URL and method become one subscription, so that the events of a call keep their
order; only where calls that come in and calls that go out want other events it takes two.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Final, Literal
from urllib.parse import quote, unquote

import msgspec
from msgspec import Struct

from callpost.api.document import Item, items
from callpost.api.translated import Exported, Refused, Table, Translated
from callpost.api.unsaid import name_of, texts, unsaid
from callpost.model.mask import EXTENSION_MASK_PREFIX
from callpost.model.url import ParsedUrl, UrlFault, parse_url
from callpost.model.vocabulary import KINDS_OF, Direction, Kind

# What each type says of calls that come in, and of calls that go out.
_KINDS_IN: Final[dict[int, Kind]] = {0: "newCall", 2: "hangup", 3: "answer"}
_KINDS_OUT: Final[dict[int, Kind]] = {1: "newCall", 2: "hangup", 4: "answer"}
_ORDER: Final[tuple[Kind, ...]] = ("newCall", "answer", "hangup")
# A call between two extensions is no call that goes out of the house.
_IN: Final[tuple[Direction, ...]] = ("in", "internal")
_OUT: Final[tuple[Direction, ...]] = ("out",)
_NOTE_MAX_CHARS: Final = 1_024
_SELF: Final = re.compile(r"/extensions/[^/]+/([^/]+)/phoneCallEvents(?:/|\Z)", re.IGNORECASE)
_SAID: Final = frozenset(
    {"url", "method", "note", "enabled", "events", "direction", "extension", "vocabulary", "level"}
)


class _Event(Struct, frozen=True):
    """One item: VoipNow asks for one URL to be called at one event of one extension."""

    path: str
    type: int
    extension: str
    url: str
    method: Literal["GET1", "POSTARGS"]
    is_enabled: bool
    note: str
    lost: tuple[str, ...]

    @property
    def lane(self) -> tuple[object, ...]:
        """Those that are one subscription have this in common."""
        return (self.extension, self.url, self.method, self.is_enabled)


def read(document: bytes, *, of: str = "") -> tuple[Translated | Refused, ...]:
    """The subscriptions of a list answer; `of` is the extension of items without `links.self`."""
    events: dict[tuple[object, ...], list[_Event]] = {}
    found: list[Translated | Refused] = []
    for item in items(document, "entry", "items"):
        event = _event(item, of) if isinstance(item, Item) else item
        if isinstance(event, Refused):
            found.append(event)
        else:
            events.setdefault(event.lane, []).append(event)
    for lane in events.values():
        found += _subscriptions(lane)
    return tuple(found)


def written(tables: Sequence[Table]) -> Exported:
    """The list answer with these subscriptions, one item for each extension and type."""
    lost: list[str] = []
    answers: dict[str, dict[str, object]] = {}
    for table in tables:
        if sentence := _unsayable(table):
            lost.append(f"{name_of(table)}: was left out, as {sentence}")
            continue
        lost += unsaid(table, system="VoipNow", said=_SAID)
        lost += _half_said(table)
        for answer in _answers(table):
            answers.setdefault(str(answer["id"]), answer)
    return Exported(msgspec.json.encode({"entry": list(answers.values())}), tuple(lost))


def _event(item: Item, of: str) -> _Event | Refused:
    type_ = _known(item, "type", code="pcet_type_invalid", least=0, most=4, default=None)
    method = _known(item, "method", code="pce_method_invalid", least=0, most=1, default=None)
    status = _known(item, "status", code="pce_status_invalid", least=0, most=1, default=1)
    event = _Event(
        path=item.path,
        type=type_,
        extension=_extension(item, of),
        url=_url(item),
        method="POSTARGS" if method else "GET1",
        is_enabled=bool(status),
        note=item.text("note", code="pce_note_invalid", most=_NOTE_MAX_CHARS),
        lost=_lost(item),
    )
    return item.refused() or event


def _known(item: Item, key: str, *, code: str, least: int, most: int, default: int | None) -> int:
    """A small number, which travels as a text or a number; what is missing is a fault."""
    if not item.has(key) and default is not None:
        return default
    if not item.has(key):
        item.fault(key, code, "is required")
    found = item.whole(key, code=code, least=least, most=most)
    return least if found is None else found


def _url(item: Item) -> str:
    code = "pce_url_invalid"
    url = item.needed("url", code=code, most=16_384)
    match parse_url(url) if url else None:
        case UrlFault(sentence=sentence):
            item.fault("url", code, sentence)
        case ParsedUrl(scheme="tcp" | "udp"):
            item.fault("url", code, "expected a URL of http or https")
        case _:
            pass
    return url


def _extension(item: Item, of: str) -> str:
    """The extension that the item's own link names, else the one that was asked for."""
    links = item.value("links")
    link = links.get("self") if isinstance(links, dict) else None
    match = _SELF.search(link) if isinstance(link, str) else None
    extension = unquote(match[1]) if match else of
    if not extension:
        item.fault("links", "extension_invalid", "names no extension, and none was given")
    elif extension.startswith(("@", EXTENSION_MASK_PREFIX)) or len(extension) > 255:
        item.fault("links", "extension_invalid", "expected an extension such as 0003*210")
    return extension


def _lost(item: Item) -> tuple[str, ...]:
    for key in ("id", "modified"):
        item.value(key)
    return item.left_over()


def _subscriptions(lane: Sequence[_Event]) -> Iterator[Translated]:
    """One for both directions if they want the same, else one for each that wants anything."""
    types = {event.type for event in lane}
    incoming = [kind for kind in _ORDER if kind in {_KINDS_IN.get(type_) for type_ in types}]
    outgoing = [kind for kind in _ORDER if kind in {_KINDS_OUT.get(type_) for type_ in types}]
    if incoming == outgoing:
        yield _subscription(lane, incoming, ())
        return
    if incoming:
        yield _subscription(lane, incoming, _IN)
    if outgoing:
        yield _subscription(lane, outgoing, _OUT)


def _subscription(
    lane: Sequence[_Event], kinds: Sequence[Kind], directions: Sequence[Direction]
) -> Translated:
    first = lane[0]
    table: Table = {
        "name": f"voipnow-{first.extension}" + ("-out" if directions == _OUT else ""),
        "url": first.url,
        "method": first.method,
        "vocabulary": "voipnow",
        "level": 1,
        "extension": [first.extension],
        "events": list(kinds),
    }
    lost = [sentence for event in lane for sentence in event.lost]
    if directions:
        table["direction"] = list(directions)
        lost.append(
            "calls within the system count as calls that come in, "
            "and an event that has no direction is not told"
        )
    note = "; ".join(dict.fromkeys(event.note for event in lane if event.note))
    if note:
        table["note"] = note[:_NOTE_MAX_CHARS]
    if len(note) > _NOTE_MAX_CHARS:
        lost.append(f"the notes are longer than {_NOTE_MAX_CHARS:,} characters together")
    if not first.is_enabled:
        table["enabled"] = False
    told = _KINDS_OUT if directions == _OUT else _KINDS_IN if directions else range(5)
    paths = tuple(event.path for event in lane if event.type in told)
    return Translated(paths=paths, table=table, lost=tuple(lost))


def _unsayable(table: Table) -> str:
    """Why VoipNow has nothing like it, "" where it has."""
    if str(table["url"]).lower().startswith(("tcp:", "udp:")):
        return "VoipNow speaks HTTP only"
    if not any(_exact(table)):
        return "VoipNow has no events but those of a named extension"
    if not _types(table):
        return "VoipNow has none of its events"
    return ""


def _half_said(table: Table) -> Iterator[str]:
    name = name_of(table)
    if table.get("vocabulary") != "voipnow":
        yield f"{name}: VoipNow sends its own names and values only"
    if any(entry.startswith(EXTENSION_MASK_PREFIX) for entry in texts(table.get("extension"))):
        yield f"{name}: VoipNow has no masks for extensions"
    for kind in texts(table.get("events")):
        if kind not in _ORDER:
            yield f"{name}: VoipNow has no event like {kind}"
    method = str(table.get("method", "POSTJSON"))
    if method not in {"GET1", "POSTARGS"}:
        yield f"{name}: VoipNow sends GET or POST of a form, not {method}"
    if table.get("level") == 2 and method == "POSTARGS":
        yield f"{name}: VoipNow has no level 2"
    directions = set(texts(table.get("direction")))
    if directions and 2 in _types(table) and not {"in", "out"} <= directions:
        yield f"{name}: VoipNow tells the hangups of both directions"


def _answers(table: Table) -> Iterator[dict[str, object]]:
    """The items of one subscription; the same wish of two subscriptions has the same id."""
    method = "0" if str(table.get("method", "")).startswith("GET") else "1"
    note, url = str(table.get("note", "")), str(table["url"])
    status = "0" if table.get("enabled") is False else "1"
    for extension in _exact(table):
        for type_ in _types(table):
            seed = "\n".join((extension, str(type_), method, url, status))
            identity = hashlib.sha256(seed.encode()).hexdigest()[:30]
            place = f"/uapi/extensions/@me/{quote(extension, safe='*')}/phoneCallEvents"
            yield {
                "id": identity,
                "type": str(type_),
                "method": method,
                "note": note,
                "url": url,
                "status": status,
                "links": {"self": f"{place}/{type_}/{identity}"},
            }


def _exact(table: Table) -> list[str]:
    entries = texts(table.get("extension"))
    return [entry for entry in entries if not entry.startswith(EXTENSION_MASK_PREFIX)]


def _types(table: Table) -> list[int]:
    kinds = frozenset(texts(table.get("events"))) or KINDS_OF["voipnow"]
    directions = frozenset(texts(table.get("direction"))) or {"in", "out"}
    types = {type_ for type_, kind in _KINDS_IN.items() if kind in kinds and directions & {*_IN}}
    types |= {type_ for type_, kind in _KINDS_OUT.items() if kind in kinds and "out" in directions}
    return sorted(types)
