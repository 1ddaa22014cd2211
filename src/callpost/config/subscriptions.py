"""`[[subscription]]`: every key, and the complete Subscription that a table of them becomes.

The walk never stops at a fault, so that one check shows all of them; a table with any fault
becomes no subscription.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, get_args

from msgspec import Struct

from callpost.config.compose import check_wanted, compose
from callpost.config.credentials import body_signature, signing_keys
from callpost.config.documents import Document
from callpost.config.doors import DOOR, other_door
from callpost.config.faults import Fault, Lookups, Spot
from callpost.config.filters import FILTER
from callpost.config.presets import Preset, read_presets
from callpost.config.reports import delivery_report
from callpost.config.retries import ages, rate, responses, retry
from callpost.config.rules import (
    Rules,
    choice,
    flag,
    list_of,
    quoted,
    read_table,
    text,
    wrong_type,
)
from callpost.config.tables import tables_of
from callpost.config.top import (
    CONCURRENCY,
    CONNECT_TIMEOUT,
    FIRST_BYTE_TIMEOUT,
    WHOLE_TIMEOUT,
    Delivery,
)
from callpost.config.written import Written
from callpost.model.card import NAME_PREFIXES
from callpost.model.numbers import NumberFormat
from callpost.model.spelling import did_you_mean
from callpost.model.subscription import AfterGap, Order, Stale, Subscription
from callpost.model.tailor import NEVER_OMITTED, OMITTABLE
from callpost.model.vocabulary import Vocabulary

_NAME: Final = re.compile(r"[a-z0-9_.-]{1,64}")


def _omitted(value: object, spot: Spot) -> object:
    """A field that a subscriber may do without."""
    if isinstance(value, str) and value in NEVER_OMITTED:
        return spot.report("choice", f"{value} is always sent: without it an event is none")
    return choice(tuple(OMITTABLE))(value, spot)


_SHARED_KEYS: Final[Rules] = {
    **DOOR,
    **FILTER,
    "vocabulary": choice(get_args(Vocabulary)),
    "enabled": flag,
    "note": text(most=1_024),
    "secrets": signing_keys,
    "body_signature": body_signature,
    "fallback": list_of(other_door, most=16),
    "status_callback": other_door,
    "delivery_report": delivery_report,
    "retry": retry,
    "max_age_s": ages,
    "stale": choice(get_args(Stale)),
    "after_gap": choice(get_args(AfterGap)),
    "responses": responses,
    "order": choice(get_args(Order)),
    "rate_per_s": rate,
    "omit": list_of(_omitted, most=len(OMITTABLE)),
    "number_format": choice(get_args(NumberFormat)),
    "concurrency": CONCURRENCY,
    "connect_timeout_s": CONNECT_TIMEOUT,
    "first_byte_timeout_s": FIRST_BYTE_TIMEOUT,
    "timeout_s": WHOLE_TIMEOUT,
}


def subscription_name(value: object, spot: Spot) -> object:
    """The name under which deliveries queue."""
    if not isinstance(value, str):
        return wrong_type("a text", value, spot)
    if not _NAME.fullmatch(value):
        return spot.report("name", "expected 1 to 64 characters of a-z 0-9 - . and _")
    return value


def _not_in_a_preset(_value: object, spot: Spot) -> object:
    return spot.report("senseless", "a preset cannot set this; it belongs to a subscription")


SUBSCRIPTION: Final[Rules] = {**_SHARED_KEYS, "name": subscription_name, "preset": text()}
PRESET: Final[Rules] = {**_SHARED_KEYS, "name": _not_in_a_preset, "preset": _not_in_a_preset}


class Placed(Struct, frozen=True):
    """A subscription and the file that it stands in."""

    file: str
    subscription: Subscription


def read_subscriptions(
    documents: Sequence[Document], delivery: Delivery, faults: list[Fault], lookups: Lookups
) -> list[Placed]:
    """The subscriptions of all files in their order; names are unique over all of them."""
    presets = read_presets(documents, PRESET, faults, lookups)
    placed: list[Placed] = []
    first: dict[str, str] = {}
    for item, table in tables_of(documents, "subscription", faults, lookups):
        file, name = item.file, _known_name(table, item)
        everyone = Spot(file=file, path="subscription", faults=faults, lookups=lookups)
        spot = everyone.key(name) if name else item
        if name in first:
            spot.key("name").report("duplicate", f"this name is already used in {first[name]}")
        elif name:
            first[name] = file
        if name.startswith(NAME_PREFIXES):
            prefix = name.partition(".")[0]
            sentence = f"names that begin with {prefix}. are for what is made over the API"
            spot.key("name").report("reserved", sentence)
        subscription = subscription_of(name, table, presets, delivery, spot)
        if subscription is not None:
            placed.append(Placed(file, subscription))
    return placed


def subscription_of(
    name: str,
    table: Mapping[str, object],
    presets: Mapping[str, Preset],
    delivery: Delivery,
    spot: Spot,
    *,
    strict: bool = False,
) -> Subscription | None:
    """What one table becomes, `strict` where a stranger's; not to be used where it has faults."""
    written = _written(table, presets, delivery, spot)
    check_wanted(written, spot)
    return compose(name, written, spot, strict=strict) if "url" in written.values else None


def _known_name(table: Mapping[str, object], spot: Spot) -> str:
    """The name, or "" where it is missing or faulty, which is reported."""
    if "name" not in table:
        spot.key("name").report("missing", "is required")
        return ""
    name = subscription_name(table["name"], spot.key("name"))
    return name if isinstance(name, str) else ""


def _written(
    table: Mapping[str, object], presets: Mapping[str, Preset], delivery: Delivery, spot: Spot
) -> Written:
    """Defaults, then the preset, then the subscription's own keys."""
    own = read_table({key: table[key] for key in table if key != "name"}, SUBSCRIPTION, spot)
    name = str(own.pop("preset", ""))
    preset = presets.get(name, Preset({}))
    if name and name not in presets:
        sentence = f"there is no preset {quoted(name)}{did_you_mean(name, presets)}"
        spot.key("preset").report("preset", sentence)
    if "url" not in table and "url" not in preset.values:
        spot.key("url").report("missing", "is required")
    return Written(
        values={**_defaults(delivery), **preset.values, **own},
        preset=name,
        from_preset=frozenset(preset.values) - frozenset(table),
        preset_is_built_in=preset.built_in,
    )


def _defaults(delivery: Delivery) -> dict[str, object]:
    """What `[delivery]` gives to every subscription."""
    return {
        "concurrency": delivery.concurrency,
        "connect_timeout_s": delivery.connect_timeout_s,
        "first_byte_timeout_s": delivery.first_byte_timeout_s,
        "timeout_s": delivery.timeout_s,
    }
