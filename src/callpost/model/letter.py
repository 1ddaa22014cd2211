"""What lies in the spool for delivery: a call event, or a report about an earlier delivery."""

from typing import Final

import msgspec

from callpost.model.event import CallEvent, stored
from callpost.model.report import StoredReport

Letter = CallEvent | StoredReport

# Canonical JSON: an event begins with its kind, a report with its id.
_EVENT_BEGINS: Final = b'{"event"'
_HANGUP_BEGINS: Final = b'{"event":"hangup"'
_REPORT: Final = msgspec.json.Decoder(StoredReport)


def letter_of(body: bytes) -> Letter:
    """Read what the spool has kept."""
    return stored(body) if body.startswith(_EVENT_BEGINS) else _REPORT.decode(body)


def is_hangup(body: bytes) -> bool:
    """Say without decoding whether it ends a call."""
    return body.startswith(_HANGUP_BEGINS)
