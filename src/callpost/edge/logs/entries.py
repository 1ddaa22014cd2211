"""Entries of systemd's journal: one binary text of fields each.

Any value survives: one with a line end goes in the form that carries its length. Source: the
Native Journal Protocol (systemd.io), systemd.journal-fields(7).
"""

import re
from collections.abc import Mapping
from typing import Final

import msgspec
from structlog.typing import EventDict

from callpost.model.terminal import escaped

# Syslog's numbers (RFC 5424, section 6.2.1).
_PRIORITIES: Final = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
# The first stand in front of the text that people read; the others come as they are.
_LEADING: Final = ("outcome", "reason", "subscription", "kind", "callId", "seq", "attempt")
# What the journal or systemctl understand in their own way; our fields of these names get ours.
_TAKEN: Final = re.compile(
    r"MESSAGE(_ID)?|PRIORITY|ERRNO|TID|UNIT|USER_UNIT|DOCUMENTATION|INVOCATION_ID"
    r"|(SYSLOG|CODE|OBJECT|COREDUMP|CALLPOST)_.*"
)
_WORD_ENDS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_FOREIGN: Final = re.compile(r"[^A-Z0-9_]")
# journald drops fields with longer names.
_NAME_MAX_LENGTH: Final = 64


def entry(fields: EventDict) -> bytes:
    """One line of the log as an entry: `callId` is CALL_ID there, and what is None is left out.

    `fields` has `level` and `event` beside the fields of the line.
    """
    level, event = str(fields["level"]), str(fields["event"])
    told = {
        name: value
        for name, value in fields.items()
        if value is not None and name not in {"level", "event", "timestamp"}
    }
    written = {
        "MESSAGE": _message(event, told),
        "PRIORITY": str(_PRIORITIES[level]),
        "SYSLOG_IDENTIFIER": "callpost",
        "CALLPOST_EVENT": event,
    } | {field_name(name): _text(value) for name, value in told.items()}
    return b"".join(_field(name, value) for name, value in written.items())


def field_name(name: str) -> str:
    """The journal's name of a field: upper case, words apart, nothing that is systemd's."""
    upper = _FOREIGN.sub("_", _WORD_ENDS.sub("_", name).upper()).lstrip("_")
    if _TAKEN.fullmatch(upper) or not upper[:1].isalpha():
        upper = f"CALLPOST_{upper}"
    return upper[:_NAME_MAX_LENGTH]


def _message(event: str, told: Mapping[str, object]) -> str:
    """The line that `journalctl` shows, with its traceback below."""
    leading = {name: told[name] for name in _LEADING if name in told}
    shown = " ".join(
        f"{name}={escaped(_text(value))}"
        for name, value in (leading | dict(told)).items()
        if name != "exception"
    )
    traceback = f"\n{told['exception']}" if "exception" in told else ""
    return f"{event} {shown}".rstrip() + traceback


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value, enc_hook=repr).decode()


def _field(name: str, value: str) -> bytes:
    content = value.encode("utf-8", "backslashreplace")
    if b"\n" in content:
        return b"%b\n%b%b\n" % (name.encode(), len(content).to_bytes(8, "little"), content)
    return b"%b=%b\n" % (name.encode(), content)
