"""The receivers that are programs of our own, each in a process of its own.

They end with their standard input, so also when the benchmark dies.
"""

import json
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.children import environment_of_children
from bench.findings import CannotMeasure

_HERE: Final = Path(__file__).parent
_ANSWER_S: Final = 30.0


class Receiver:
    """One of them: its ports, and a question that it answers."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.ports = [int(word) for word in self._line().split()]

    def ask(self) -> list[float]:
        """What it has counted, or the ages since the last question."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        answer: list[float] = json.loads(self._line())
        return answer

    def _line(self) -> str:
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], _ANSWER_S)[0]:
            raise CannotMeasure("A receiver does not answer.")
        return self._process.stdout.readline()


@contextmanager
def receiver_running(program: str) -> Iterator[Receiver]:
    """Run `receive_PROGRAM.py`: `and_time`, `lines` or `badly`."""
    with subprocess.Popen(
        [sys.executable, str(_HERE / f"receive_{program}.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment_of_children(),
        start_new_session=True,
    ) as process:
        try:
            yield Receiver(process)
        finally:
            process.terminate()
