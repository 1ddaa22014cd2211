"""Writes one table of a configuration file, in the style of the reference.

TOML's basic strings are JSON's, but that DEL is to be escaped, too (TOML 1.0, "String").
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from callpost.api.translated import Table

_BARE: Final = re.compile("[A-Za-z0-9_-]+")
_LINE_MAX_CHARS: Final = 100


def toml_table(name: str, table: Table) -> str:
    """`[[name]]` and its keys, one a line; a list that is too long for a line has more."""
    lines = [f"[[{_key(name)}]]", *(_line(_key(key), value) for key, value in table.items())]
    return "\n".join(lines) + "\n"


def _line(key: str, value: object) -> str:
    line = f"{key} = {_value(value)}"
    if len(line) <= _LINE_MAX_CHARS or not isinstance(value, list):
        return line
    return "\n".join((f"{key} = [", *(f"  {_value(one)}," for one in value), "]"))


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")
        case Mapping():
            inner = ", ".join(f"{_key(str(key))} = {_value(one)}" for key, one in value.items())
            return f"{{ {inner} }}" if inner else "{}"
        case Sequence():
            return f"[{', '.join(map(_value, value))}]"
        case _:
            raise TypeError(f"TOML has no {type(value).__name__}")


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _value(key)
