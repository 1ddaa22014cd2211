"""Tells a file that is damaged from a disk that fails.

SQLite calls both a malformed image: what a disk refuses to read (EIO) it takes for a page that
makes no sense. So the file is read here, in many places, past the kernel's memory of it.
"""

import os
from typing import Final

_SAMPLES: Final = 64
_SAMPLE_BYTES: Final = 4_096


def refused(descriptor: int) -> OSError | None:
    """Return what the disk says where it refuses half of the file or more.

    A few places that it refuses are a damaged file: they will not come back.
    """
    faults: list[OSError] = []
    size_bytes = os.fstat(descriptor).st_size
    places = range(0, size_bytes, max(_SAMPLE_BYTES, size_bytes // _SAMPLES))
    for place in places:
        try:
            os.posix_fadvise(descriptor, place, _SAMPLE_BYTES, os.POSIX_FADV_DONTNEED)
            os.pread(descriptor, _SAMPLE_BYTES, place)
        except OSError as fault:
            faults.append(fault)
    return faults[0] if faults and 2 * len(faults) >= len(places) else None
