"""What Hypercorn is told: our limits, and whose word of a fault reaches the log.

Only what the app has raised is worth a line.
"""

from typing import Any, Final

from hypercorn.config import Config
from hypercorn.logging import Logger
from structlog.typing import FilteringBoundLogger

# A request's line and headers together; ours have a few hundred bytes.
HEAD_MAX_BYTES: Final = 16 * 1024
# How long a connection may be idle, and how long a request's head may take to arrive.
IDLE_S: Final = 15.0


def protocol_config(log: FilteringBoundLogger) -> Config:
    """The limits of every connection."""

    class _Told(Logger):
        async def exception(self, message: str, *_: Any, **__: Any) -> None:  # noqa: ANN401 - Hypercorn's
            log.exception("http.failed", message=message)  # noqa: LOG004 - Hypercorn calls it within one

    config = Config()
    config.accesslog = config.errorlog = None
    config.logger_class = _Told
    config.h11_max_incomplete_size = HEAD_MAX_BYTES
    config.h2_max_header_list_size = HEAD_MAX_BYTES
    config.h2_max_concurrent_streams = 8
    config.keep_alive_timeout = IDLE_S
    config.include_server_header = False
    return config
