"""Where the state of a configuration may lie that cannot be read, or not all of it."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Final

from callpost.config.faults import Source
from callpost.config.top import Top

# As long as it is written in one line before the first table, it is found where TOML fails.
_LINE: Final = re.compile(rb"""^\s*state_directory\s*=\s*["']([^"'\\\n]+)["']""", re.MULTILINE)
_FIRST_TABLE: Final = re.compile(rb"^\s*\[", re.MULTILINE)


def state_directories(sources: Sequence[Source], environment: Mapping[str, str]) -> list[str]:
    """The state directories that these files may mean, the most likely one first."""
    written = [found for source in sources if (found := _written(source.text))]
    named = environment.get("STATE_DIRECTORY", "").partition(":")[0]
    places = [*written, named, Top().state_directory]
    return list(dict.fromkeys(place for place in places if place.startswith("/")))


def _written(text: bytes) -> str:
    try:
        found = tomllib.loads(text.decode("utf-8-sig")).get("state_directory")
    except (ValueError, RecursionError):
        table = _FIRST_TABLE.search(text)
        line = _LINE.search(text, 0, table.start() if table else len(text))
        return line.group(1).decode("utf-8", "replace") if line else ""
    return found if isinstance(found, str) else ""
