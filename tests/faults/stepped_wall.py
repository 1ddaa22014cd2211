"""Runs callpost with a wall clock of its own: `stepped_wall.py OFFSET python -m callpost run …`.

OFFSET is a file with eight bytes, a double: so many seconds the clock is ahead, as of now. Time
namespaces have no wall clock; so it is stepped where Python asks for it, before anything else is
imported. The monotonic clock is left alone, as a step of the machine's clock leaves it.
"""

import mmap
import runpy
import struct
import sys
import time
from pathlib import Path


def main() -> None:
    """Step the clock and become callpost; `-m callpost` and what follows are its own."""
    offset, _python, _dash_m, module, *words = sys.argv[1:]
    with Path(offset).open("rb") as file:
        ahead = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)
    machine_time = time.time

    def stepped_time() -> float:
        return machine_time() + float(struct.unpack("d", ahead[:8])[0])

    time.time = stepped_time
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
