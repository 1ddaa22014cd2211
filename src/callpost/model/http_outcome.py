"""What an HTTP answer means: its status, and the headers that say when or where else.

Of a redirect, which is never followed, only the host is told.
"""

import re
from typing import Final
from urllib.parse import urlsplit

from callpost.model.outcome import Outcome, of_status
from callpost.model.retry_after import retry_after_s

_HOST: Final = re.compile(r"[a-z0-9._:-]{1,253}")


def http_outcome(status: int, *, retry_after: str, location: str, host: str, now: float) -> Outcome:
    """The outcome of an answer from `host`; headers that were not there are "".

    `now` is wall time in seconds, which a date in `retry_after` is compared with.
    """
    return of_status(
        status,
        _reason(status, location, host),
        retry_after_s=retry_after_s(retry_after, now=now) if retry_after else None,
    )


def _reason(status: int, location: str, host: str) -> str:
    if not location or not 300 <= status <= 399:
        return f"http_{status}"
    try:
        target = urlsplit(location).hostname or host
    except ValueError:
        target = ""
    return f"redirect_to:{target}" if _HOST.fullmatch(target) else f"http_{status}"
