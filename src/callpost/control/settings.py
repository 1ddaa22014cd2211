"""The configuration in force, its reload, and the level of the log."""

from collections.abc import Iterator
from typing import Annotated, Final

from msgspec import Meta, Struct

from callpost.control.examples import CONFIGURATION, RELOADED
from callpost.control.ports import LogLevel, Settings
from callpost.model.changes import Reloaded
from callpost.web.asked import Asked
from callpost.web.fields import Nothing
from callpost.web.operation import Answer, Operation, Shown, operation


class ReloadOrder(Struct, frozen=True, rename="camel"):
    """How to reload."""

    dry_run: Annotated[bool, Meta(description="Only say what would change")] = False


class LogLevelSetting(Struct, frozen=True):
    """From which level on lines are logged, until the next reload or start."""

    level: LogLevel


_DEBUG: Final = LogLevelSetting("debug")


def configuration(settings: Settings) -> Iterator[Operation]:
    """Look at it, and read it again."""

    async def reload(asked: Asked[Nothing, ReloadOrder]) -> Answer:
        reloaded = await settings.reload(dry_run=asked.body.dry_run)
        return Answer(200 if reloaded.ok else 422, reloaded)

    async def effective(_: Asked[Nothing, Nothing]) -> dict[str, object]:
        return await settings.effective()

    yield operation(
        "POST",
        "/v1/reload",
        reload,
        query=Nothing,
        body=ReloadOrder,
        returns=Reloaded,
        shown=Shown(
            "Read the configuration again; with any fault nothing changes",
            example={"dryRun": True},
            answer=RELOADED,
            statuses=(200, 422),
        ),
    )
    yield operation(
        "GET",
        "/v1/config",
        effective,
        query=Nothing,
        body=Nothing,
        returns=dict[str, object],
        shown=Shown("The configuration in force, its secrets masked", answer=CONFIGURATION),
    )


def log_level(settings: Settings) -> Iterator[Operation]:
    """See it, and set it for a while."""

    async def level(_: Asked[Nothing, Nothing]) -> LogLevelSetting:
        return LogLevelSetting(settings.log_level)

    async def put(asked: Asked[Nothing, LogLevelSetting]) -> LogLevelSetting:
        settings.set_log_level(asked.body.level)
        return LogLevelSetting(settings.log_level)

    yield operation(
        "GET",
        "/v1/log-level",
        level,
        query=Nothing,
        body=Nothing,
        returns=LogLevelSetting,
        shown=Shown("From which level on lines are logged", answer=_DEBUG),
    )
    yield operation(
        "PUT",
        "/v1/log-level",
        put,
        query=Nothing,
        body=LogLevelSetting,
        returns=LogLevelSetting,
        shown=Shown(
            "Log from this level on, until the next reload or start",
            example=_DEBUG,
            answer=_DEBUG,
        ),
    )
