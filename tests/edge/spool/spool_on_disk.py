"""The types of the fixtures in this folder."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from callpost.edge.spool import SqliteSpool

OpenSqlite = Callable[[], AbstractAsyncContextManager[SqliteSpool]]
# SQL and its values to rows, over a connection of its own.
Query = Callable[..., list[tuple[object, ...]]]
