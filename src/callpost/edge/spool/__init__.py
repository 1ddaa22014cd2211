"""The durable spool on SQLite: the only memory there is.

Rows are bound on the event loop, commits run in one thread, and nothing is confirmed before the
commit that holds it has reached the disk.
"""

from callpost.edge.spool.files import SpoolUnusable
from callpost.edge.spool.keep import Trimmed
from callpost.edge.spool.opening import open_spool
from callpost.edge.spool.records import SpoolRecords
from callpost.edge.spool.spool import SqliteSpool
from callpost.edge.spool.write import NotWritten

__all__ = ["NotWritten", "SpoolRecords", "SpoolUnusable", "SqliteSpool", "Trimmed", "open_spool"]
