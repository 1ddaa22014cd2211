"""A daemon as a child process that need not import itself: forked off one that has done so already.

Two hundred tests start a daemon, and three quarters of what a start costs are imports. What is
forked is `callpost run` as it is: its own process, arguments, environment, signals and files.
"""

import io
import os
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from typing import Final

import trio

# What a daemon has imported once it runs, and what leads there.
_IMPORTED: Final = (
    *("callpost.__main__", "callpost.cli.run", "callpost.daemon", "callpost.loading"),
    *("callpost.edge.logs", "callpost.edge.metrics.page", "callpost.edge.serve_asgi"),
    *("callpost.edge.send_http_negotiated", "callpost.sites"),
)


class Forked:
    """A running `callpost`; what of `trio.Process` the tests use."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        reader, writer = _server().Pipe(duplex=False)
        self._process = _server().Process(
            target=_become_callpost, args=(arguments, dict(environment), writer), daemon=True
        )
        self._process.start()
        writer.close()
        assert self._process.pid is not None
        self.pid = self._process.pid
        self.stdout = trio.lowlevel.FdStream(os.dup(reader.fileno()))
        reader.close()

    @property
    def returncode(self) -> int | None:
        """The exit status, negative for a signal; None as long as it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """The same."""
        return self.returncode

    def send_signal(self, number: int) -> None:
        """To the process, if it is still there."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """As `kill -9` does."""
        self._process.kill()

    async def wait(self) -> int:
        """Return the exit status once it has ended."""
        if self.returncode is None:
            await trio.lowlevel.wait_readable(self._process.sentinel)
        ended = self.returncode
        assert ended is not None
        return ended


@cache
def _server() -> ForkServerContext:
    server = get_context("forkserver")
    # Without `__main__` each child would import pytest, as the program that it is a child of.
    server.set_forkserver_preload(["__main__", __name__, *_IMPORTED])
    return server


def _become_callpost(
    arguments: Sequence[str], environment: Mapping[str, str], out: Connection
) -> None:
    from callpost.__main__ import main  # noqa: PLC0415 - this module is the tests' as well

    os.environ.clear()
    os.environ.update(environment)
    os.dup2(out.fileno(), 1)
    out.close()
    # As `python -u` has it.
    sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), write_through=True)
    sys.argv = ["callpost", *arguments]
    main()
