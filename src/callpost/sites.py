"""The sites of one house: callpost's own language and the dialects, for operators and clients.

It is imported only where a door is on: its libraries take some 120 ms and 5 MiB.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from callpost import __version__
from callpost.api.basip import door as basip
from callpost.api.own.app import own
from callpost.api.portsip import door as portsip
from callpost.api.signalwire import door as signalwire
from callpost.api.telecomx import door as telecomx
from callpost.api.voipnow import door as voipnow
from callpost.card_index import CardIndex
from callpost.control.app import Premises, operators
from callpost.engine.desk import Desk
from callpost.engine.eraser import Eraser
from callpost.engine.live import Live
from callpost.engine.shares import Shares
from callpost.engine_room import EngineRoom
from callpost.roster import Roster
from callpost.web.openapi import CUSTOMERS_DOOR, OPERATORS_DOOR, About
from callpost.web.operation import Operation
from callpost.web.own import own_language
from callpost.web.site import Admit, Language, Site, everybody

if TYPE_CHECKING:
    from callpost.edge.metrics.page import MetricsPage
    from callpost.house import House


class Sites:
    """What is at the doors of a house; the operators' site has everything that clients have."""

    def __init__(self, house: "House", room: EngineRoom, desk: Desk) -> None:
        self._house = house
        self._room = room
        self._desk = desk
        self._index = CardIndex(house.settings, house.clock)
        self._roster = Roster(house.settings)
        self._shares = Shares(lambda: house.settings.config.spool, house.clock)

    def for_operators(self, page: "MetricsPage", live: Live) -> Site:
        """The site on the operator's socket: who can open it may do everything."""
        premises = Premises(
            operating=self._desk,
            roster=self._roster,
            purging=Eraser(
                self._house.spool.purging,
                recall=self._room.dispatcher.recall,
                country=lambda: self._house.settings.config.country,
                clock=self._house.clock,
            ),
            settings=self._house.settings,
            metrics=page,
            live=live,
        )
        about = About(
            version=__version__,
            sentence=OPERATORS_DOOR,
            server="Over the Unix socket",
            is_open=True,
        )
        operations = [*operators(premises), *self._own()]
        return Site([*self._dialects(), own_language(operations, about=about)], admit=everybody)

    def for_clients(self, admit: Admit) -> Site:
        """The site on the network: callpost's API and the dialects, each request with a token."""
        about = About(
            version=__version__, sentence=CUSTOMERS_DOOR, server="This door", is_open=False
        )
        language = own_language([*self._own()], about=about)
        return Site([*self._dialects(), language], admit=admit)

    def _own(self) -> Iterator[Operation]:
        yield from own(
            self._index,
            self._roster,
            self._room.intake,
            self._shares,
            self._desk,
            self._house.spool.records,
        )

    def _dialects(self) -> Iterator[Language]:
        yield telecomx.language(self._index)
        yield voipnow.language(self._index)
        yield portsip.language(self._index)
        yield signalwire.language(self._index)
        yield basip.language(self._index, self._roster)
