"""BAS-IP forward rules: items `{link_id, forward_number, forward_entity_list}` of `list_items`.

From developers.bas-ip.com, "Create/Update multiple call forward rules with link_id". Its own
patterns refuse `sip:192.168.1.250:5060` and hosts of one label and let `sip:1:5060.2.3.4` pass;
here an address is an address, and every host may have one label, and a port.
"""

import re
from collections.abc import Sequence
from ipaddress import AddressValueError, IPv4Address
from typing import Final

import msgspec
from msgspec.structs import replace

from callpost.api.document import Item, decoded, items
from callpost.api.translated import Exported, Refused, Table, Translated
from callpost.api.unsaid import texts
from callpost.model.forward import LINK_ID_MAX, TARGETS_MAX

_NUMBER: Final = re.compile(r"(?:(?:laskomex|vizit):)?[0-9]{1,200}")
_SIP: Final = re.compile(
    r"sip:(?:[0-9A-Za-z+_.!~*'()%-]{1,128}@)?([0-9A-Za-z_.-]{1,120})(?::([0-9]{1,5}))?"
)
_LABEL: Final = re.compile(r"[0-9A-Za-z_](?:[0-9A-Za-z_-]{0,61}[0-9A-Za-z_])?")
# An integer of JSON that every reader keeps exact.
_WHOLE_MAX: Final = 2**53 - 1
_NOT_A_NUMBER: Final = "expected digits, laskomex:, vizit: or a SIP URI such as sip:bob@pbx.example"


def read(document: bytes, *, of: str = "") -> tuple[Translated | Refused, ...]:
    """The rules of a list answer; of several for one number the last one counts."""
    del of  # a rule belongs to no extension
    found = [
        _translated(item) if isinstance(item, Item) else item
        for item in items(document, "list_items")
    ]
    last = {one.table["number"]: one for one in found if isinstance(one, Translated)}
    missing = _missing_pages(document)
    kept: list[Translated | Refused] = []
    for one in found:
        if isinstance(one, Refused):
            kept.append(one)
        elif last[one.table["number"]] is one:
            kept.append(replace(one, lost=one.lost + missing))
            missing = ()
    return tuple(kept)


def written(tables: Sequence[Table]) -> Exported:
    """The list answer with these rules, all on one page."""
    lost: list[str] = []
    rules: list[dict[str, object]] = []
    for table in tables:
        number, targets = str(table["number"]), texts(table["to"])
        if strange := [one for one in (number, *targets) if not is_entity(one)]:
            lost.append(f"forward {number}: BAS-IP has no word for {strange[0]}; it was left out")
            continue
        if table.get("customer"):
            lost.append(f"forward {number}: BAS-IP has no word for customer")
        rules.append(item_of(table))
    whole = page_of(rules, total=len(rules), limit=len(rules), number=1)
    return Exported(msgspec.json.encode(whole), tuple(lost))


def item_of(table: Table) -> dict[str, object]:
    """The item that tells of a rule."""
    link = {"link_id": table["link_id"]} if "link_id" in table else {}
    number, targets = _shortest(str(table["number"])), texts(table["to"])
    return {**link, "forward_number": number, "forward_entity_list": list(targets)}


def rule_of(item: Item) -> Table:
    """What an item wants; its faults are in the item."""
    link_id = link_of(item)
    link: Table = {} if link_id is None else {"link_id": link_id}
    return {"number": number_of(item), "to": _targets(item), **link}


def link_of(item: Item) -> int | None:
    """What a link management system knows an item by."""
    return item.whole("link_id", code="link_id", least=-LINK_ID_MAX, most=LINK_ID_MAX)


def number_of(item: Item) -> str:
    """Whose calls an item is about, "" where that is at fault."""
    number = _entity(item.value("forward_number"))
    if number is None:
        item.fault("forward_number", "forward_number", _NOT_A_NUMBER)
    return number or ""


def page_of(
    rules: Sequence[object], *, total: int, limit: int, number: int, **options: object
) -> dict[str, object]:
    """A list answer: one page, with `limit` rules at most, of all that there are.

    The other options stand beside its place among the pages.
    """
    pagination = {
        "total_items": total,
        "items_limit": limit,
        "total_pages": max(1, -(-total // max(1, limit))),
        "current_page": number,
    }
    return {"list_items": rules, "list_option": {"pagination": pagination, **options}}


def is_entity(text: str) -> bool:
    """Whether BAS-IP could mean somebody by it."""
    if _NUMBER.fullmatch(text):
        return True
    match = _SIP.fullmatch(text)
    return match is not None and _is_host(match[1]) and _is_port(match[2])


def _translated(item: Item) -> Translated | Refused:
    table = rule_of(item)
    lost = item.left_over()
    refused = item.refused()
    return refused or Translated(paths=(item.path,), table=table, lost=lost, kind="forward")


def _targets(item: Item) -> list[str]:
    listed = item.value("forward_entity_list")
    if not isinstance(listed, list):
        item.wrong_type("forward_entity_list", "forward_entity_list", "a list", listed)
        return []
    if not 1 <= len(listed) <= TARGETS_MAX:
        sentence = f"expected 1 to {TARGETS_MAX} entities, found {len(listed)}"
        item.fault("forward_entity_list", "forward_entity_list", sentence)
    targets: dict[str, None] = {}
    for number, one in enumerate(listed):
        if (target := _entity(one)) is None:
            item.fault_in("forward_entity_list", number, "forward_entity_list", _NOT_A_NUMBER)
        else:
            targets[target] = None
    return list(targets)


def _entity(value: object) -> str | None:
    """A number or a text for somebody; None for anything else."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        value = str(value) if value <= _WHOLE_MAX else ""
    return value if isinstance(value, str) and is_entity(value) else None


def _is_host(text: str) -> bool:
    """What ends in digits is an IPv4 address, anything else a name."""
    labels = text.split(".")
    if not labels[-1].isdigit():
        return all(map(_LABEL.fullmatch, labels))
    try:
        IPv4Address(text)
    except AddressValueError:
        return False
    return True


def _is_port(text: str | None) -> bool:
    return text is None or 1 <= int(text) <= 65_535


def _shortest(number: str) -> int | str:
    """As BAS-IP writes it: digits as a whole number, where no zero in front gets lost."""
    is_whole = number.isdigit() and str(int(number)) == number and int(number) <= _WHOLE_MAX
    return int(number) if is_whole else number


def _missing_pages(document: bytes) -> tuple[str, ...]:
    """A sentence where the answer is one page of several."""
    match decoded(document):
        case {"list_option": {"pagination": {"total_pages": int(pages)}}} if pages > 1:
            return (f"the list has {pages} pages, and this is one of them",)
        case _:
            return ()
