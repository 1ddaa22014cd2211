"""HTTP/1.1 on a connected socket, with llhttp reading the answers (RFC 9112).

Only what a sender of small messages needs: one request at a time, answers cut at 16 KiB.
"""

from callpost.edge.http1.attempt import Attempt, Result
from callpost.edge.http1.connection import Answer, Connection, ExchangeFailure, Link
from callpost.edge.http1.digest import Digest
from callpost.edge.http1.head import RequestHead

__all__ = [
    "Answer",
    "Attempt",
    "Connection",
    "Digest",
    "ExchangeFailure",
    "Link",
    "RequestHead",
    "Result",
]
