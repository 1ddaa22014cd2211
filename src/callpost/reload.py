"""The configuration in force: checked, compared and swapped, one change at a time.

What changes are the files, read again, or the cards that clients make over the API. A faulty
file changes nothing, and neither does a faulty card; what cannot change while the daemon runs
stays as it is until the next start.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, Protocol

import trio
from msgspec.structs import replace

from callpost.api.ports import CardsRefused
from callpost.config import Config, Fault, FaultyConfig
from callpost.config.difference import difference, in_force
from callpost.config.masked import masked
from callpost.edge.logs import Logs
from callpost.edge.spool import NotWritten
from callpost.edge.systemd import Notifier
from callpost.engine.bell import Bell
from callpost.engine.ports import Clock
from callpost.engine_room import EngineRoom
from callpost.loading import ConfigFiles, Loaded
from callpost.model.card import Card, CardsChanged
from callpost.model.changes import Changes, Reloaded
from callpost.model.condition import ConfigFigures, Trouble
from callpost.model.instant import utc_text
from callpost.model.limits import LogLevel
from callpost.model.unknown import CannotNow
from callpost.registered import Cards, Registered

# Faults of one file that are worth a line each; who wants all of them asks `callpost check`.
_FAULTS_LOGGED: Final = 100
_NO_FILES: Final = Fault("", "", "senseless", "this daemon was not started from a file")
_STOPPING: Final = Fault("", "", "stopping", "the daemon is stopping")


class Shelf(Protocol):
    """Where cards are kept."""

    def cards(self) -> tuple[Card, ...]:
        """Read all of them, the oldest first."""
        ...

    async def write_cards(self, changed: CardsChanged) -> None:
        """Return once the change is on disk; raises NotWritten, and nothing has changed then."""
        ...


class Reload:
    """The settings of one daemon; see control.ports.Settings.

    `trouble` says what is wrong with the files as they are, as far as it is known.
    """

    def __init__(
        self,
        start: Loaded,
        *,
        files: ConfigFiles | None,
        shelf: Shelf,
        logs: Logs,
        clock: Clock,
        notifier: Notifier,
        tell_state: Callable[[], None],
    ) -> None:
        self.registered = Registered(start.config, Cards.of(shelf.cards()))
        self.trouble: Trouble | None = None
        self.texts = start.texts
        self._shelf = shelf
        self._start = start
        self._files = files
        self._logs = logs
        self._clock = clock
        self._notifier = notifier
        self._tell_state = tell_state
        self._room: EngineRoom | None = None
        self._begun = trio.Event()
        self._one_at_a_time = trio.Lock()
        self._hang_up = Bell()
        self._loaded_at = utc_text(clock.wall())
        self._last_good = bool(start.faults)
        if start.faults:
            self.trouble = self._trouble("the last good one is in use")

    @property
    def config(self) -> Config:
        """The configuration in force."""
        return self.registered.config

    async def begin(self, room: EngineRoom) -> None:
        """The start was good: keep its configuration, or shout that it is not the files'."""
        self._room = room
        self._begun.set()
        self._log_left_out(self.registered)
        if not self._start.faults:
            await self._keep(self._start)
            return
        self._log_faults(self._start.faults)
        self._logs.log.error("config.last_good_used", faults=len(self._start.faults))

    def close(self) -> None:
        """Reload no more: the daemon is stopping."""
        self._room = None

    def hang_up(self) -> None:
        """Reload soon; several times before it has begun are one."""
        self._hang_up.ring()

    async def obey_hang_ups(self) -> None:
        """Reload each time that somebody hangs up."""
        while True:
            await self._hang_up.heard(within_s=float("inf"))
            self._hang_up.still()
            await self.reload(dry_run=False)

    async def reload(self, *, dry_run: bool) -> Reloaded:
        """Read, check, compare, swap; returns once it is in force, or why it is not."""
        # What changes while the daemon starts is read after that.
        await self._begun.wait()
        async with self._one_at_a_time:
            if dry_run or self._room is None:
                return await self._reload(dry_run=dry_run)
            self._notifier.reloading()
            try:
                return await self._reload(dry_run=False)
            finally:
                if self._room is not None:
                    self._tell_state()
                    self._notifier.ready()

    async def change(self, decide: Callable[[], CardsChanged]) -> None:
        """See api.ports.CardIndex."""
        await self._begun.wait()
        async with self._one_at_a_time:
            room = self._room
            if room is None:
                raise CannotNow("callpost is stopping.")
            changed = decide()
            if not changed.put and not changed.taken:
                return
            after = await self._registered_after(changed)
            # What is on disk is in force, also where whoever asked for it is gone by then.
            with trio.CancelScope(shield=True):
                await self._put_in_force(room, after, changed)
            self._tell_state()

    async def effective(self) -> dict[str, object]:
        """Show the configuration in force, its secrets masked."""
        # In a thread: that of ten thousand subscriptions takes a second.
        return await trio.to_thread.run_sync(masked, self.config)

    @property
    def figures(self) -> ConfigFigures:
        """Which configuration is in force."""
        return ConfigFigures(
            file="" if self._files is None else str(self._files.path),
            loaded_at=self._loaded_at,
            last_good=self._last_good,
            warnings=len(self.config.warnings),
            left_out=len(self.registered.left_out),
            left_out_forwards=self.registered.left_out_forwards,
        )

    @property
    def log_level(self) -> LogLevel:
        """From which level on lines are logged."""
        return self._logs.level

    def set_log_level(self, level: LogLevel) -> None:
        """Log from this level on, until the next reload or start."""
        self._logs.obey(replace(self.config.log, level=level))
        self._logs.log.warning("log.level_changed", to=level)

    async def _reload(self, *, dry_run: bool) -> Reloaded:
        room = self._room
        if room is None or self._files is None:
            fault = _STOPPING if self._files else _NO_FILES
            return Reloaded(ok=False, dry_run=dry_run, faults=(fault,))
        try:
            loaded = await trio.to_thread.run_sync(self._files.load)
        except FaultyConfig as faulty:
            return self._rejected(faulty.faults, dry_run=dry_run)
        before = self.registered
        after = await self._joined(loaded.config, before.cards)
        changes = difference(before.config, after.config, room.pending_of, after.left_out)
        if not dry_run:
            if self._room is None:
                return Reloaded(ok=False, dry_run=False, faults=(_STOPPING,))
            try:
                files = in_force(before.files, loaded.config)
                after = await self._joined(files, before.cards)
                await room.swap(after.config)
            except NotWritten as fault:
                return self._rejected((Fault("", "", "spool", str(fault)),), dry_run=False)
            self._take_over(after, loaded)
            self._log_changes(changes)
            self._log_left_out(self.registered)
            await self._keep(loaded)
        warnings = loaded.config.warnings
        return Reloaded(ok=True, dry_run=dry_run, warnings=warnings, changes=changes)

    async def _put_in_force(
        self, room: EngineRoom, after: Registered, changed: CardsChanged
    ) -> None:
        try:
            await self._shelf.write_cards(changed)
        except NotWritten as fault:
            raise CannotNow(f"The spool cannot take it: {fault}") from None
        # From here on it is what is wanted, and the next change puts it in force at the latest.
        self.registered = after
        try:
            await room.swap(after.config)
        except NotWritten as fault:
            raise CannotNow(f"It is written down, but not in force yet: {fault}") from None

    async def _registered_after(self, changed: CardsChanged) -> Registered:
        """What these cards would make; raises CardsRefused, TooManyCards."""
        before = self.registered
        after = await self._joined(before.files, before.cards.after(changed))
        if faults := after.faults_of(changed):
            raise CardsRefused(faults)
        most = self.config.api.max_subscriptions_per_customer
        after.cards.check_room(changed, before.cards, most=most)
        return after

    async def _joined(self, files: Config, cards: Cards) -> Registered:
        # In a thread: with ten thousand subscriptions it takes a while.
        join = partial(Registered, files, cards, before=self.registered)
        return await trio.to_thread.run_sync(join)

    def _take_over(self, after: Registered, loaded: Loaded) -> None:
        self.registered = after
        self.texts = loaded.texts
        self._logs.obey(self.config.log)
        self.trouble = None
        self._last_good = False
        self._loaded_at = utc_text(self._clock.wall())

    def _rejected(self, faults: Sequence[Fault], *, dry_run: bool) -> Reloaded:
        if not dry_run:
            in_use = "the last good one" if self._last_good else "the one before"
            self.trouble = self._trouble(f"{in_use} is in use")
            self._log_faults(faults)
        return Reloaded(ok=False, dry_run=dry_run, faults=tuple(faults))

    async def _keep(self, loaded: Loaded) -> None:
        if self._files is None:
            return
        keep = partial(self._files.keep, Loaded(self.config, loaded.texts))
        try:
            await trio.to_thread.run_sync(keep)
        except OSError as error:
            self._logs.log.warning("config.not_kept", reason=(error.strerror or "").lower())

    def _trouble(self, consequence: str) -> Trouble:
        return Trouble(
            code="config_rejected",
            sentence=f"The configuration is faulty (`callpost check` says where); {consequence}.",
            since=utc_text(self._clock.wall()),
        )

    def _log_faults(self, faults: Sequence[Fault]) -> None:
        for fault in faults[:_FAULTS_LOGGED]:
            self._logs.log.error(
                "config.rejected",
                file=fault.file,
                path=fault.path,
                code=fault.code,
                message=fault.sentence,
            )
        if (more := len(faults) - _FAULTS_LOGGED) > 0:
            self._logs.log.error("config.rejected", message=f"and {more} faults more", code="more")

    def _log_left_out(self, registered: Registered) -> None:
        """Shout what was made over the API and is not in force."""
        for one, faults in registered.made.faults[:_FAULTS_LOGGED]:
            self._logs.log.error(
                "card.left_out",
                subscription=one.name,
                id=one.cards[0],
                origin=one.origin,
                customer=one.customer,
                path=faults[0].path,
                message=faults[0].sentence,
            )

    def _log_changes(self, changes: Changes) -> None:
        self._logs.log.info(
            "config.reloaded",
            added=len(changes.added),
            removed=len(changes.removed),
            changed=len(changes.changed),
            unchanged=changes.unchanged,
            settings=list(changes.settings),
            needsRestart=list(changes.needs_restart),
        )
