"""Looks at the daemon, and keeps the last that it saw for the time when there is none."""

from datetime import datetime
from pathlib import Path

import asyncclick as click
import trio
from rich.text import Text

from callpost.cli.door import opened
from callpost.cli.names import Listed
from callpost.cli.top.frame import Order, Room, frame, page
from callpost.cli.top.rates import Look, Observer, Rates
from callpost.model.condition import Status


class Eye:
    """The last look and its rates; `look` must have gone well once before `lines`."""

    def __init__(self, config: Path, control: Path | None) -> None:
        self._config = config
        self._control = control
        self._observer = Observer()
        self._seen: tuple[Look, Rates] | None = None
        self._fault = ""

    async def look(self) -> None:
        """Ask the daemon; raises as `opened` does."""
        async with opened(self._config, self._control) as daemon:
            status = await daemon.get("/v1/status", Status)
            listed = await daemon.get("/v1/states", Listed)
        look = Look(at_s=trio.current_time(), status=status, subscriptions=listed.subscriptions)
        self._seen = (look, self._observer.rates(look))

    async def look_if_there(self) -> None:
        """Look; what keeps it from looking is told in the frame, for daemons come back."""
        try:
            await self.look()
        except click.ClickException as fault:
            self._fault = fault.message
        else:
            self._fault = ""

    def lines(self, order: Order, room: Room) -> list[Text]:
        """A frame of what was seen last."""
        assert self._seen is not None, "nothing was seen yet"  # noqa: S101 - see the class
        look, rates = self._seen
        now = datetime.now().astimezone()
        return frame(look, rates, order=order, now=now, room=room, fault=self._fault)

    def page(self, order: Order, width: int) -> list[Text]:
        """All that was seen last."""
        assert self._seen is not None, "nothing was seen yet"  # noqa: S101 - see the class
        look, rates = self._seen
        return page(look, rates, order=order, now=datetime.now().astimezone(), width=width)
