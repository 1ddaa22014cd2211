"""Forward rules, wherever they are from; those of a file are read here only.

So are those of BAS-IP clients, unless they are left out: then an admin can take them away.
A rule is written whole: it has three keys.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from msgspec import Struct

from callpost.api.making import changed, put_in
from callpost.api.own.cards import new_rule
from callpost.api.own.changing import change, check_stays, customer_of, not_ours
from callpost.api.own.conditions import (
    ETAG,
    IF_MATCH,
    IF_NONE_MATCH,
    check_unchanged,
    is_known,
)
from callpost.api.own.documents import (
    Document,
    etag_of,
    id_of,
    listed_of,
    rule_document,
    sees,
    table_of,
)
from callpost.api.own.examples import FORWARD_ANSWER, FORWARD_SENT, FORWARDS_ANSWER
from callpost.api.own.pages import Cursor, Customer, Limit, page_of
from callpost.api.own.schema import FORWARD, FORWARDS, NEW_FORWARD
from callpost.api.own.taking import check_stranded, check_takeable
from callpost.api.ports import CardIndex, Listed, Roster
from callpost.model.caller import Caller
from callpost.model.card import Card, CardsChanged
from callpost.web.asked import JSON_TYPE, Asked, Sent, object_of
from callpost.web.fields import Nothing
from callpost.web.operation import (
    Accepted,
    Answer,
    Operation,
    Shown,
    operation,
    operation_on,
)
from callpost.web.problem import Refusal

_RULE: Final = Accepted(types={JSON_TYPE: NEW_FORWARD}, is_required=True)
_AT: Final = "/v1/forwards/{id}"
_NONE: Final = "There is no forward rule with this id."
_IS_NEW: Final[Mapping[str, str]] = {**ETAG, "Location": "Where it is"}
_MAKING: Final = Shown(
    "Make a forward rule",
    FORWARD_SENT,
    FORWARD_ANSWER,
    statuses=(201,),
    problems=(409,),
    headers=_IS_NEW,
)
_REPLACING: Final = Shown(
    "Replace a forward rule",
    FORWARD_SENT,
    FORWARD_ANSWER,
    problems=(404, 409, 412),
    headers=ETAG,
    conditions=IF_MATCH,
)
_TAKING: Final = Shown(
    "Take a forward rule away. Of a dialect: by an admin, if left out",
    statuses=(),
    bare=(204,),
    problems=(404, 409, 412),
    conditions=IF_MATCH,
)


class ForwardsQuery(Struct, frozen=True):
    """Which rules."""

    customer: Customer = ""
    limit: Limit = 100
    cursor: Cursor = ""


def forwards(index: CardIndex, roster: Roster) -> Iterator[Operation]:
    """List them, look at one, make, replace and take away."""
    rules = _Rules(index, roster)
    yield from _reading(rules)
    yield operation_on(
        _RULE,
        "POST",
        "/v1/forwards",
        rules.make,
        query=Nothing,
        returns=FORWARD,
        shown=_MAKING,
    )
    yield operation_on(
        _RULE,
        "PUT",
        _AT,
        rules.replace,
        query=Nothing,
        returns=FORWARD,
        shown=_REPLACING,
    )
    yield operation(
        "DELETE",
        _AT,
        rules.take_away,
        query=Nothing,
        body=Nothing,
        returns=None,
        shown=_TAKING,
    )


def _reading(rules: "_Rules") -> Iterator[Operation]:
    yield operation(
        "GET",
        "/v1/forwards",
        rules.every,
        query=ForwardsQuery,
        body=Nothing,
        returns=FORWARDS,
        shown=Shown("Forward rules, by customer and number", answer=FORWARDS_ANSWER),
    )
    yield operation(
        "GET",
        _AT,
        rules.one,
        query=Nothing,
        body=Nothing,
        returns=FORWARD,
        shown=Shown(
            "One forward rule",
            answer=FORWARD_ANSWER,
            bare=(304,),
            problems=(404,),
            headers=ETAG,
            conditions=IF_NONE_MATCH,
        ),
    )


class _Rules:
    """What the operations do; a rule of somebody else's is not there."""

    def __init__(self, index: CardIndex, roster: Roster) -> None:
        self._index = index
        self._roster = roster

    async def every(self, asked: Asked[ForwardsQuery, Nothing]) -> Document:
        """A page of them."""
        query = asked.query
        seen = [
            one for one in await self._seen_by(asked.caller) if query.customer in {"", one.customer}
        ]
        page = page_of(
            seen,
            lambda one: (one.customer, str(one.table.get("number", "")), id_of(one)),
            listing="forwards",
            limit=query.limit,
            cursor=query.cursor,
        )
        documents = [rule_document(one) for one in page.items]
        return {"forwards": documents, "total": page.total, "next": page.next}

    async def one(self, asked: Asked[Nothing, Nothing]) -> Answer:
        """One of them."""
        answer = _answer(await self._one(asked.caller, asked.path["id"]))
        if answer.headers and is_known(asked.headers, answer.headers["ETag"]):
            return Answer(304, None, answer.headers)
        return answer

    async def make(self, asked: Asked[Nothing, Sent]) -> Answer:
        """A new one."""
        document = object_of(asked.body)
        customer = customer_of(asked.caller, document)
        said = table_of(document)
        card = await put_in(
            partial(change, self._index),
            lambda: new_rule(self._index, asked.caller, customer=customer, said=said),
        )
        return _answer(listed_of(card), 201, Location=f"/v1/forwards/{card.id}")

    async def replace(self, asked: Asked[Nothing, Sent]) -> Answer:
        """All of it but its customer."""
        document = object_of(asked.body)
        await self._check_ours(asked)

        def after() -> Card:
            card = self._card(asked)
            check_stays(document, "customer", card.customer)
            return changed(self._index, asked.caller, card, table_of(document))

        return _answer(listed_of(await put_in(partial(change, self._index), after)))

    async def take_away(self, asked: Asked[Nothing, Nothing]) -> Answer:
        """It is no longer there."""
        listed = await self._one(asked.caller, asked.path["id"])
        check_takeable(asked.caller, listed)
        await change(self._index, lambda: CardsChanged(taken=self._cards(asked, listed)))
        return Answer(204, None)

    async def _seen_by(self, caller: Caller) -> list[Listed]:
        in_force = await self._roster.forwards()
        # What the configuration forbids by now can still be mended, or taken away.
        found = [*in_force, *self._roster.left_out("forward")]
        return [one for one in found if sees(caller, one)]

    async def _one(self, caller: Caller, rule_id: str) -> Listed:
        for one in await self._seen_by(caller):
            if id_of(one) == rule_id:
                return one
        raise Refusal(404, _NONE)

    async def _check_ours(self, asked: Asked[Nothing, Sent]) -> None:
        listed = await self._one(asked.caller, asked.path["id"])
        if listed.origin != "api":
            raise not_ours(listed)

    def _cards(self, asked: Asked[Nothing, Nothing], listed: Listed) -> tuple[Card, ...]:
        if listed.origin == "api":
            return (self._card(asked),)
        now = self._left_out(listed.name)
        check_stranded(self._index, listed, now)
        if now is None:
            raise Refusal(404, _NONE)
        check_unchanged(asked.headers, etag_of(rule_document(now), now.card))
        return now.left_out

    def _card(self, asked: Asked[Nothing, Sent] | Asked[Nothing, Nothing]) -> Card:
        """The card as it is now, unchanged since the caller has seen it."""
        card = self._index.card("api", asked.path["id"])
        if card is None or card.subscription or not sees(asked.caller, card):
            raise Refusal(404, _NONE)
        listed = self._left_out(card.id) or listed_of(card)
        check_unchanged(asked.headers, etag_of(rule_document(listed), card))
        return card

    def _left_out(self, rule_id: str) -> Listed | None:
        left_out = self._roster.left_out("forward")
        return next((one for one in left_out if one.name == rule_id), None)


def _answer(rule: Listed, status: int = 200, **headers: str) -> Answer:
    document = rule_document(rule)
    return Answer(status, document, {"ETag": etag_of(document, rule.card), **headers})
