"""A bulk upsert: its items worked through in order, and a result for each of them.

A body of another shape is refused as a whole; a value that cannot be meant is the fault of its
item alone. Pure: what is to be written down comes out, and nothing is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from callpost.api.basip.lists import item_of, link_of, number_of, rule_of
from callpost.api.document import Item
from callpost.model.card import Card, CardsChanged
from callpost.web.problem import Refusal

WRONG_BODY: Final = "Wrong JSON body"
# A city's doors; each rule costs a daemon some 2 KiB.
RULES_MAX: Final = 10_000
_FULL: Final = f"A customer may have at most {RULES_MAX:,} rules."


class Wanted(Struct, frozen=True, kw_only=True):
    """One item: `said` is to be kept for this number, None takes its rule away.

    `fault` says why neither can be done.
    """

    link_id: int | None
    number: str
    said: dict[str, object] | None = None
    fault: str = ""


class Result(Struct, frozen=True):
    """What has become of an item, in BAS-IP's words; what failed may have a sentence instead."""

    link_id: int | None
    success: bool
    extended_info: str


class Planned(Struct, frozen=True):
    """What is to be written down, and a result for each item once it is."""

    changed: CardsChanged
    results: tuple[Result, ...]


class Premise(Struct, frozen=True, kw_only=True):
    """What there is before: the card `held` for a number, and `room` for so many more.

    `taken` has a sentence for each number that has a rule of somebody else's making. `made` is
    the card that says so for a number, after the one that it follows.
    """

    held: Callable[[str], Card | None]
    made: Callable[[str, dict[str, object], Card | None], Card]
    taken: Mapping[str, str]
    room: int


def wanted(sent: object) -> tuple[Wanted, ...]:
    """The items of a body; raises the refusal (400) of one that has another shape."""
    if not isinstance(sent, dict):
        raise Refusal(400, WRONG_BODY)
    listed = sent.get("list_items")
    if listed is None:
        raise _no_value("list_items")
    if not isinstance(listed, list):
        raise _wrong_type("list_items")
    return tuple(map(_wanted, listed))


def planned(items: Sequence[Wanted], premise: Premise) -> Planned:
    """What the items do one after the other."""
    after: dict[str, Card | None] = {}
    room = premise.room
    results: list[Result] = []
    for item in items:
        before = after[item.number] if item.number in after else premise.held(item.number)
        if fault := _fault(item, before, premise.taken, room):
            results.append(Result(item.link_id, success=False, extended_info=fault))
            continue
        said = item.said
        after[item.number] = None if said is None else premise.made(item.number, said, before)
        info = "deleted" if said is None else "created" if before is None else "updated"
        room += {"deleted": 1, "created": -1, "updated": 0}[info]
        results.append(Result(item.link_id, success=True, extended_info=info))
    return Planned(_changed(after, premise.held), tuple(results))


def _fault(item: Wanted, before: Card | None, taken: Mapping[str, str], room: int) -> str:
    """Why an item cannot be done; its own rule may always be taken away."""
    if item.fault:
        return item.fault
    if item.said is None:
        return "" if before is not None else "entity_not_found"
    if item.number in taken:
        return taken[item.number]
    return _FULL if before is None and room <= 0 else ""


def _changed(after: Mapping[str, Card | None], held: Callable[[str], Card | None]) -> CardsChanged:
    """The difference; what says the same as before need not be written again."""
    put: list[Card] = []
    taken: list[Card] = []
    for number, card in after.items():
        before = held(number)
        if card is None:
            taken += [] if before is None else [before]
        elif before is None or before.said != card.said:
            put.append(card)
    return CardsChanged(put=tuple(put), taken=tuple(taken))


def _wanted(listed: object) -> Wanted:
    if not isinstance(listed, dict):
        raise _wrong_type("list_items")
    for key in _misshapen(listed):
        raise _wrong_type(key)
    if listed.get("forward_number") is None:
        raise _no_value("forward_number")
    item = Item("$", listed)
    said = item_of(rule_of(item)) if listed.get("forward_entity_list") else None
    link_id, number = link_of(item), number_of(item)
    fault = ""
    if item.faults:
        first = item.faults[0]
        fault = f"{first.path.removeprefix('$.')}: {first.sentence}"
    return Wanted(link_id=link_id, number=number, said=None if fault else said, fault=fault)


def _misshapen(item: Mapping[str, object]) -> Iterator[str]:
    """The fields whose values are of another type than BAS-IP's."""
    link_id, number = item.get("link_id"), item.get("forward_number")
    is_digits = isinstance(link_id, str) and link_id.isascii() and link_id.isdigit()
    if not (link_id is None or is_digits or _is_whole(link_id)):
        yield "link_id"
    if not (number is None or isinstance(number, str) or _is_whole(number)):
        yield "forward_number"
    match item.get("forward_entity_list"):
        case None:
            pass
        case list(entities) if all(isinstance(one, str) or _is_whole(one) for one in entities):
            pass
        case _:
            yield "forward_entity_list"


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _no_value(param: str) -> Refusal:
    return Refusal(400, f"{WRONG_BODY}: no value for `{param}`")


def _wrong_type(param: str) -> Refusal:
    return Refusal(400, f"{WRONG_BODY}: value `{param}` was of the wrong type")
