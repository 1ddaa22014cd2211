"""The API's door, open to clients until the house has ended: who comes in has a token.

Where it speaks TLS, each new connection gets the certificate that is in force.
"""

import ssl
from collections.abc import Callable
from contextlib import suppress
from socket import socket
from typing import TYPE_CHECKING

import trio

from callpost.doors import CannotStart
from callpost.edge.tls_pair import PairUnusable, ServerTls
from callpost.engine.desk import Desk
from callpost.engine_room import EngineRoom
from callpost.model.api_door import Api

if TYPE_CHECKING:
    from callpost.house import House


async def serve_clients(
    door: socket,
    house: "House",
    room: EngineRoom,
    desk: Desk,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve the API to whoever has a token; raises CannotStart where its TLS cannot be used."""
    # Its libraries take some 120 ms and 5 MiB, which most daemons need not spend.
    from callpost.edge.serve_asgi import serve_asgi  # noqa: PLC0415 - see above
    from callpost.sites import Sites  # noqa: PLC0415 - see above
    from callpost.web.admission import Admission  # noqa: PLC0415 - see above
    from callpost.web.recorded import Recorded  # noqa: PLC0415 - see above

    def in_force() -> Api:
        return house.settings.config.api

    admission = Admission(lambda: in_force().tokens, now=house.clock.steady, log=house.logs.log)
    site = Recorded(Sites(house, room, desk).for_clients(admission.admit), log=house.logs.log)
    tls = await trio.to_thread.run_sync(_tls, in_force)
    await serve_asgi(
        site, door, tls=tls, stopping=house.ended, log=house.logs.log, task_status=task_status
    )


def _tls(in_force: Callable[[], Api]) -> Callable[[], ssl.SSLContext] | None:
    """What gives each new connection its context; None where the door speaks none."""
    pair = in_force().tls
    if pair is None:
        return None
    try:
        held = ServerTls(pair)
    except PairUnusable as fault:
        raise CannotStart(f"api.tls: {fault}.") from None
    loaded = pair

    def context() -> ssl.SSLContext:
        nonlocal loaded
        wanted = in_force().tls
        if wanted is not None and wanted != loaded:
            loaded = wanted
            # A reload has found them good; if they have changed since, the old ones stay.
            with suppress(PairUnusable):
                held.renew(wanted)
        return held.context()

    return context
