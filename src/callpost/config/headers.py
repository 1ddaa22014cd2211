"""The headers that a subscription adds to its requests, each fault with the header's own path.

What a header may be called and hold is `model/header.py`'s; a value is never quoted.
"""

from collections.abc import Callable

from msgspec import UNSET

from callpost.config.faults import Spot
from callpost.config.rules import Rule, wrong_type
from callpost.model.header import HEADERS_MAX, is_reserved, is_token, value_fault


def header_name(value: object, spot: Spot) -> object:
    """The name of a header that is free for the subscriber's own use."""
    if not isinstance(value, str):
        return wrong_type("a header's name", value, spot)
    if not is_token(value):
        return spot.report("header", "is not a valid name of a header (RFC 9110, section 5.1)")
    if is_reserved(value):
        return spot.report("header", "this header is reserved: callpost writes it itself")
    if value.lower() == "content-type":
        return spot.report("header", "is set by the key content_type")
    return value


def headers(secret_text: Callable[[object, Spot], object]) -> Rule:
    """A table of names and values; `secret_text` reads a value or the credential it names."""

    def rule(value: object, spot: Spot) -> object:
        if not isinstance(value, dict):
            return wrong_type("a table of names and values", value, spot)
        if len(value) > HEADERS_MAX:
            return spot.report("range", f"must have at most {HEADERS_MAX} headers")
        pairs: list[tuple[str, str]] = []
        seen: set[str] = set()
        for name, content in value.items():
            at = spot.key(name)
            if name.lower() in seen:
                at.report("duplicate", "the same header stands here in another case")
            seen.add(name.lower())
            read = secret_text(content, at)
            if header_name(name, at) is not UNSET and isinstance(read, str) and _is_value(read, at):
                pairs.append((name, read))
        return tuple(pairs)

    return rule


def _is_value(value: str, spot: Spot) -> bool:
    fault = value_fault(value)
    if fault is not None:
        spot.report(*fault)
    return fault is None
