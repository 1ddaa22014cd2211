"""`callpost`, run by its own `main`, with the calls of Python functions counted from SIGUSR1 on.

`count_calls.py FILE ARGUMENT…` runs `callpost ARGUMENT…` and leaves the count in FILE. A function
counts each time it is entered, a coroutine also each time it goes on.
"""

import signal
import sys
from pathlib import Path
from types import FrameType

from callpost.__main__ import main


class Counter:
    """Counts in this thread, where the event loop is."""

    def __init__(self) -> None:
        self.calls = 0

    def begin(self, _signal: int, _frame: FrameType | None) -> None:
        """Count from here on."""
        sys.setprofile(self._count)

    def _count(self, _frame: FrameType, event: str, _argument: object) -> None:
        self.calls += event == "call"


if __name__ == "__main__":
    counter = Counter()
    signal.signal(signal.SIGUSR1, counter.begin)
    result = Path(sys.argv.pop(1))
    try:
        main()
    finally:
        sys.setprofile(None)
        result.write_text(str(counter.calls))
