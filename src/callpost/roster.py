"""All subscriptions and forward rules as tables, for the API: see api.ports.Roster.

Operators see here what gets nothing: see control.ports.Roster.

What files say is read out of their texts when it is first asked for: few daemons are ever asked.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import trio

from callpost.api.ports import Listed
from callpost.config.flat import Flat, flat
from callpost.model.card import Card
from callpost.model.condition import Unserved
from callpost.model.drawn import Drawn, DrawnKind
from callpost.reload import Reload

_NOTHING = Flat((), ())


class Roster:
    """The tables of one daemon."""

    def __init__(self, settings: Reload) -> None:
        self._settings = settings
        self._read: tuple[object, Flat] = ((), _NOTHING)

    async def subscriptions(self) -> Sequence[Listed]:
        """Every subscription, those of the files first."""
        tables = {str(table["name"]): table for table in (await self._files()).subscriptions}
        of_files = [
            Listed(
                name=one.name,
                origin="file",
                customer=one.filter.customer,
                table=_bare(tables.get(one.name, {})),
            )
            for one in self._settings.registered.files.subscriptions
        ]
        return [*of_files, *self._made("subscription")]

    async def subscription(self, name: str) -> Listed | None:
        """One of them."""
        return next((one for one in await self.subscriptions() if one.name == name), None)

    async def forwards(self) -> Sequence[Listed]:
        """Every forward rule; its name is the card's id, "" where it is of a file."""
        of_files = [
            Listed(
                name="", origin="file", customer=str(table.get("customer", "")), table=_bare(table)
            )
            for table in (await self._files()).forwards
        ]
        return [*of_files, *self._made("forward")]

    def left_out(self, kind: DrawnKind) -> Sequence[Listed]:
        """What was made over the API and is not in force, with all its cards."""
        registered = self._settings.registered
        found: list[Listed] = []
        for one, _ in registered.made.faults:
            if one.kind == kind:
                cards = [registered.cards.one(one.origin, card) for card in one.cards]
                known = tuple(card for card in cards if card is not None)
                found.append(_listed(one, known[0], left_out=known))
        return found

    def unserved(self) -> tuple[Unserved, ...]:
        """Every subscription that gets nothing, those of the files first."""
        registered = self._settings.registered
        disabled = (
            Unserved(
                name=one.name,
                origin=one.origin,
                customer=one.filter.customer,
                condition="disabled",
            )
            for one in registered.config.subscriptions
            if not one.enabled
        )
        left_out = (
            Unserved(
                name=_name_of(one),
                origin=one.origin,
                customer=one.customer,
                condition="left_out",
                reason=f"{faults[0].path}: {faults[0].sentence}",
            )
            for one, faults in registered.made.faults
            if one.kind == "subscription"
        )
        return (*disabled, *left_out)

    def _made(self, kind: DrawnKind) -> Iterator[Listed]:
        """Those whose cards are in force."""
        registered = self._settings.registered
        # By what they are drawn of: to compare ten thousand tables with each other takes seconds.
        left_out = {(one.kind, one.origin, one.cards) for one, _ in registered.made.faults}
        for one in registered.drawn:
            if one.kind == kind and (kind, one.origin, one.cards) not in left_out:
                card = registered.cards.one(one.origin, one.cards[0])
                yield _listed(one, card)

    async def _files(self) -> Flat:
        texts = self._settings.texts
        if self._read[0] is not texts:
            self._read = (texts, await trio.to_thread.run_sync(partial(flat, texts)))
        return self._read[1]


def _listed(one: Drawn, card: Card | None, *, left_out: tuple[Card, ...] = ()) -> Listed:
    return Listed(
        name=_name_of(one),
        origin=one.origin,
        customer=one.customer,
        table=one.table,
        card=card,
        left_out=left_out,
    )


def _name_of(one: Drawn) -> str:
    return one.name or one.cards[0]


def _bare(table: Mapping[str, object]) -> Mapping[str, object]:
    return {key: value for key, value in table.items() if key not in {"name", "customer"}}
