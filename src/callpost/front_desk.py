"""The doors for those who look on and act: the operator's, open until the house has ended.

Its libraries are imported only where the door is on: they take some 120 ms and 5 MiB.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from socket import socket
from typing import TYPE_CHECKING

import trio

from callpost import __version__
from callpost.clients_door import serve_clients
from callpost.edge.metrics import Reading
from callpost.engine.desk import Desk, Outside
from callpost.engine.live import Live
from callpost.engine.overview import Overview
from callpost.engine_room import EngineRoom
from callpost.model.condition import (
    IntakeFigures,
    SpoolFigures,
    Trouble,
)
from callpost.model.delivery import SpoolUnreadable
from callpost.model.instant import utc_text
from callpost.model.unknown import CannotNow

if TYPE_CHECKING:
    from callpost.edge.metrics.page import MetricsPage
    from callpost.house import House


async def open_front_desk(nursery: trio.Nursery, house: "House", room: EngineRoom) -> None:
    """Open what is configured; each serves in `nursery` until the house has ended."""
    desk = desk_of(house, room)
    if house.doors.control is not None:
        page = _page(house, room, desk)
        await nursery.start(partial(_serve_operators, house.doors.control, house, room, desk, page))
    if house.doors.api is not None:
        await nursery.start(partial(serve_clients, house.doors.api, house, room, desk))
    if house.doors.metrics is not None:
        page = _page(house, room, desk)
        await nursery.start(partial(_serve_metrics, house.doors.metrics, house, page))


def desk_of(house: "House", room: EngineRoom) -> Desk:
    """All that is known of a house."""
    return Desk(
        room.operator,
        Overview(room.dispatcher, house.spool.counts, clock=house.clock),
        Outside(
            version=__version__,
            pid=os.getpid(),
            started_at=utc_text(house.clock.wall()),
            phase=lambda: house.phase,
            is_closing=lambda: house.is_closing,
            troubles=lambda: _troubles(house),
            config=lambda: house.settings.figures,
            intake=lambda: _intake(house),
            spool=lambda: _spool(house, room),
            certificates=house.expiry.soon,
        ),
    )


async def _serve_operators(
    door: socket,
    house: "House",
    room: EngineRoom,
    desk: Desk,
    page: "MetricsPage",
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """In the nursery lives the door; once the house has ended its streams end, then it."""
    from callpost.edge.serve_asgi import serve_asgi  # noqa: PLC0415 - see the top
    from callpost.sites import Sites  # noqa: PLC0415 - see the top
    from callpost.web.recorded import Recorded  # noqa: PLC0415 - see the top

    live = Live(house.witnesses)
    site = Recorded(Sites(house, room, desk).for_operators(page, live), log=house.logs.log)
    async with trio.open_nursery() as nursery:
        await nursery.start(
            partial(serve_asgi, site, door, stopping=house.ended, log=house.logs.log)
        )
        task_status.started()
        await house.ended.wait()
        live.close()


async def _serve_metrics(
    door: socket,
    house: "House",
    page: "MetricsPage",
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """One page, for Prometheus, and nothing else."""
    from callpost.edge.metrics.site import metrics_site  # noqa: PLC0415 - see the top
    from callpost.edge.serve_asgi import serve_asgi  # noqa: PLC0415 - see the top

    async def shown() -> tuple[bytes, str]:
        # At the very end there is nothing to count any more.
        try:
            return await page.page()
        except CannotNow:
            return b"", "text/plain; charset=utf-8"

    site = metrics_site(shown)
    await serve_asgi(site, door, stopping=house.ended, log=house.logs.log, task_status=task_status)


def _page(house: "House", room: EngineRoom, desk: Desk) -> "MetricsPage":
    from callpost.edge.metrics.page import MetricsPage  # noqa: PLC0415 - see the top

    async def reading() -> Reading:
        spool, subscriptions = await _spool(house, room), await desk.subscriptions()
        return Reading(
            health=desk.health(),
            config=house.settings.figures,
            spool=spool,
            connections=len(house.producers),
            subscriptions=subscriptions,
            certificates=house.expiry.known(),
        )

    return MetricsPage(house.figures, read=reading, version=__version__)


def _troubles(house: "House") -> Iterator[Trouble]:
    if house.spool.counts.trouble is not None:
        yield house.spool.counts.trouble
    if house.settings.trouble is not None:
        yield house.settings.trouble


def _intake(house: "House") -> IntakeFigures:
    figures = house.figures
    return IntakeFigures(
        accepted=figures.events,
        duplicates=figures.duplicates,
        refused=dict(figures.refusals),
        connections=len(house.producers),
    )


async def _spool(house: "House", room: EngineRoom) -> SpoolFigures:
    spool = house.spool
    dead = 0
    # Where it cannot be read that is told as a trouble, and the rest still counts.
    with suppress(SpoolUnreadable):
        dead = sum((await spool.counts.dead_by_subscription()).values())
    if house.is_closing:
        raise CannotNow("callpost is stopping.")
    return SpoolFigures(
        used_bytes=spool.used_bytes(),
        max_bytes=house.settings.config.spool.max_bytes,
        pending=sum(map(spool.pending_of, room.dispatcher.numbers.values())),
        dead=dead,
        commits=spool.counts.commits,
        commit_ms=round(house.figures.commit_s * 1000, 3),
    )
