"""VoipNow phoneCallEvents: items of one event each, and the subscriptions that they are together.

From wiki.4psa.com, UnifiedAPI "PhoneCallEvents" and "List PhoneCallEvents". Items of one
extension, URL and method become one subscription, so that the events of a call keep their
order; only where calls received and calls made want other events it takes two.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import unquote

import msgspec
from msgspec import Struct

from callpost.api.document import Item, items
from callpost.api.translated import Exported, Refused, Table, Translated
from callpost.api.unsaid import hidden_in_url, name_of, texts, unsaid
from callpost.api.voipnow.items import (
    KINDS_IN,
    KINDS_OUT,
    NOTE_MAX_CHARS,
    ORDER,
    TYPE_MAX,
    Event,
    is_extension,
    joined_notes,
    kinds_of,
    path_of,
    read_event,
    table_of,
)
from callpost.model.mask import EXTENSION_MASK_PREFIX
from callpost.model.userinfo import masked_url
from callpost.model.vocabulary import DIRECTIONS, FLOWS, KINDS_OF, Flow, Kind

_SELF: Final = re.compile(r"/extensions/[^/]+/([^/]+)/phoneCallEvents(?:/|\Z)", re.IGNORECASE)
_SAID: Final = frozenset(
    {"url", "method", "note", "enabled", "events", "direction", "flow", "extension"}
    | {"vocabulary", "level"}
)
# How the directions of a call are seen from an extension. It makes internal calls, too, but a
# filter on directions is no wish for dial-out unless it names the calls that leave the house.
_FLOWS: Final[dict[str, Flow]] = {"in": "in", "internal": "in", "out": "out"}


class _Listed(Struct, frozen=True):
    """An event of a saved list."""

    path: str
    extension: str
    event: Event
    lost: tuple[str, ...]

    @property
    def lane(self) -> tuple[object, ...]:
        """Those that are one subscription have this in common."""
        event = self.event
        return (self.extension, event.url, event.method, event.is_enabled)


def read(document: bytes, *, of: str = "") -> tuple[Translated | Refused, ...]:
    """The subscriptions of a list answer; `of` is the extension of items without `links.self`."""
    events: dict[tuple[object, ...], list[_Listed]] = {}
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
        lost += hidden_in_url(table)
        for answer in _answers(table):
            answers.setdefault(str(answer["id"]), answer)
    return Exported(msgspec.json.encode({"entry": list(answers.values())}), tuple(lost))


def _event(item: Item, of: str) -> _Listed | Refused:
    event = read_event(item, type_code="pcet_type_invalid")
    listed = _Listed(item.path, _extension(item, of), event, _lost(item))
    return item.refused() or listed


def _extension(item: Item, of: str) -> str:
    """The extension that the item's own link names, else the one that was asked for."""
    links = item.value("links")
    link = links.get("self") if isinstance(links, dict) else None
    match = _SELF.search(link) if isinstance(link, str) else None
    extension = unquote(match[1]) if match else of
    if not extension:
        item.fault("links", "extension_invalid", "names no extension; --extension tells it")
    elif not is_extension(extension):
        item.fault("links", "extension_invalid", "expected an extension such as 0003*210")
    return extension


def _lost(item: Item) -> tuple[str, ...]:
    for key in ("id", "modified"):
        item.value(key)
    return item.left_over()


def _subscriptions(lane: Sequence[_Listed]) -> Iterator[Translated]:
    """One for both flows if they want the same, else one for each that wants anything."""
    types = {listed.event.type for listed in lane}
    incoming, outgoing = kinds_of(types, KINDS_IN), kinds_of(types, KINDS_OUT)
    if incoming == outgoing:
        yield _subscription(lane, incoming, None)
        return
    if incoming:
        yield _subscription(lane, incoming, "in")
    if outgoing:
        yield _subscription(lane, outgoing, "out")


def _subscription(lane: Sequence[_Listed], kinds: Sequence[Kind], flow: Flow | None) -> Translated:
    extension, events = lane[0].extension, [listed.event for listed in lane]
    name = f"voipnow-{extension}" + ("-out" if flow == "out" else "")
    lost = [sentence for listed in lane for sentence in listed.lost]
    if len(joined_notes(events)) > NOTE_MAX_CHARS:
        lost.append(f"the notes are longer than {NOTE_MAX_CHARS:,} characters together")
    told = {"in": KINDS_IN, "out": KINDS_OUT, None: range(TYPE_MAX + 1)}[flow]
    return Translated(
        paths=tuple(listed.path for listed in lane if listed.event.type in told),
        table={"name": name, **table_of(extension, events, kinds, flow)},
        lost=tuple(lost),
    )


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
        if kind not in ORDER:
            yield f"{name}: VoipNow has no event like {kind}"
    method = str(table.get("method", "POSTJSON"))
    if method not in {"GET1", "POSTARGS"}:
        yield f"{name}: VoipNow sends GET or POST of a form, not {method}"
    if table.get("level") == 2 and method == "POSTARGS":
        yield f"{name}: VoipNow has no level 2"
    if 0 < len(set(texts(table.get("direction")))) < len(DIRECTIONS):
        yield f"{name}: VoipNow sees calls from the extension, calls within the house too"
    if 2 in _types(table) and len(_flows(table)) == 1:
        yield f"{name}: VoipNow tells the hangups of calls received and of calls made"


def _answers(table: Table) -> Iterator[dict[str, object]]:
    """The items of one subscription; the same wish of two subscriptions has the same id."""
    method = "0" if str(table.get("method", "")).startswith("GET") else "1"
    note, url = str(table.get("note", "")), masked_url(str(table["url"]))
    status = "0" if table.get("enabled") is False else "1"
    for extension in _exact(table):
        for type_ in _types(table):
            seed = "\n".join((extension, str(type_), method, url, status))
            identity = hashlib.sha256(seed.encode()).hexdigest()[:30]
            yield {
                "id": identity,
                "type": str(type_),
                "method": method,
                "note": note,
                "url": url,
                "status": status,
                "links": {"self": f"{path_of('@me', extension)}/{type_}/{identity}"},
            }


def _exact(table: Table) -> list[str]:
    entries = texts(table.get("extension"))
    return [entry for entry in entries if not entry.startswith(EXTENSION_MASK_PREFIX)]


def _types(table: Table) -> list[int]:
    kinds = frozenset(texts(table.get("events"))) or KINDS_OF["voipnow"]
    told = {"in": KINDS_IN, "out": KINDS_OUT}
    return sorted(
        {type_ for flow in _flows(table) for type_, kind in told[flow].items() if kind in kinds}
    )


def _flows(table: Table) -> set[Flow]:
    """As which calls it wants them: it may say so by their flow, or by their direction."""
    by_direction = {_FLOWS[one] for one in texts(table.get("direction")) if one in _FLOWS}
    by_flow = {flow for flow in FLOWS if flow in texts(table.get("flow"))}
    return (by_flow or {*FLOWS}) & (by_direction or {*FLOWS})
