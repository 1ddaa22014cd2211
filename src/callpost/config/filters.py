"""Which events a subscription wants: kinds, directions, masks, patterns.

An empty list does not restrict, as a key that is left out does not.
"""

from collections.abc import Callable
from typing import Final, get_args

from callpost.config.faults import Spot
from callpost.config.rules import (
    Rule,
    Rules,
    choice,
    fields_choice,
    holder_name,
    list_of,
    name_text,
)
from callpost.model.mask import EXTENSION_MASK_PREFIX, dtmf_pattern_fault, number_mask_fault
from callpost.model.subscription import Filter
from callpost.model.vocabulary import (
    DIRECTIONS,
    DIRECTIONS_OF,
    FLOWS,
    KINDS,
    KINDS_OF,
    Cause,
    ExtensionType,
    Kind,
    Selection,
    Vocabulary,
)

_MASK_MAX_CHARS: Final = 255
# A flow and a direction that no call has at once.
_OPPOSITES: Final = {
    (frozenset({"in"}), frozenset({"out"})),
    (frozenset({"out"}), frozenset({"in"})),
}


def _masked(fault: Callable[[str], str | None], code: str) -> Rule:
    as_text = name_text(least=1, most=_MASK_MAX_CHARS)

    def rule(value: object, spot: Spot) -> object:
        read = as_text(value, spot)
        sentence = fault(read) if isinstance(read, str) else None
        return read if sentence is None else spot.report(code, sentence.removesuffix("."))

    return rule


def _extension_fault(entry: str) -> str | None:
    """An extension may itself hold `*` (VoipNow's notation); only behind `mask:` it is a mask."""
    if not entry.startswith(EXTENSION_MASK_PREFIX):
        return None
    return number_mask_fault(entry.removeprefix(EXTENSION_MASK_PREFIX))


FILTER: Final[Rules] = {
    "selection": fields_choice(get_args(Selection), "selection"),
    "events": list_of(choice(KINDS)),
    "direction": list_of(choice(DIRECTIONS)),
    "flow": list_of(choice(FLOWS)),
    "customer": holder_name(most=255),
    "caller": list_of(_masked(number_mask_fault, "mask")),
    "called": list_of(_masked(number_mask_fault, "mask")),
    "extension": list_of(_masked(_extension_fault, "mask")),
    "extension_type": list_of(choice(get_args(ExtensionType))),
    "dtmf": list_of(_masked(dtmf_pattern_fault, "pattern")),
    "cause": list_of(choice(get_args(Cause))),
}


def matching_kinds(wanted: Filter, vocabulary: Vocabulary) -> frozenset[Kind]:
    """The kinds of events that can pass the filter."""
    kinds = wanted.events or KINDS_OF[vocabulary]
    return kinds & {"dtmf"} if wanted.dtmf else kinds


def check_filter(wanted: Filter, vocabulary: Vocabulary, spot: Spot) -> None:
    """What no single key shows: words outside the vocabulary, filters that nothing can pass."""
    kinds = KINDS_OF[vocabulary]
    for kind in sorted(wanted.events - kinds):
        spot.key("events").report("vocabulary", f"the vocabulary {vocabulary} has no {kind}")
    for direction in sorted(wanted.direction - DIRECTIONS_OF[vocabulary]):
        sentence = f"the vocabulary {vocabulary} has no direction {direction}"
        spot.key("direction").report("vocabulary", sentence)
    if sentence := _flow_fault(wanted, vocabulary):
        spot.key("flow").report("senseless", sentence)
    events = wanted.events or kinds
    if wanted.dtmf and "dtmf" not in events:
        sentence = "patterns on digits match dtmf events only, and these are not among the events"
        spot.key("dtmf").report("senseless", sentence)
    elif wanted.dtmf and wanted.events != {"dtmf"} and wanted.events:
        sentence = "with patterns on digits only dtmf events match, so no other can be named"
        spot.key("events").report("senseless", sentence)
    if wanted.cause and not matching_kinds(wanted, vocabulary) & {"hangup", "cdr"}:
        sentence = "filters hangup and cdr only, and neither is among the events"
        spot.key("cause").report("senseless", sentence)


def _flow_fault(wanted: Filter, vocabulary: Vocabulary) -> str:
    """Why the flow has nobody to be seen by, or nothing to let through; "" where it has."""
    if not wanted.flow:
        return ""
    if vocabulary != "voipnow":
        return f"is of the vocabulary voipnow, which sees a call from its ends, not of {vocabulary}"
    if not wanted.viewed_from:
        return "is seen from an extension, so extension needs one that is not a mask"
    if (wanted.flow, wanted.direction) in _OPPOSITES:
        return "lets no call through that has the direction wanted"
    return ""
