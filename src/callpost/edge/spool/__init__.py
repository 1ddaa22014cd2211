"""The durable spool on SQLite: the only memory there is.

Rows are bound on the event loop, commits run in one thread, and nothing is confirmed before the
commit that holds it has reached the disk.
"""

from callpost.edge.spool.dead import DeadLetter
from callpost.edge.spool.files import SpoolUnusable
from callpost.edge.spool.keep import Trimmed
from callpost.edge.spool.spool import SqliteSpool, open_spool
from callpost.edge.spool.write import NotWritten

__all__ = ["DeadLetter", "NotWritten", "SpoolUnusable", "SqliteSpool", "Trimmed", "open_spool"]
