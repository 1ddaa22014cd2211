"""TelecomX callnotify: items `{_id, url, method, selection}` and what they are to callpost.

From wiki.telecomx.dk, `api:customer:callnotify-list`; empty properties are omitted there. The
body of a list is not documented: a list of items is read and written here.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Final, get_args

import msgspec

from callpost.api.document import Item, items
from callpost.api.translated import Exported, Refused, Table, Translated
from callpost.api.unsaid import hidden_in_url, name_of, unsaid
from callpost.model.url import INVALID_URL, UrlFault, parse_url
from callpost.model.userinfo import masked_url
from callpost.model.vocabulary import METHODS, Selection

_SAID: Final = frozenset({"url", "method", "selection", "enabled"})
_ID: Final = re.compile("[0-9a-f]{24}")
_PREFIX: Final = "telecomx-"


def read(document: bytes, *, of: str = "") -> tuple[Translated | Refused, ...]:
    """The subscriptions of a list answer; its customer is in the path, and so not in the list."""
    del of  # nothing in an item depends on it
    return tuple(
        _translated(item) if isinstance(item, Item) else item
        for item in items(document, "items", "data")
    )


def written(tables: Sequence[Table]) -> Exported:
    """The list answer with these subscriptions."""
    answers: list[dict[str, str]] = []
    lost: list[str] = []
    for table in tables:
        if table.get("enabled") is False:
            lost.append(f"{name_of(table)}: is not enabled, so it was left out")
            continue
        lost += unsaid(table, system="TelecomX", said=_SAID)
        lost += hidden_in_url(table)
        shown = {**table, "url": masked_url(str(table["url"]))}
        answers.append(item_of(id_of(name_of(table)), shown))
    return Exported(msgspec.json.encode(answers), tuple(lost))


def id_of(name: str) -> str:
    """The id of a subscription in 24 hexadecimal digits: the one it came with, else its own."""
    own = name.removeprefix(_PREFIX)
    return own if _ID.fullmatch(own) else hashlib.sha256(name.encode()).hexdigest()[:24]


def item_of(identity: str, table: Mapping[str, object]) -> dict[str, str]:
    """The item that tells of a subscription."""
    return {
        "_id": identity,
        "url": str(table["url"]),
        "method": str(table.get("method", "POSTJSON")),
        "selection": str(table.get("selection", "ALL")),
    }


def table_of(item: Item) -> Table:
    """What an item wants; its faults are in the item, in TelecomX's own sentences."""
    return {
        "url": _url(item),
        "method": _word(item, "method", METHODS),
        "selection": _word(item, "selection", get_args(Selection), default="ALL"),
    }


def _translated(item: Item) -> Translated | Refused:
    identity = item.text("_id", code="_id")
    name = f"{_PREFIX}{identity}" if _ID.fullmatch(identity) else "telecomx"
    table: Table = {"name": name, **table_of(item)}
    lost = item.left_over()
    return item.refused() or Translated(paths=(item.path,), table=table, lost=lost)


def _url(item: Item) -> str:
    url = item.value("url")
    if not isinstance(url, str):
        item.fault("url", "url", INVALID_URL)
        return ""
    if isinstance(fault := parse_url(url), UrlFault):
        item.fault("url", "url", fault.sentence)
    return url


def _word(item: Item, key: str, words: Sequence[str], *, default: str = "") -> str:
    """One of the words; what is said of any other is TelecomX's own sentence."""
    word = item.value(key)
    if word is None and default:
        return default
    if isinstance(word, str) and word in words:
        return word
    item.fault(key, key, f"Invalid {key}")
    return ""
