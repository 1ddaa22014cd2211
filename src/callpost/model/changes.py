"""What a reload changes, or would change, and what speaks against it."""

from typing import Literal

from msgspec import Struct

from callpost.model.fault import Fault


class Removed(Struct, frozen=True, kw_only=True, rename="camel"):
    """A subscription that gets nothing from now on; its `pending` deliveries become dead letters.

    It is gone, or it is still there: disabled, or made over the API and left out, because the
    files forbid it by now.
    """

    name: str
    pending: int
    why: Literal["gone", "disabled", "left_out"] = "gone"


class Changed(Struct, frozen=True, kw_only=True, rename="camel"):
    """A subscription that changes, and the settings by which it does; values are not shown."""

    name: str
    settings: tuple[str, ...]


class Changes(Struct, frozen=True, kw_only=True, rename="camel"):
    """The difference between two configurations.

    `settings` are keys outside of subscriptions that take effect at once, `needs_restart` those
    that take effect at the next start only; both as `table.key`.
    """

    added: tuple[str, ...] = ()
    removed: tuple[Removed, ...] = ()
    changed: tuple[Changed, ...] = ()
    unchanged: int = 0
    settings: tuple[str, ...] = ()
    needs_restart: tuple[str, ...] = ()


class Reloaded(Struct, frozen=True, kw_only=True, rename="camel"):
    """The answer to a reload: with any fault nothing has changed, and `changes` is None."""

    ok: bool
    dry_run: bool
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    changes: Changes | None = None
