"""The configuration in force: read again, checked, compared and swapped, one reload at a time.

A faulty file changes nothing; what cannot change while the daemon runs stays as it is until the
next start.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import trio
from msgspec.structs import replace

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
from callpost.model.changes import Changes, Reloaded
from callpost.model.condition import ConfigFigures, Trouble
from callpost.model.instant import utc_text
from callpost.model.limits import LogLevel

# Faults of one file that are worth a line each; who wants all of them asks `callpost check`.
_FAULTS_LOGGED: Final = 100
_NO_FILES: Final = Fault("", "", "senseless", "this daemon was not started from a file")
_STOPPING: Final = Fault("", "", "stopping", "the daemon is stopping")


class Reload:
    """The settings of one daemon; see control.ports.Settings.

    `trouble` says what is wrong with the files as they are, as far as it is known.
    """

    def __init__(
        self,
        start: Loaded,
        *,
        files: ConfigFiles | None,
        logs: Logs,
        clock: Clock,
        notifier: Notifier,
        tell_state: Callable[[], None],
    ) -> None:
        self.config = start.config
        self.trouble: Trouble | None = None
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

    async def begin(self, room: EngineRoom) -> None:
        """The start was good: keep its configuration, or shout that it is not the files'."""
        self._room = room
        self._begun.set()
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

    async def effective(self) -> dict[str, object]:
        """Show the configuration in force, its secrets masked.

        In a thread: that of ten thousand subscriptions takes a second.
        """
        return await trio.to_thread.run_sync(masked, self.config)

    @property
    def figures(self) -> ConfigFigures:
        """Which configuration is in force."""
        return ConfigFigures(
            file="" if self._files is None else str(self._files.path),
            loaded_at=self._loaded_at,
            last_good=self._last_good,
            warnings=len(self.config.warnings),
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
            return Reloaded(
                ok=False, dry_run=dry_run, faults=(_STOPPING if self._files else _NO_FILES,)
            )
        try:
            loaded = await trio.to_thread.run_sync(self._files.load)
        except FaultyConfig as faulty:
            return self._rejected(faulty.faults, dry_run=dry_run)
        changes = difference(self.config, loaded.config, pending=room.pending_of)
        warnings = loaded.config.warnings
        if not dry_run:
            if self._room is None:
                return Reloaded(ok=False, dry_run=False, faults=(_STOPPING,))
            try:
                await self._swap(room, in_force(self.config, loaded.config))
            except NotWritten as fault:
                return self._rejected((Fault("", "", "spool", str(fault)),), dry_run=False)
            self._log_changes(changes)
            await self._keep(loaded)
        return Reloaded(ok=True, dry_run=dry_run, warnings=warnings, changes=changes)

    async def _swap(self, room: EngineRoom, config: Config) -> None:
        await room.swap(config)
        self.config = config
        self._logs.obey(config.log)
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
        if len(faults) > _FAULTS_LOGGED:
            more = len(faults) - _FAULTS_LOGGED
            self._logs.log.error("config.rejected", message=f"and {more} faults more", code="more")

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
