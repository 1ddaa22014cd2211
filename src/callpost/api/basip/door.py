"""BAS-IP's forward rules over HTTP: the bulk upsert of a link management system, and the list.

The path of the list is that of BAS-IP's sibling lists as far as it is known, and callpost's
choice beyond that. A rule belongs to the customer that the token stands for.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Final, Literal

import trio
from msgspec import Meta, Struct
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from callpost.api.basip.bulk import (
    RULES_MAX,
    WRONG_BODY,
    Planned,
    Premise,
    Result,
    planned,
    wanted,
)
from callpost.api.basip.lists import page_of
from callpost.api.ports import CardIndex, CardsRefused, Roster, TooManyCards
from callpost.api.whose import customer_of
from callpost.model.card import Card, CardsChanged
from callpost.model.limits import MIB
from callpost.model.mask import without_plus
from callpost.model.unknown import CannotNow
from callpost.web.answer import in_json
from callpost.web.asked import read_json, read_query
from callpost.web.caller import caller_of
from callpost.web.problem import Refusal
from callpost.web.site import Language

# Some ten thousand rules.
BODY_MAX_BYTES: Final = MIB
_OF_A_FILE: Final = (
    "This number has a rule in the configuration file, which only the operator can change."
)
_OF_OTHERS: Final = "This number has a rule that was made over another API; change it there."


class _Page(Struct, frozen=True, kw_only=True):
    """Which page of the list."""

    limit: Literal[10, 20, 30, 50] = 10
    page_number: Annotated[int, Meta(ge=1, le=RULES_MAX)] = 1
    sort_field: Literal["forward_number"] = "forward_number"
    sort_type: Literal["asc", "desc"] = "asc"


def language(index: CardIndex, roster: Roster) -> Language:
    """BAS-IP's paths; each also with a slash at its end."""
    door = _Door(index, roster)
    routes = [
        Route(f"/api/v1/forward/items{path}{end}", respond, methods=[method])
        for path, respond, method in (("", door.listed, "GET"), ("/link", door.linked, "POST"))
        for end in ("", "/")
    ]
    return Language(prefix="/api/v1/forward/", routes=routes, refused=_refused)


def id_of(customer: str, number: str) -> str:
    """The id of a customer's rule for a number; there is one only."""
    return sha256(f"{customer}\0{number}".encode()).hexdigest()[:32]


class _Door:
    """Both operations."""

    def __init__(self, index: CardIndex, roster: Roster) -> None:
        self._index = index
        self._roster = roster

    async def listed(self, request: Request) -> Response:
        """A page of the rules, by their numbers."""
        customer = customer_of(request, self._index.tenancy)
        asked = read_query(request, _Page)
        is_rising = asked.sort_type == "asc"
        cards = self._index.cards("basip", customer=customer)
        rules = sorted((card.said for card in cards), key=_rank, reverse=not is_rising)
        start = (asked.page_number - 1) * asked.limit
        page = page_of(
            rules[start : start + asked.limit],
            total=len(rules),
            limit=asked.limit,
            number=asked.page_number,
            sort={
                "field": asked.sort_field,
                "asc": is_rising,
                "available_fields": [asked.sort_field],
            },
        )
        return in_json(page)

    async def linked(self, request: Request) -> Response:
        """Put in, change and take away rules."""
        if not caller_of(request).may_change:
            raise Refusal(403, "Access denied")
        customer = customer_of(request, self._index.tenancy)
        sent = await _sent(request)
        # In a thread: tens of thousands of items take a while.
        items = await trio.to_thread.run_sync(wanted, sent)
        taken = await self._taken(customer)
        plans: list[Planned] = []

        def decide() -> CardsChanged:
            plans.append(planned(items, self._premise(request, customer, taken)))
            return plans[-1].changed

        try:
            await self._index.change(decide)
        except (CardsRefused, TooManyCards) as fault:
            # What was taken by others, or whose customers there are, has changed since then.
            raise Refusal(503, f"Nothing was changed; please try again. {fault}") from None
        except CannotNow as fault:
            raise Refusal(503, str(fault)) from None
        results: tuple[Result, ...] = plans[-1].results
        return in_json({"result": results})

    def _premise(self, request: Request, customer: str, taken: Mapping[str, str]) -> Premise:
        index = self._index

        def made(number: str, said: dict[str, object], before: Card | None) -> Card:
            now, trusted = index.now(), caller_of(request).trusted
            if before is None:
                return Card(
                    dialect="basip",
                    id=id_of(customer, number),
                    customer=customer,
                    trusted=trusted,
                    said=said,
                    created_at=now,
                    modified_at=now,
                )
            revision = before.revision + 1
            return replace(before, trusted=trusted, said=said, modified_at=now, revision=revision)

        return Premise(
            held=lambda number: index.card("basip", id_of(customer, number)),
            made=made,
            taken=taken,
            room=RULES_MAX - len(index.cards("basip", customer=customer)),
        )

    async def _taken(self, customer: str) -> dict[str, str]:
        """The numbers of this customer that have a rule of somebody else's making."""
        return {
            without_plus(str(rule.table["number"])): _OF_A_FILE
            if rule.origin == "file"
            else _OF_OTHERS
            for rule in await self._roster.forwards()
            if rule.customer == customer and rule.origin != "basip"
        }


async def _sent(request: Request) -> object:
    try:
        return await read_json(request, most_bytes=BODY_MAX_BYTES)
    except Refusal as refusal:
        if refusal.status == 400:
            raise Refusal(400, WRONG_BODY) from None
        raise


def _rank(said: Mapping[str, object]) -> tuple[int, int, str]:
    """Numbers by their value, then all that is none."""
    number = str(said["forward_number"])
    return (0, int(number), number) if number.isdigit() else (1, 0, number)


def _refused(refusal: Refusal) -> Response:
    sentence = "Log In" if refusal.status == 401 else refusal.detail
    return in_json({"error": sentence}, refusal.status, refusal.headers)
