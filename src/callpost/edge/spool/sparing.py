"""Deleting where there is no room to overwrite: pages that become free keep what was on them.

To overwrite a page takes room in the write-ahead log, and whoever frees room has none. What is
left in free pages then is for `Keeper` to cut off as soon as there is room again.
"""

import sqlite3
from collections.abc import Callable
from typing import TypeVar

_Result = TypeVar("_Result")


def sparing(
    work: Callable[[sqlite3.Connection], _Result],
) -> Callable[[sqlite3.Connection], _Result]:
    """The same work, which overwrites only what costs no further writing."""

    def done(connection: sqlite3.Connection) -> _Result:
        connection.execute("pragma secure_delete = fast").fetchall()
        try:
            return work(connection)
        finally:
            connection.execute("pragma secure_delete = on").fetchall()

    return done
