"""Subscriptions that are made, changed and taken away over callpost's own API.

What a document says is a table of the configuration and is held to its rules; all of its faults
are answered at once.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final

from callpost.api.making import changed, put_in
from callpost.api.own.cards import Table, new_subscription
from callpost.api.own.catalogue import Catalogue
from callpost.api.own.changing import change, check_stays, customer_of, not_ours
from callpost.api.own.conditions import ETAG, IF_MATCH, check_unchanged
from callpost.api.own.documents import etag_of, listed_of, sees, table_of
from callpost.api.own.examples import (
    NEW_SUBSCRIPTION_SENT,
    PATCH_SENT,
    SUBSCRIPTION_ANSWER,
    WHOLE_SUBSCRIPTION_SENT,
)
from callpost.api.own.merge import merged
from callpost.api.own.schema import (
    NEW_SUBSCRIPTION,
    PATCHED_SUBSCRIPTION,
    SUBSCRIPTION,
    WHOLE_SUBSCRIPTION,
)
from callpost.api.own.secrets import masked, restored
from callpost.api.own.taking import check_stranded, check_takeable
from callpost.api.ports import CardIndex, Listed
from callpost.model.card import Card, CardsChanged
from callpost.model.unknown import UnknownSubscription
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
from callpost.web.problem import FieldFault, Refusal, refusal_of

_MERGE_PATCH: Final = "application/merge-patch+json"
_WISH: Final = re.compile(r"[a-z0-9_.-]{1,40}")
_WISHES: Final = "expected 1 to 40 characters of a-z 0-9 - . and _"
# Where nothing is wished for.
_UNNAMED: Final = "subscription"
_AT: Final = "/v1/subscriptions/{name}"
_IS_NEW: Final[Mapping[str, str]] = {**ETAG, "Location": "Where it is"}
_NEW: Final = Accepted(types={JSON_TYPE: NEW_SUBSCRIPTION}, is_required=True)
_WHOLE: Final = Accepted(types={JSON_TYPE: WHOLE_SUBSCRIPTION}, is_required=True)
_PARTIAL: Final = Accepted(
    types={_MERGE_PATCH: PATCHED_SUBSCRIPTION, JSON_TYPE: PATCHED_SUBSCRIPTION}, is_required=True
)
_MAKING: Final = Shown(
    "Make a subscription",
    NEW_SUBSCRIPTION_SENT,
    SUBSCRIPTION_ANSWER,
    statuses=(201,),
    problems=(409,),
    headers=_IS_NEW,
)
_TAKING: Final = Shown(
    "Take it away; what is pending becomes dead letters. Of a dialect: by an admin, if left out",
    statuses=(),
    bare=(204,),
    problems=(404, 409, 412),
    conditions=IF_MATCH,
)
# How a document changes what is stored.
Turn = Callable[[Table, Table], Mapping[str, object]]


def writing(catalogue: Catalogue, index: CardIndex) -> Iterator[Operation]:
    """Make one, replace it, change some of it, take it away."""
    desk = _Desk(catalogue, index)
    yield operation_on(
        _NEW,
        "POST",
        "/v1/subscriptions",
        desk.make,
        query=Nothing,
        returns=SUBSCRIPTION,
        shown=_MAKING,
    )
    yield operation_on(
        _WHOLE,
        "PUT",
        _AT,
        desk.replace,
        query=Nothing,
        returns=SUBSCRIPTION,
        shown=_changing("Replace all of it", WHOLE_SUBSCRIPTION_SENT),
    )
    yield operation_on(
        _PARTIAL,
        "PATCH",
        _AT,
        desk.patch,
        query=Nothing,
        returns=SUBSCRIPTION,
        shown=_changing("Change some of it (RFC 7396); null takes a key out", PATCH_SENT),
    )
    yield operation(
        "DELETE",
        _AT,
        desk.take_away,
        query=Nothing,
        body=Nothing,
        returns=None,
        shown=_TAKING,
    )


def _changing(summary: str, example: object) -> Shown:
    return Shown(
        summary,
        example,
        SUBSCRIPTION_ANSWER,
        problems=(404, 409, 412),
        headers=ETAG,
        conditions=IF_MATCH,
    )


class _Desk:
    """Where changes are handed in; what is looked at is looked at under the index's lock."""

    def __init__(self, catalogue: Catalogue, index: CardIndex) -> None:
        self._catalogue = catalogue
        self._index = index

    async def make(self, asked: Asked[Nothing, Sent]) -> Answer:
        """A new one, under a name of its own."""
        document = object_of(asked.body)
        wish = _wish(document)
        try:
            customer = customer_of(asked.caller, document)
            said = _said(document, {})
            card = await put_in(
                partial(change, self._index),
                lambda: new_subscription(
                    self._index, asked.caller, wish=wish, customer=customer, said=said
                ),
            )
        except Refusal as refusal:
            raise refusal if wish is not None else _with_name(refusal) from None
        return self._catalogue.answer(listed_of(card), 201, Location=f"/v1/subscriptions/{card.id}")

    async def replace(self, asked: Asked[Nothing, Sent]) -> Answer:
        """All of what it says is new, but for the secrets that come as their mask."""
        return await self._turn(asked, lambda _, document: document)

    async def patch(self, asked: Asked[Nothing, Sent]) -> Answer:
        """What is not spoken of stays, secrets too, as if their masks had come back."""
        return await self._turn(asked, lambda said, document: merged(masked(said), document))

    async def take_away(self, asked: Asked[Nothing, Nothing]) -> Answer:
        """It is no longer there."""
        listed = await self._catalogue.one(asked.caller, asked.path["name"])
        check_takeable(asked.caller, listed)
        await change(self._index, lambda: CardsChanged(taken=self._cards(asked, listed)))
        return Answer(204, None)

    async def _turn(self, asked: Asked[Nothing, Sent], turn: Turn) -> Answer:
        name, document = asked.path["name"], object_of(asked.body)
        await self._check_ours(asked)

        def after() -> Card:
            card = self._card(asked, name)
            check_stays(document, "name", name)
            check_stays(document, "customer", card.customer)
            said = _said(turn(card.said, table_of(document)), card.said)
            return changed(self._index, asked.caller, card, said)

        return self._catalogue.answer(listed_of(await put_in(partial(change, self._index), after)))

    async def _check_ours(self, asked: Asked[Nothing, Sent]) -> None:
        """Refuse what is not there, and what was made elsewhere."""
        listed = await self._catalogue.one(asked.caller, asked.path["name"])
        if listed.origin != "api":
            raise not_ours(listed)

    def _cards(self, asked: Asked[Nothing, Nothing], listed: Listed) -> tuple[Card, ...]:
        """All that it is drawn of, unchanged since the caller has seen it."""
        if listed.origin == "api":
            return (self._card(asked, listed.name),)
        now = self._catalogue.left_out(listed.name)
        check_stranded(self._index, listed, now)
        if now is None:
            raise UnknownSubscription(listed.name)
        self._check_unchanged(asked, now)
        return now.left_out

    def _card(self, asked: Asked[Nothing, Sent] | Asked[Nothing, Nothing], name: str) -> Card:
        """The card as it is now, unchanged since the caller has seen it."""
        card = self._index.card("api", name)
        if card is None or not sees(asked.caller, card):
            raise UnknownSubscription(name)
        self._check_unchanged(asked, self._catalogue.left_out(name) or listed_of(card))
        return card

    def _check_unchanged(
        self, asked: Asked[Nothing, Sent] | Asked[Nothing, Nothing], listed: Listed
    ) -> None:
        etag = etag_of(self._catalogue.document(listed), listed.card)
        check_unchanged(asked.headers, etag)


def _wish(document: Table) -> str | None:
    """The name that is wished for, None where it can be no name."""
    wish = document.get("name", _UNNAMED)
    return wish if isinstance(wish, str) and _WISH.fullmatch(wish) else None


def _with_name(refusal: Refusal) -> Refusal:
    """The refusal of the name, and of all that is wrong besides."""
    besides = [one for one in refusal.errors if one.path != "$.name"]
    return refusal_of([FieldFault("$.name", _WISHES), *besides])


def _said(document: Mapping[str, object], stored: Table) -> Table:
    """The table, with the stored secrets in it where their masks came back."""
    said, faults = restored(table_of(document), stored)
    if faults:
        raise refusal_of(faults)
    return said
