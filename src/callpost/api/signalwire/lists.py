"""SignalWire external SWML handlers: a primary, a fallback and a status callback for calls.

From developer.signalwire.com, "fabric"; the list has the fields under `swml_webhook`, an answer
to one handler has them flat, and both are read. Which numbers lead to a handler is not in it.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from callpost.api.document import Item, decoded, items
from callpost.api.names import named, shown_name
from callpost.api.translated import Exported, Refused, Table, Translated
from callpost.api.unsaid import name_of, texts, unsaid
from callpost.model.disclosure import MASK
from callpost.model.url import ParsedUrl, parse_url
from callpost.model.userinfo import masked_url
from callpost.model.vocabulary import KINDS_OF

_METHODS: Final = {"GET": "GET2", "POST": "POSTJSON"}
_NAME_MAX_CHARS: Final = 50
_PRIMARY: Final = "primary_request_url"
# SignalWire's own codes, and its sentence about a URL.
MISSING: Final = "missing_required_parameter"
INVALID: Final = "invalid_parameter"
_NOT_HTTP: Final = "This value must be an HTTP or HTTPS URL."
_URL_CODE: Final = "http_url_required"
# What describes the resource, not the handler.
_OF_THE_RESOURCE: Final = ("id", "project_id", "type", "script_type", "created_at", "updated_at")
FIELDS: Final = (
    *("name", "used_for", "primary_request_url", "primary_request_method"),
    *("fallback_request_url", "fallback_request_method"),
    *("status_callback_url", "status_callback_method"),
)
_SAID: Final = frozenset(
    {"url", "method", "vocabulary", "events", "direction", "fallback", "status_callback"}
)
# Ids that stay the same as long as the name does; the namespace is callpost's own.
_NAMESPACE: Final = uuid.UUID("8d3f3b0e-5c0a-5f6e-9d5b-0f6c2f1c7a11")


def read(document: bytes, *, of: str = "") -> tuple[Translated | Refused, ...]:
    """The handlers of a list answer, or the one of an answer to one."""
    del of  # a handler belongs to no extension
    missing = _missing(document)
    found: list[Translated | Refused] = []
    for item in items(document, "data"):
        one = translated(item) if isinstance(item, Item) else item
        if isinstance(one, Translated) and missing:
            one, missing = replace(one, lost=one.lost + missing), ()
        found.append(one)
    return tuple(found)


def written(tables: Sequence[Table]) -> Exported:
    """The list answer with these handlers."""
    lost: list[str] = []
    answers: list[dict[str, object]] = []
    for table in tables:
        if sentence := _unsayable(table):
            lost.append(f"{name_of(table)}: was left out, as {sentence}")
            continue
        # A note that is the name in that system's words is not lost.
        said = _SAID | {"note"} if shown_name(table) == table.get("note") else _SAID
        lost += unsaid(table, system="SignalWire", said=said)
        lost += (f"{name_of(table)}: {sentence}" for sentence in _half_said(table))
        answers.append(_answer(table))
    return Exported(msgspec.json.encode({"data": answers, "links": {}}), tuple(lost))


def translated(item: Item) -> Translated | Refused:
    """What one handler is to callpost, or everything that is wrong with it."""
    handler = _handler(item)
    name = _name(item, handler)
    handler.word("used_for", ("calling",), code=INVALID, default="calling")
    table: Table = {
        **named(name),
        "url": _url(handler, _PRIMARY),
        "method": _method(handler, "primary_request_method"),
        "vocabulary": "swml",
        "direction": ["in"],
    }
    fallback = _door(handler, "fallback_request_url", "fallback_request_method")
    if fallback:
        table["fallback"] = [fallback]
    callback = _door(handler, "status_callback_url", "status_callback_method")
    if callback:
        table["status_callback"] = callback
    else:
        # Without one SignalWire tells nobody what becomes of a call.
        table["events"] = ["newCall"]
    lost = ["which numbers lead to it is not in the list; all calls that come in are meant"]
    lost += item.left_over()
    if handler is not item:
        lost += handler.left_over()
        item.faults.extend(handler.faults)
    return item.refused() or Translated(paths=(item.path,), table=table, lost=tuple(lost))


def _handler(item: Item) -> Item:
    """What has the fields of the handler: the item itself, or the object in it."""
    for key in _OF_THE_RESOURCE:
        item.value(key)
    nested = item.value("swml_webhook")
    if nested is None:
        return item
    if not isinstance(nested, dict):
        item.wrong_type("swml_webhook", "swml_webhook", "an object", nested)
        return item
    for key in FIELDS:
        item.value(key)
    handler = Item(item.at("swml_webhook"), nested)
    for key in (*_OF_THE_RESOURCE, "display_name"):
        handler.value(key)
    return handler


def _name(item: Item, handler: Item) -> str:
    shown = item.text("display_name", code="display_name", most=_NAME_MAX_CHARS)
    if shown and not handler.has("name"):
        return shown
    if handler.value("name") in (None, ""):
        handler.fault("name", MISSING, "is required")
        return ""
    return handler.text("name", code=INVALID, most=_NAME_MAX_CHARS)


def _url(handler: Item, key: str) -> str:
    """An empty one is as good as absent, but for the primary."""
    value = handler.value(key)
    if value is None or value == "":
        if key == _PRIMARY:
            handler.fault(key, MISSING, "is required")
        return ""
    if not isinstance(value, str):
        handler.wrong_type(key, _URL_CODE, "a text", value)
        return ""
    match parse_url(value):
        case ParsedUrl(scheme="http" | "https", overrides=overrides):
            if overrides.retries is not None and key != _PRIMARY:
                sentence = "rc in the fragment belongs to the primary's URL only"
                handler.fault(key, INVALID, sentence)
            return value
        case _:
            handler.fault(key, _URL_CODE, _NOT_HTTP)
            return ""


def _method(handler: Item, key: str) -> str:
    return _METHODS[handler.word(key, tuple(_METHODS), code=INVALID, default="POST")]


def _door(handler: Item, url_key: str, method_key: str) -> Table:
    """The table of another door, empty where there is none; its method stands there always."""
    url, method = _url(handler, url_key), _method(handler, method_key)
    return {"url": url, "method": method} if url else {}


def _missing(document: bytes) -> tuple[str, ...]:
    """A sentence where the answer is one page of several."""
    match decoded(document):
        case {"links": {"next": str(link)}} if link:
            return ("the list has more pages, and this is one of them",)
        case _:
            return ()


def _unsayable(table: Table) -> str:
    """Why SignalWire has nothing like it, "" where it has."""
    doors = (table, *_fallbacks(table), _callback(table))
    if any(str(door.get("url", "http:")).lower().startswith(("tcp:", "udp:")) for door in doors):
        return "SignalWire speaks HTTP only"
    if table.get("enabled") is False:
        return "it is not enabled, and SignalWire would use it"
    if "newCall" not in (texts(table.get("events")) or {"newCall"}):
        return "SignalWire always tells its handlers of new calls"
    return ""


def _half_said(table: Table) -> Iterator[str]:
    if table.get("vocabulary") != "swml":
        yield "SignalWire sends its own bodies only"
    if len(shown_name(table)) > _NAME_MAX_CHARS:
        yield f"the name was cut after {_NAME_MAX_CHARS} characters"
    if texts(table.get("direction")) != ("in",):
        yield "SignalWire tells of calls that come in"
    told = frozenset({"newCall"}) if not _callback(table) else KINDS_OF["swml"]
    if (frozenset(texts(table.get("events"))) or KINDS_OF["swml"]) != told:
        words = "every state" if _callback(table) else "new calls alone, as there is no callback"
        yield f"SignalWire tells of {words}"
    if len(_fallbacks(table)) > 1:
        yield "SignalWire has one fallback; the others were left out"
    for place, door in _doors(table):
        if door.get("method", "POSTJSON") not in _METHODS.values():
            yield f"SignalWire has GET and POST, but no {door['method']} ({place})"
        url = str(door["url"])
        if masked_url(url) != url:
            yield f"the secret in the URL of the {place} was written as {MASK}"
        for key in door.keys() - {"url", "method"} if door is not table else ():
            yield f"SignalWire has no word for {key} of the {place}"


def _answer(table: Table) -> dict[str, object]:
    name = shown_name(table)[:_NAME_MAX_CHARS]
    fields: dict[str, object] = {"name": name, "used_for": "calling"}
    doors = dict(_doors(table))
    for place in ("primary_request", "fallback_request", "status_callback"):
        door = doors.get(place, {})
        method = str(door.get("method", table.get("method", "POSTJSON")))
        fields[f"{place}_url"] = masked_url(str(door["url"])) if door else None
        fields[f"{place}_method"] = "GET" if door and method.startswith("GET") else "POST"
    identity = str(uuid.uuid5(_NAMESPACE, name))
    return {"id": identity, "display_name": name, **fields, "swml_webhook": fields}


def _doors(table: Table) -> Iterator[tuple[str, Mapping[str, object]]]:
    """The doors that SignalWire has a place for, by the beginning of their fields' names."""
    yield "primary_request", table
    for fallback in _fallbacks(table)[:1]:
        yield "fallback_request", fallback
    if callback := _callback(table):
        yield "status_callback", callback


def _fallbacks(table: Table) -> list[Mapping[str, object]]:
    match table.get("fallback"):
        case list(listed) | tuple(listed):
            return [one for one in listed if isinstance(one, Mapping)]
        case _:
            return []


def _callback(table: Table) -> Mapping[str, object]:
    callback = table.get("status_callback")
    return callback if isinstance(callback, Mapping) else {}
