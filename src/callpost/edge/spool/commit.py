"""The thread that commits: one, for one task, one commit at a time.

A commit is never abandoned, whatever is cancelled: its connection is the loop's again only when
the thread is done with it.
"""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import trio


class CommitThread:
    """Runs what it is given in a thread of its own, from entering to leaving it.

    To hand something over and back takes 24 us of CPU, through `trio.to_thread` 52: that counts
    where every event waits for a commit of its own.
    """

    def __init__(self) -> None:
        # Held while there is nothing to do; it is the cheapest bell that threads have.
        self._idle = threading.Lock()
        self._idle.acquire()
        self._work: Callable[[], object] | None = None
        self._fault: Exception | None = None
        self._begun_at: float | None = None
        self._thread = threading.Thread(target=self._serve, name="commit")

    def __enter__(self) -> Self:
        self._token = trio.lowlevel.current_trio_token()
        self._thread.start()
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._work = None
        self._idle.release()
        self._thread.join()

    @property
    def out_s(self) -> float:
        """For how long it has been at what it was given; 0 where it has nothing to do."""
        return 0.0 if self._begun_at is None else time.monotonic() - self._begun_at

    async def run(self, work: Callable[[], object]) -> None:
        """Return when `work` has, and raise what it raised; cannot be cancelled."""
        self._work = work
        self._fault = None
        self._begun_at = time.monotonic()
        self._task = trio.lowlevel.current_task()
        self._idle.release()
        await trio.lowlevel.wait_task_rescheduled(lambda _: trio.lowlevel.Abort.FAILED)
        self._begun_at = None
        if self._fault is not None:
            raise self._fault

    def _serve(self) -> None:
        while True:
            self._idle.acquire()
            if self._work is None:
                return
            try:
                self._work()
            except Exception as fault:  # noqa: BLE001 - whoever waits for the work hears of it
                self._fault = fault
            self._token.run_sync_soon(trio.lowlevel.reschedule, self._task)
