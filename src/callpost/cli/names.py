"""Names of subscriptions on the command line: completed by the shell, and mended when misspelt.

The configuration is asked first, for that is quick; who may not read it asks the daemon.
"""

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, assert_never

import asyncclick as click
import trio
from msgspec import Struct

from callpost.cli.door import control_path, opened, texts_in
from callpost.cli.options import default_config
from callpost.model.condition import SubscriptionState, Unserved
from callpost.model.spelling import did_you_mean

# Whoever presses Tab does not wait longer.
_PATIENCE_S: Final = 1.0
# How the names begin of those that were made by `subscribe` or over callpost's own API.
_MADE: Final = "api."


class Listed(Struct, frozen=True):
    """What the daemon answers when it is asked for all subscriptions."""

    subscriptions: tuple[SubscriptionState, ...]
    unserved: tuple[Unserved, ...] = ()

    def names(self) -> list[str]:
        """The names of all, served or not."""
        return [*(one.name for one in self.subscriptions), *(one.name for one in self.unserved)]

    def takeable(self) -> list[str]:
        """The names of those that `unsubscribe` takes away."""
        left_out = {one.name for one in self.unserved if one.condition == "left_out"}
        return [name for name in self.names() if name.startswith(_MADE) or name in left_out]

    def fault(self, names: Iterable[str]) -> str:
        """One sentence on the names of those that get nothing, or are not there; "" where none."""
        served = {one.name for one in self.subscriptions}
        unserved = {one.name: why_unserved(one) for one in self.unserved if one.name not in served}
        sentences = [
            f"{name!r} gets nothing: {unserved[name]}."
            if name in unserved
            else unknown([name], self.names())
            for name in names
        ]
        return " ".join(filter(None, sentences))


def why_unserved(one: Unserved) -> str:
    """Why nothing is sent to it, as the end of a sentence."""
    match one.condition:
        case "disabled":
            return "it is disabled"
        case "left_out":
            return f"the configuration forbids it by now ({one.reason})"
        case _:
            assert_never(one.condition)


def complete_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The names that begin so, without those that the line has already; never raises."""
    del param  # every argument that is a name is completed alike
    named = [value for values in ctx.params.values() for value in _as_names(values)]
    config: Path = ctx.params.get("config") or default_config()
    control = ctx.params.get("control")
    # What was made over the API stands in no file.
    found = _fitting(configured_names(config), incomplete, named)
    return found or _fitting(_known_to_the_daemon(config, control).names(), incomplete, named)


def complete_made(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """As `complete_names`, of those that can be taken away; never raises."""
    del param  # there is one such argument
    named = [value for values in ctx.params.values() for value in _as_names(values)]
    config: Path = ctx.params.get("config") or default_config()
    known = _known_to_the_daemon(config, ctx.params.get("control"))
    return _fitting(known.takeable(), incomplete, named)


def _fitting(names: Iterable[str], incomplete: str, named: Sequence[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete) and name not in named]


def unknown(names: Iterable[str], known: Sequence[str]) -> str:
    """One sentence on the names that are not known, "" where all are."""
    sentences = []
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known)
            sentences.append(f"There is no subscription named {name!r}{hint or '.'}")
    return " ".join(sentences)


def configured_names(config: Path) -> list[str]:
    """The names in the files of a configuration, also where something else in them is faulty."""
    return texts_in(config, "subscription", "name")


def _as_names(values: object) -> Sequence[str]:
    return values if isinstance(values, tuple) else ()


def _known_to_the_daemon(config: Path, control: Path | None) -> Listed:
    """Ask on a loop of its own: completion runs inside one, in a function that cannot wait."""

    async def ask() -> Listed:
        with trio.move_on_after(_PATIENCE_S):
            async with opened(config, control) as daemon:
                return await daemon.get("/v1/states", Listed)
        return Listed(())

    if not os.access(_socket(config, control), os.W_OK):
        return Listed(())
    with ThreadPoolExecutor(max_workers=1) as pool:
        try:
            return pool.submit(trio.run, ask).result()
        except (click.ClickException, OSError):
            return Listed(())


def _socket(config: Path, control: Path | None) -> Path:
    try:
        return control_path(config, control)
    except click.ClickException:
        return Path(os.devnull) / "nowhere"
