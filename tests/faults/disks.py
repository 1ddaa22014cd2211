"""Disks that fail for real: a small tmpfs, and a file system that obeys orders.

Both are mounted, which takes root; where that is not to be had the test is skipped and says why.
"""

import errno
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import pytest
import trio

_SERVER: Final = Path(__file__).with_name("faulty_disk.py")


def _refusal() -> str:
    """Why nothing can be mounted here, "" where it can."""
    asked = subprocess.run(
        ["/usr/bin/env", "unshare", "--mount", "true"], check=False, capture_output=True, text=True
    )
    if asked.returncode != 0:
        return f"cannot mount anything: {asked.stderr.strip()}"
    return "" if os.access("/dev/fuse", os.R_OK | os.W_OK) else "there is no /dev/fuse to use"


# Asked before a test begins: what is skipped from within a nursery loses its reason.
mounts: Final = pytest.mark.skipif(bool(_refusal()), reason=_refusal() or "it can be mounted")


@contextmanager
def a_small_disk(mount_point: Path, *, size_mib: int) -> Iterator[None]:
    """A tmpfs of that size."""
    mount_point.mkdir()
    mounted = subprocess.run(
        ["/usr/bin/env", "mount", "-t", "tmpfs", "-o", f"size={size_mib}m", "none", mount_point],
        check=False,
        capture_output=True,
        text=True,
    )
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a tmpfs: {mounted.stderr.strip()}")
    try:
        yield
    finally:
        _unmount(mount_point)


class FaultyDisk:
    """What is in force until the next order; an error of 0 is none."""

    def __init__(self, orders: Path) -> None:
        self._orders = orders
        self.obey()

    def obey(self, *, read: int = 0, write: int = 0, flush: int = 0, opening: int = 0) -> None:
        """Fail every such call with this error from now on."""
        with self._orders.open("r+b" if self._orders.exists() else "wb") as file:
            file.write(bytes([read, write, flush, opening]))

    def fail(self) -> None:
        """Fail altogether, as a disk that was pulled out."""
        self.obey(read=errno.EIO, write=errno.EIO, flush=errno.EIO, opening=errno.EIO)


@asynccontextmanager
async def a_faulty_disk(mount_point: Path) -> AsyncIterator[FaultyDisk]:
    """A file system that is well until it is told otherwise."""
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("there is no /dev/fuse that may be used")
    folder, orders = mount_point.with_name("disk"), mount_point.with_name("orders")
    for one in (folder, mount_point):
        one.mkdir()
    disk = FaultyDisk(orders)
    server = await trio.lowlevel.open_process(
        [sys.executable, str(_SERVER), str(folder), str(mount_point), str(orders)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert server.stdout is not None
    assert server.stderr is not None
    async with server.stdout, server.stderr:
        try:
            if not await server.stdout.receive_some():
                said = (await server.stderr.receive_some()).decode().splitlines()
                pytest.skip(f"cannot mount a FUSE file system: {said[-1]}")
            yield disk
        finally:
            disk.obey()
            _unmount(mount_point)
            with trio.CancelScope(shield=True):
                await server.wait()


def _unmount(mount_point: Path) -> None:
    # Lazily: a daemon that a failed test has left may still look at it.
    subprocess.run(
        ["/usr/bin/env", "umount", "--lazy", mount_point], check=False, capture_output=True
    )
