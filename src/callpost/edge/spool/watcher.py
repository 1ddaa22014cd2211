"""What a running spool does about reads that fail: mend what can be mended, and tell of it."""

import sqlite3

from callpost.edge.spool.connections import Connections
from callpost.edge.spool.health import Health, is_damage
from callpost.edge.spool.write import Writer


class Watcher:
    """See read.Watch."""

    def __init__(self, connections: Connections, *, writer: Writer, health: Health) -> None:
        self._connections = connections
        self._writer = writer
        self._health = health

    def could_not_read(self, fault: sqlite3.Error) -> None:
        """Condemn what is damaged beyond doubt; else read the next over a new connection."""
        if is_damage(fault) and self._connections.is_damaged(fault):
            self._writer.condemn(fault)
        else:
            self._health.could_not_read(fault)
            self._connections.reopen_reader()

    def could_read(self) -> bool:
        """Say whether reading has recovered."""
        return self._health.could_read()
