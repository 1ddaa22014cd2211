"""What `callpost subscribe` is told, as the documents that the daemon wants.

On the command line or in a file, in JSON or TOML: the keys are those of the configuration.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import asyncclick as click
import msgspec

from callpost.model.system_error import words_of
from callpost.model.terminal import escaped

Document = dict[str, object]
STANDARD_INPUT: Final = "-"
# A word that needs no quotes, so that nobody has to quote twice: a shell takes the first pair.
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.:/+-]*")
_TOML_WORDS: Final = frozenset({"true", "false", "inf", "nan"})
# What the daemon takes for one of them; a file with more is read for nothing.
_FILE_MAX_BYTES: Final = 16 * 1024 * 1024
# Whoever has forgotten --url has given the name of no file.
_NO_FILE: Final = " Or is it a name? That goes with --url."


def of_settings(settings: Sequence[str]) -> Document:
    """The document of KEY=VALUE texts; raises BadParameter."""
    document: Document = {}
    for setting in settings:
        _put_in(document, _table(setting))
    return document


def of_file(name: str) -> list[Document]:
    """The documents in a file, "-" is standard input; raises ClickException."""
    place = "Standard input" if name == STANDARD_INPUT else escaped(name)
    try:
        with click.open_file(name, "rb") as file:
            text = file.read(_FILE_MAX_BYTES + 1)
    except OSError as error:
        is_name = isinstance(error, FileNotFoundError) and not Path(name).suffix
        hint = _NO_FILE if is_name else ""
        raise click.ClickException(f"{place} cannot be read: {words_of(error)}.{hint}") from None
    if len(text) > _FILE_MAX_BYTES:
        raise click.ClickException(f"{place} is larger than {_FILE_MAX_BYTES // 1024**2} MiB.")
    found = _tables(_decoded(text, place, Path(name).suffix), place)
    if not found:
        raise click.ClickException(f"{place} holds no subscription.")
    documents = [one for one in found if isinstance(one, dict)]
    if len(documents) < len(found):
        raise click.ClickException(f"{place} holds something that is no subscription.")
    return documents


def _decoded(text: bytes, place: str, suffix: str) -> object:
    """What the text says, as JSON or else as TOML; the fault is told in what it seems to be."""
    try:
        found: object = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
        if suffix == ".json" or text.lstrip()[:1] == b"{":
            raise click.ClickException(f"{place} is not JSON: {escaped(str(fault))}.") from None
    else:
        return found
    try:
        return tomllib.loads(text.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise click.ClickException(f"{place} is not UTF-8.") from None
    except (ValueError, RecursionError) as fault:
        raise click.ClickException(f"{place} is not TOML: {escaped(str(fault))}.") from None


def _tables(found: object, place: str) -> Sequence[object]:
    """One document, a list of them, or one under the name that a file or a listing has it."""
    match found:
        case {"subscription": list(tables), **others}:
            if others:
                more = escaped(", ".join(map(str, others)))
                raise click.ClickException(f"{place} holds more than subscriptions: {more}.")
            return tables
        case {"subscriptions": list(tables)} | list(tables):
            return tables
        case dict() if found:
            return [found]
        case _:
            return ()


def _table(setting: str) -> Document:
    key, mark, value = setting.partition("=")
    if not mark or not key.strip():
        raise click.BadParameter(f"expected KEY=VALUE, found {escaped(setting)!r}")
    value = value.strip()
    if _WORD.fullmatch(value) and value not in _TOML_WORDS:
        value = f'"{value}"'
    try:
        return tomllib.loads(f"{key} = {value}")
    except (ValueError, RecursionError):
        sentence = f"the value of {escaped(key.strip())} is not TOML; a text stands in quotes"
        raise click.BadParameter(sentence) from None


def _put_in(document: Document, table: Mapping[str, object]) -> None:
    """Add keys, into the tables that are there already."""
    for key, value in table.items():
        inner = document.get(key)
        if isinstance(inner, dict) and isinstance(value, dict):
            _put_in(inner, value)
        else:
            document[key] = value
