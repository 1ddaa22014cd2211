"""Texts to documents: UTF-8, TOML, and no key that two files set.

Subscriptions, forward rules, presets, customers and tokens add up over the files; any other key
belongs to one file alone.
"""

import re
import tomllib
from ast import literal_eval
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from callpost.config.faults import Fault, Source
from callpost.model.terminal import visible

# These are collected from all files; the names within them are compared where they are read.
_ADDED_UP: Final = frozenset({"subscription", "forward", "preset", "customer", "api.token"})

_TWICE: Final = re.compile(r"Cannot declare (\(.*\)) twice( \(at .*\))", re.DOTALL)


class Document(Struct, frozen=True):
    """What one file says, not yet looked at."""

    file: str
    table: dict[str, object]


def read_documents(sources: Sequence[Source], faults: list[Fault]) -> list[Document]:
    """The documents that can be read, with a fault for each that cannot."""
    documents = [document for source in sources if (document := _document(source, faults))]
    faults.extend(_set_twice(documents))
    return documents


def _document(source: Source, faults: list[Fault]) -> Document | None:
    try:
        # Some editors begin a file with a byte order mark.
        text = source.text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = source.text[: error.start].count(b"\n") + 1
        faults.append(Fault(source.file, "", "encoding", f"line {line} is not UTF-8"))
        return None
    try:
        return Document(source.file, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        faults.append(Fault(source.file, "", "syntax", visible(_in_plain_words(str(error)))))
    except ValueError:
        # The only other thing that Python's reader stumbles over.
        faults.append(Fault(source.file, "", "syntax", "a number has too many digits"))
    except RecursionError:
        faults.append(Fault(source.file, "", "syntax", "tables or lists are nested too deeply"))
    return None


def _in_plain_words(sentence: str) -> str:
    """What Python's reader says, but for the one sentence that is about its own tuples."""
    found = _TWICE.fullmatch(sentence)
    if found is None:
        return sentence
    path = ".".join(literal_eval(found[1]))
    return f"[{path}] is there already: a file has a table once{found[2]}"


def _set_twice(documents: Sequence[Document]) -> Iterator[Fault]:
    """Which file would win is nobody's guess: both are named."""
    first: dict[str, str] = {}
    for document in documents:
        for path in _paths(document.table):
            if path in first:
                sentence = f"this key is already set in {first[path]}"
                yield Fault(document.file, visible(path), "duplicate", sentence)
            first.setdefault(path, document.file)


def _paths(table: Mapping[str, object]) -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, dict) and key not in _ADDED_UP:
            paths = [f"{key}.{inner}" for inner in value]
        else:
            paths = [key]
        yield from (path for path in paths if path not in _ADDED_UP)
