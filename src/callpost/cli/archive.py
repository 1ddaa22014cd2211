"""What is kept, asked of the daemon, or read from the spool of one that is stopped.

A command asks one and the same thing of either, and says on standard error which it was.
"""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, TypeVar
from urllib.parse import quote

import asyncclick as click
import trio
from msgspec import Struct

from callpost.cli.door import NoDaemon, opened, top_of
from callpost.cli.names import Listed, configured_names, unknown
from callpost.cli.waits import Waits
from callpost.model.instant import utc_text
from callpost.model.replay import Selection
from callpost.model.story import CallStory, DeadPage, EventStory, PendingPage
from callpost.model.terminal import escaped

if TYPE_CHECKING:
    from callpost.edge.call_control import Control
    from callpost.edge.spool.read_only import StoppedSpool

_NOT_FOUND: Final = 404
# A subscription's delivery reports lie in a queue of this name behind its own.
REPORT: Final = "!report"
_Answer = TypeVar("_Answer")


class Archive(Protocol):
    """Pages and stories; "" does not restrict."""

    async def pending(self, *, subscription: str, limit: int, cursor: str) -> PendingPage:
        """Read a page of what is pending, the oldest first."""
        ...

    async def dead(self, selection: Selection, *, limit: int, cursor: str) -> DeadPage:
        """Read a page of dead letters, the newest first."""
        ...

    async def call(self, call_id: str, *, customer: str, limit: int) -> CallStory | None:
        """Tell the story of a call, None where nothing of it is kept."""
        ...

    async def events(self, event_id: str, *, customer: str) -> tuple[EventStory, ...]:
        """Tell of the events with this id."""
        ...

    async def waits(self) -> Waits:
        """Tell what the subscriptions wait for; a spool without a daemon knows of pauses alone."""
        ...

    async def know(self, name: str) -> None:
        """Pass over a name that is known; raises ClickException with one that is like it."""
        ...


class Events(Struct, frozen=True):
    """What the daemon answers about an event's id."""

    events: tuple[EventStory, ...]


async def ask(
    config: Path, control: Path | None, question: Callable[[Archive], Awaitable[_Answer]]
) -> _Answer:
    """Ask the daemon, and where none answers the spool that it has left."""
    asked: _OfDaemon | None = None
    try:
        async with opened(config, control) as daemon:
            asked = _OfDaemon(daemon)
            return await question(asked)
    except NoDaemon as fault:
        # What is printed already must not come again from another source.
        if control is not None or (asked is not None and asked.has_answered):
            raise
        spool = await trio.to_thread.run_sync(_stopped, config, fault)
    return await question(spool)


def _stopped(config: Path, fault: NoDaemon) -> "_OfSpool":
    # Only who finds no daemon needs the spool.
    from callpost.edge.spool.read_only import (  # noqa: PLC0415 - see above
        SpoolUnusable,
        StoppedSpool,
    )

    top = top_of(config)
    directory = Path(top.state_directory)
    try:
        spool = StoppedSpool(directory, numbers=top.privacy.log_numbers)
    except SpoolUnusable as unusable:
        raise NoDaemon(f"{fault.message} {escaped(str(unusable))}") from None
    click.echo(f"{fault.message} This is what the spool in {directory} holds.", err=True)
    return _OfSpool(spool, configured_names(config))


class _OfDaemon:
    """See Archive; who is not found may be a name that was misspelt."""

    def __init__(self, daemon: "Control") -> None:
        self._daemon = daemon
        self.has_answered = False

    async def pending(self, *, subscription: str, limit: int, cursor: str) -> PendingPage:
        page = await self._get(
            "/v1/deliveries",
            PendingPage,
            subscription=subscription or None,
            limit=limit,
            cursor=cursor or None,
        )
        if not page.total:
            await self.know(subscription)
        return page

    async def dead(self, selection: Selection, *, limit: int, cursor: str) -> DeadPage:
        page = await self._get(
            "/v1/dead-letters",
            DeadPage,
            subscription=selection.subscription or None,
            customer=selection.customer or None,
            call=selection.call_id or None,
            event=selection.event_id or None,
            kind=sorted(selection.kinds) or None,
            since=None if selection.since is None else utc_text(selection.since),
            until=None if selection.until is None else utc_text(selection.until),
            limit=limit,
            cursor=cursor or None,
        )
        if not page.total:
            await self.know(selection.subscription)
        return page

    async def call(self, call_id: str, *, customer: str, limit: int) -> CallStory | None:
        path = f"/v1/calls/{quote(call_id, safe='')}"
        return await self._found(path, CallStory, customer=customer or None, limit=limit)

    async def events(self, event_id: str, *, customer: str) -> tuple[EventStory, ...]:
        path = f"/v1/events/{quote(event_id, safe='')}"
        found = await self._found(path, Events, customer=customer or None)
        return () if found is None else found.events

    async def waits(self) -> Waits:
        return Waits((await self._get("/v1/states", Listed)).subscriptions)

    async def know(self, name: str) -> None:
        if name:
            _know(name, (await self._get("/v1/states", Listed)).names())

    async def _found(
        self, path: str, as_type: type[_Answer], **query: str | float | list[str] | None
    ) -> _Answer | None:
        # Whoever has asked `opened` has it loaded.
        from callpost.edge.call_control import ControlRefused  # noqa: PLC0415 - see above

        try:
            return await self._get(path, as_type, **query)
        except ControlRefused as refusal:
            if refusal.status == _NOT_FOUND:
                return None
            raise

    async def _get(
        self, path: str, as_type: type[_Answer], **query: str | float | list[str] | None
    ) -> _Answer:
        answer = await self._daemon.get(path, as_type, **query)
        self.has_answered = True
        return answer


class _OfSpool:
    """See Archive; `names` are those of the configuration, none where it cannot be read."""

    def __init__(self, spool: "StoppedSpool", names: Sequence[str]) -> None:
        self._spool = spool
        self._names = names

    async def pending(self, *, subscription: str, limit: int, cursor: str) -> PendingPage:
        page = await _read(
            lambda: self._spool.pending(subscription=subscription, limit=limit, cursor=cursor)
        )
        if not page.total:
            await self.know(subscription)
        return page

    async def dead(self, selection: Selection, *, limit: int, cursor: str) -> DeadPage:
        page = await _read(lambda: self._spool.dead(selection, limit=limit, cursor=cursor))
        if not page.total:
            await self.know(selection.subscription)
        return page

    async def call(self, call_id: str, *, customer: str, limit: int) -> CallStory | None:
        return await _read(lambda: self._spool.call(call_id, customer=customer, limit=limit))

    async def events(self, event_id: str, *, customer: str) -> tuple[EventStory, ...]:
        return await _read(lambda: self._spool.events(event_id, customer=customer))

    async def waits(self) -> Waits:
        return Waits(paused=await _read(self._spool.paused))

    async def know(self, name: str) -> None:
        if self._names:
            _know(name, self._names)


def _know(name: str, names: Sequence[str]) -> None:
    """Nothing of one that is gone is one thing, a name that never was another."""
    if name and (fault := unknown([name.removesuffix(REPORT)], names)):
        raise click.ClickException(fault)


async def _read(read: Callable[[], _Answer]) -> _Answer:
    from callpost.edge.spool.read_only import SpoolUnusable  # noqa: PLC0415 - see `_stopped`

    try:
        return await trio.to_thread.run_sync(read)
    except SpoolUnusable as fault:
        raise click.ClickException(escaped(str(fault))) from None
