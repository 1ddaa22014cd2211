"""A saved JSON document to its items, and an item to its fields, every fault with its JSON path.

A value is never quoted: it could be a secret. What nobody has asked for is left over.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from callpost.api.translated import MalformedDocument, Refused
from callpost.model.fault import Fault
from callpost.model.limits import MIB
from callpost.model.terminal import escaped, visible

# A thousand subscriptions have some hundred KiB; larger is another kind of file.
DOCUMENT_MAX_BYTES: Final = 16 * MIB
_KINDS: Final[tuple[tuple[type, str], ...]] = (
    (bool, "true or false"),
    (int, "a whole number"),
    (float, "a number"),
    (str, "a text"),
    (list, "a list"),
    (dict, "an object"),
)


class Item:
    """One object at `path`, read key by key; what is wrong with it is gathered in `faults`.

    null is as good as absent. Every method takes the `code` that this system has for the fault.
    """

    def __init__(self, path: str, values: Mapping[str, object]) -> None:
        self.path = path
        self.faults: list[Fault] = []
        self._values = {key: value for key, value in values.items() if value is not None}
        self._asked: set[str] = set()

    def has(self, key: str) -> bool:
        """Whether the key is there and not null."""
        return key in self._values

    def value(self, key: str) -> object:
        """Whatever it is, None where it is absent."""
        self._asked.add(key)
        return self._values.get(key)

    def text(self, key: str, *, code: str, most: int = 4_096) -> str:
        """A text, "" where it is absent."""
        match self.value(key):
            case None:
                return ""
            case str(text) if len(text) <= most:
                return text
            case str():
                self.fault(key, code, f"must have at most {most:,} characters")
            case other:
                self.wrong_type(key, code, "a text", other)
        return ""

    def needed(self, key: str, *, code: str, most: int = 4_096) -> str:
        """A text that must be there and not be empty."""
        text = self.text(key, code=code, most=most)
        if not text and not self._is_told(key):
            self.fault(key, code, "is required")
        return text

    def word(self, key: str, words: Sequence[str], *, code: str, default: str) -> str:
        """One of some words, spelt exactly; `default` where it is absent."""
        text = self.text(key, code=code) if self.has(key) else default
        if text not in words and not self._is_told(key):
            self.fault(key, code, f"expected one of {' | '.join(words)}")
        return text if text in words else default

    def whole(self, key: str, *, code: str, least: int, most: int) -> int | None:
        """A whole number, as a number or in a text; None where it is absent or faulty."""
        value = self.value(key)
        if value is None:
            return None
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20:
            value = int(value)
        expected = f"a whole number from {least} to {most}"
        if not isinstance(value, int) or isinstance(value, bool):
            self.wrong_type(key, code, expected, value)
        elif not least <= value <= most:
            self.fault(key, code, f"expected {expected}")
        else:
            return value
        return None

    def flag(self, key: str, *, code: str, default: bool) -> bool:
        """True or false, `default` where it is absent."""
        match self.value(key):
            case None:
                return default
            case bool(value):
                return value
            case other:
                self.wrong_type(key, code, "true or false", other)
                return default

    def at(self, key: str) -> str:
        """The JSON path of a key."""
        return f"{self.path}.{key}" if key.isidentifier() else f"{self.path}[{_quoted(key)}]"

    def fault(self, key: str, code: str, sentence: str) -> None:
        """Say what is wrong with a key."""
        self.faults.append(Fault("", self.at(key), code, sentence))

    def fault_in(self, key: str, number: int, code: str, sentence: str) -> None:
        """Say what is wrong with one thing in the list under a key; it is counted from 0."""
        self.faults.append(Fault("", f"{self.at(key)}[{number}]", code, sentence))

    def wrong_type(self, key: str, code: str, expected: str, found: object) -> None:
        """Say what was expected and what kind of thing was found."""
        self.fault(key, code, f"expected {expected}, found {kind_of(found)}")

    def left_over(self) -> tuple[str, ...]:
        """A sentence for each key that nobody has asked for."""
        return tuple(
            f"{self.at(key)} is nothing that callpost knows; it was left out"
            for key in self._values
            if key not in self._asked
        )

    def refused(self) -> Refused | None:
        """All that is wrong with the item, None where nothing is."""
        return Refused(tuple(self.faults)) if self.faults else None

    def _is_told(self, key: str) -> bool:
        return any(fault.path == self.at(key) for fault in self.faults)


def items(document: bytes, *keys: str) -> list[Item | Refused]:
    """The objects of a list, which stands alone or under one of `keys`; else of the one object.

    Raises `MalformedDocument` where it is none of these.
    """
    whole = decoded(document)
    path, found = _listed(whole, keys)
    if isinstance(found, dict):
        return [Item(path, found)]
    return [
        Item(f"{path}[{number}]", one)
        if isinstance(one, dict)
        else _refused(f"{path}[{number}]", f"expected an object, found {kind_of(one)}")
        for number, one in enumerate(found)
    ]


def decoded(document: bytes) -> object:
    """What the JSON says; raises `MalformedDocument` where it is none."""
    if len(document) > DOCUMENT_MAX_BYTES:
        raise _malformed("too_large", f"is larger than {DOCUMENT_MAX_BYTES // MIB} MiB")
    try:
        return msgspec.json.decode(document.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _malformed("syntax", f"is not JSON: {escaped(str(error))}") from None
    except RecursionError:
        raise _malformed("syntax", "lists or objects are nested too deeply") from None


def kind_of(value: object) -> str:
    """What kind of thing a value of JSON is, for a sentence."""
    return next((name for kind, name in _KINDS if isinstance(value, kind)), "nothing")


def _listed(whole: object, keys: Sequence[str]) -> tuple[str, list[object] | dict[str, object]]:
    if isinstance(whole, list):
        return "$", whole
    if not isinstance(whole, dict):
        raise _malformed("type", f"expected a list or an object, found {kind_of(whole)}")
    for key in keys:
        match whole.get(key):
            case list(found):
                return f"$.{key}", found
            case None:
                continue
            case other:
                raise _malformed("type", f"expected a list, found {kind_of(other)}", f"$.{key}")
    return "$", whole


def _malformed(code: str, sentence: str, path: str = "$") -> MalformedDocument:
    return MalformedDocument(Fault("", path, code, sentence))


def _refused(path: str, sentence: str) -> Refused:
    return Refused((Fault("", path, "type", sentence),))


def _quoted(key: str) -> str:
    return visible(msgspec.json.encode(key[:80]).decode())
