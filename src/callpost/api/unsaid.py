"""What another system cannot say of a subscription: a sentence for each key without a word there.

A key that says no more than its default is not worth a sentence.
"""

from collections.abc import Collection, Iterator
from typing import Final

from callpost.api.translated import Table
from callpost.model.disclosure import MASK
from callpost.model.userinfo import masked_url

# What a subscription is without the key; see `callpost.toml`.
_DEFAULTS: Final[Table] = {
    "enabled": True,
    "note": "",
    "customer": "",
    "selection": "ALL",
    "vocabulary": "callpost",
    "level": 2,
    "content_type": "",
    "number_format": "received",
    "stale": "deliver",
    "after_gap": "continue",
    "retry": "live",
    "order": "call",
    "rate_per_s": 0,
    "concurrency": 8,
    "connect_timeout_s": 3,
    "first_byte_timeout_s": 10,
    "timeout_s": 15,
    "http2": False,
    "proxy": "",
    "http_client": "own",
    "frame": "lf",
    "envelope": False,
    "ack": False,
}
# An empty list or table restricts nothing and adds nothing.
_EMPTY: Final[tuple[object, ...]] = ([], {})


def unsaid(table: Table, *, system: str, said: Collection[str]) -> Iterator[str]:
    """One sentence for each key that is neither in `said` nor without effect."""
    for key, value in table.items():
        if key in said or key in {"name", "preset"} or value in _EMPTY:
            continue
        if key not in _DEFAULTS or value != _DEFAULTS[key]:
            yield f"{name_of(table)}: {system} has no word for {key}"


def hidden_in_url(table: Table) -> Iterator[str]:
    """A sentence where the URL has a secret, which no list shows."""
    url = str(table["url"])
    if masked_url(url) != url:
        yield f"{name_of(table)}: the secret in its URL was written as {MASK}"


def name_of(table: Table) -> str:
    """The subscription's name, for a sentence."""
    return str(table.get("name", "a subscription"))


def texts(value: object) -> tuple[str, ...]:
    """The texts of a list, in order; nothing where it is none."""
    return tuple(map(str, value)) if isinstance(value, list | tuple) else ()
