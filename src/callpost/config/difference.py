"""What one configuration changes in another: names of settings, never their values.

What is not said here to take effect at once needs a restart.
"""

from collections.abc import Callable, Container, Iterator
from typing import Any, Final, Literal

from msgspec import Struct
from msgspec.structs import fields, replace

from callpost.config.configuration import Config
from callpost.config.settings_of import changed_settings
from callpost.model.changes import Changed, Changes, Removed

_AT_ONCE: Final = frozenset(
    {
        *("credentials_directory", "delivery.drain_s", "intake.unknown_fields"),
        *("spool.max_bytes", "spool.retain", "spool.retain_dead", "spool.max_pending"),
        *("egress.deny", "egress.allow", "egress.source_address", "egress.ip"),
        *("egress.keepalive_s", "egress.connection_max_age_s"),
        *("egress.max_connections_per_host", "log.level", "log.attempts"),
        *("privacy.log_numbers", "privacy.dtmf"),
        *("tenancy.customers", "customer", "calls.end_after", "forward"),
        *("api.token", "api.tls", "api.max_subscriptions_per_customer"),
    }
)
# Where the file's word is another than the program's.
_WRITTEN: Final = {
    "drain_s": "delivery.drain_s",
    "country": "numbers.country",
    "end_after_s": "calls.end_after",
    "spool.retain_s": "spool.retain",
    "spool.retain_dead_s": "spool.retain_dead",
    "tenancy.required": "tenancy.customers",
    "tenancy.customers": "customer",
    "forwards": "forward",
    "api.tokens": "api.token",
}
# These are told of by themselves, or are nothing that could be set.
_FOLLOWING: Final = frozenset({"spool.unended_s"})  # it changes with calls.end_after
_APART: Final = frozenset({"subscriptions", "warnings", "delivery"})


def difference(
    before: Config,
    after: Config,
    pending: Callable[[str], int] = lambda _name: 0,
    left_out: Container[str] = (),
) -> Changes:
    """What `after` changes; `pending(name)` counts what a subscription would take with it.

    A subscription that is not enabled is as good as none; `left_out` are names of those that
    the files forbid by now.
    """
    old = {one.name: one for one in before.subscriptions if one.enabled}
    new = {one.name: one for one in after.subscriptions if one.enabled}
    changed = [
        Changed(name=name, settings=changed_settings(old[name], one))
        for name, one in new.items()
        if name in old and old[name] != one
    ]
    settings = [key for key, _, _ in _changed_keys(before, after)]
    there = {one.name for one in after.subscriptions}

    def why(name: str) -> Literal["gone", "disabled", "left_out"]:
        if name in there:
            return "disabled"
        return "left_out" if name in left_out else "gone"

    return Changes(
        added=tuple(name for name in new if name not in old),
        removed=tuple(
            Removed(name=name, pending=pending(name), why=why(name))
            for name in old
            if name not in new
        ),
        changed=tuple(changed),
        unchanged=len(old.keys() & new.keys()) - len(changed),
        settings=tuple(key for key in settings if _is_at_once(key, before, after)),
        needs_restart=tuple(key for key in settings if not _is_at_once(key, before, after)),
    )


def in_force(before: Config, after: Config) -> Config:
    """`after`, but for what needs a restart: that stays as it was."""
    kept: dict[str, Any] = {}  # tables of all kinds
    for key, table, name in _changed_keys(before, after):
        if _is_at_once(key, before, after):
            continue
        if not name:
            kept[table] = getattr(before, table)
        else:
            present = kept.setdefault(table, getattr(after, table))
            kept[table] = replace(present, **{name: getattr(getattr(before, table), name)})
    return replace(after, **kept)


def _is_at_once(key: str, before: Config, after: Config) -> bool:
    """Whether it can change while the daemon runs; TLS itself is not turned on or off by that."""
    if key == "api.tls" and None in {before.api.tls, after.api.tls}:
        return False
    return key in _AT_ONCE


def _changed_keys(before: Config, after: Config) -> Iterator[tuple[str, str, str]]:
    """Each key that differs as the file has it, with the names in `Config` and in its table."""
    for field in fields(Config):
        table = field.name
        old, new = getattr(before, table), getattr(after, table)
        if table in _APART or old == new:
            continue
        if not isinstance(old, Struct):
            yield _WRITTEN.get(table, table), table, ""
            continue
        for inner in fields(type(old)):
            if getattr(old, inner.name) != getattr(new, inner.name):
                key = f"{table}.{inner.name}"
                if key in _FOLLOWING:
                    continue
                yield _WRITTEN.get(key, key), table, inner.name
