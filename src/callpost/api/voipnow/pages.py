"""A page of a list: which events, which of their fields, and where the next ones are.

From wiki.4psa.com, "List PhoneCallEvents" and "Getting Started" (Pagination). What VoipNow does
not know in a query is passed over.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal
from urllib.parse import urlencode

from msgspec import Struct

from callpost.api.voipnow.answers import FIELDS
from callpost.api.voipnow.refusals import Invalid

_SortOrder = Literal["", "ascending", "descending"]
_Resource = Mapping[str, object]

COUNT_DEFAULT: Final = 20
_MOST: Final = 5_000
# One is an object, so that nothing can equal it.
_FILTERED: Final = frozenset(FIELDS) - {"links"}


class Query(Struct, frozen=True, kw_only=True):
    """`fields` () are all of them; without `filter_by` all events are meant."""

    count: int = COUNT_DEFAULT
    start_index: int = 0
    fields: tuple[str, ...] = ()
    filter_by: str = ""
    filter_value: str = ""
    sort_order: _SortOrder = ""


def read_query(asked: Mapping[str, str]) -> Query:
    """The query's parameters, a blank one is as good as absent; raises Invalid."""
    fields = tuple(asked["fields"].split(",")) if asked.get("fields") else ()
    if not frozenset(FIELDS).issuperset(fields):
        raise Invalid("fields_invalid", f"fields: expected some of {', '.join(FIELDS)}")
    return Query(
        count=_whole(asked, "count", "count_invalid", least=1, default=COUNT_DEFAULT),
        start_index=_whole(asked, "startIndex", "startindex_invalid", least=0, default=0),
        fields=fields,
        filter_by=_filter_by(asked),
        filter_value=asked.get("filterValue", ""),
        sort_order=_sort_order(asked),
    )


def page(resources: Sequence[_Resource], query: Query, *, url: str) -> dict[str, object]:
    """The collection; `url` is that of the list, without a query.

    Links to the pages beside it are there only where those have something.
    """
    wanted = [one for one in resources if _is_wanted(one, query)]
    if query.sort_order:
        descending = query.sort_order == "descending"
        wanted.sort(key=lambda one: str(one["url"]), reverse=descending)
    end = query.start_index + query.count
    shown = wanted[query.start_index : end]
    fields = query.fields or FIELDS
    collection: dict[str, object] = {
        "entry": [{field: one[field] for field in FIELDS if field in fields} for one in shown]
    }
    links: dict[str, str] = {}
    if end < len(wanted):
        links["next"] = _link(url, query, end)
    if query.start_index > 0:
        links["prev"] = _link(url, query, max(0, query.start_index - query.count))
    return {**collection, "links": links} if links else collection


def _whole(asked: Mapping[str, str], key: str, code: str, *, least: int, default: int) -> int:
    text = asked.get(key) or str(default)
    # As many digits as the largest one has, so that nobody makes us read a million of them.
    if text.isascii() and text.isdigit() and len(text) <= len(str(_MOST)):
        value = int(text)
        if least <= value <= _MOST:
            return value
    raise Invalid(code, f"{key}: expected a whole number from {least} to {_MOST}")


def _filter_by(asked: Mapping[str, str]) -> str:
    key = asked.get("filterBy", "")
    if key and key not in _FILTERED:
        known = ", ".join(field for field in FIELDS if field in _FILTERED)
        raise Invalid("filterby_invalid", f"filterBy: expected one of {known}")
    if key and "filterValue" not in asked:
        raise Invalid("filtervalue_invalid", "filterValue: is required with filterBy")
    return key


def _sort_order(asked: Mapping[str, str]) -> _SortOrder:
    match asked.get("sortOrder", ""):
        case "" | "ascending" | "descending" as known:
            return known
        case _:
            raise Invalid("sortorder_invalid", "sortOrder: expected ascending or descending")


def _is_wanted(one: _Resource, query: Query) -> bool:
    return not query.filter_by or one[query.filter_by] == query.filter_value


def _link(url: str, query: Query, start_index: int) -> str:
    parameters: dict[str, object] = {"startIndex": start_index, "count": query.count}
    if query.fields:
        parameters["fields"] = ",".join(query.fields)
    if query.filter_by:
        parameters |= {"filterBy": query.filter_by, "filterValue": query.filter_value}
    if query.sort_order:
        parameters["sortOrder"] = query.sort_order
    return f"{url}?{urlencode(parameters, safe=',')}"
