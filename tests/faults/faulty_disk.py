"""A file system that fails when it is told to: every call goes to a folder, or to the dogs.

Speaks the kernel's FUSE protocol itself (linux/fuse.h, version 7.31) and needs root to be mounted:
`python faulty_disk.py FOLDER MOUNT_POINT ORDERS`. ORDERS is a file of four bytes, looked at
before each call: the error of reads, of writes, of flushes, of opening for writing; 0 is none.
The index of a write-ahead log is memory, and is spared.
"""

import ctypes
import errno
import mmap
import os
import stat
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

_IN: Final = struct.Struct("<IIQQIIIHH")
_OUT: Final = struct.Struct("<IiQ")
_ATTRIBUTES: Final = struct.Struct("<6Q3I7I")
_ENTRY: Final = struct.Struct("<4Q2I")
_INIT_OUT: Final = struct.Struct("<4I2H2I2HI28x")
_OPENED: Final = struct.Struct("<QI4x")
_READ: Final = struct.Struct("<QQI")
_SETATTR: Final = struct.Struct("<I4xQQQQQQ3II4xII4x")
_STATFS: Final = struct.Struct("<5Q4I24x")
_FALLOCATE: Final = struct.Struct("<QQQI4x")
_ROOT: Final = 1
_DIRECT_IO: Final = 1
_WRITE_MAX: Final = 128 * 1024
_MODE, _SIZE = 1, 8
_READ_FAILS, _WRITE_FAILS, _FLUSH_FAILS, _OPEN_FAILS = range(4)


class Disk:
    """Answers the kernel, one request at a time."""

    def __init__(self, folder: Path, orders: mmap.mmap) -> None:
        self._orders = orders
        self._paths = {_ROOT: folder}
        self._last = _ROOT
        self._answers: dict[int, Callable[[int, bytes], bytes]] = {
            1: self._lookup,
            3: self._attributes,
            4: self._change,
            9: self._make_directory,
            10: self._unlink,
            11: self._remove_directory,
            12: lambda node, data: self._rename(node, data, 8),
            14: self._open,
            15: self._read,
            16: self._write,
            17: self._statistics,
            18: self._close,
            20: self._flush,
            25: lambda _, __: b"",
            26: self._begin,
            27: lambda _, __: _OPENED.pack(0, 0),
            28: self._list,
            29: lambda _, __: b"",
            30: self._flush_directory,
            35: self._create,
            43: self._allocate,
            45: lambda node, data: self._rename(node, data, 16),
        }

    def serve(self, device: int) -> None:
        """Answer until it is unmounted."""
        while True:
            try:
                request = os.read(device, _WRITE_MAX + 4_096)
            except OSError as fault:
                if fault.errno == errno.ENODEV:
                    return
                continue
            _, operation, unique, node, *_ = _IN.unpack_from(request)
            # FORGET, INTERRUPT and BATCH_FORGET are not answered.
            if operation not in {2, 36, 42}:
                code, answer = self._answered(operation, node, request[_IN.size :])
                os.write(device, _OUT.pack(_OUT.size + len(answer), -code, unique) + answer)

    def _answered(self, operation: int, node: int, data: bytes) -> tuple[int, bytes]:
        if operation not in self._answers:
            return errno.ENOSYS, b""
        try:
            return 0, self._answers[operation](node, data)
        except OSError as fault:
            return fault.errno or errno.EIO, b""

    def _obey(self, order: int, path: Path) -> None:
        code = self._orders[order]
        if code and not path.name.endswith("-shm"):
            raise OSError(code, os.strerror(code))

    def _begin(self, _: int, data: bytes) -> bytes:
        _, minor, readahead, _ = struct.unpack_from("<4I", data)
        return _INIT_OUT.pack(7, min(minor, 31), readahead, 0, 12, 9, _WRITE_MAX, 1, 32, 0, 0)

    def _lookup(self, node: int, data: bytes) -> bytes:
        return self._entry(self._child(node, data))

    def _entry(self, path: Path) -> bytes:
        found = path.lstat()
        known = [node for node, one in self._paths.items() if one == path]
        if not known:
            self._last += 1
            self._paths[self._last] = path
        node = known[0] if known else self._last
        return _ENTRY.pack(node, 0, 0, 0, 0, 0) + _packed(node, found)

    def _attributes(self, node: int, _: bytes) -> bytes:
        return struct.pack("<QII", 0, 0, 0) + _packed(node, self._paths[node].lstat())

    def _change(self, node: int, data: bytes) -> bytes:
        valid, _, size, *_, mode, _, _ = _SETATTR.unpack_from(data)
        path = self._paths[node]
        if valid & _MODE:
            path.chmod(stat.S_IMODE(mode))
        if valid & _SIZE:
            self._obey(_WRITE_FAILS, path)
            os.truncate(path, size)
        return self._attributes(node, data)

    def _make_directory(self, node: int, data: bytes) -> bytes:
        mode, umask = struct.unpack_from("<II", data)
        path = self._child(node, data[8:])
        path.mkdir(mode & ~umask)
        return self._entry(path)

    def _unlink(self, node: int, data: bytes) -> bytes:
        self._forget(path := self._child(node, data))
        path.unlink()
        return b""

    def _remove_directory(self, node: int, data: bytes) -> bytes:
        self._forget(path := self._child(node, data))
        path.rmdir()
        return b""

    def _rename(self, node: int, data: bytes, names_at: int) -> bytes:
        [target] = struct.unpack_from("<Q", data)
        before, after, _ = data[names_at:].split(b"\0", 2)
        old, new = self._child(node, before), self._child(target, after)
        self._forget(new)
        old.rename(new)
        self._paths = {one: new if path == old else path for one, path in self._paths.items()}
        return b""

    def _open(self, node: int, data: bytes) -> bytes:
        [flags] = struct.unpack_from("<I", data)
        path = self._paths[node]
        if flags & os.O_ACCMODE != os.O_RDONLY:
            self._obey(_OPEN_FAILS, path)
        return self._opened(path, flags & ~os.O_CREAT & ~os.O_EXCL)

    def _create(self, node: int, data: bytes) -> bytes:
        flags, mode, umask = struct.unpack_from("<III", data)
        path = self._child(node, data[16:])
        self._obey(_OPEN_FAILS, path)
        self._obey(_WRITE_FAILS, path)
        opened = self._opened(path, flags | os.O_CREAT, mode & ~umask)
        return self._entry(path) + opened

    def _opened(self, path: Path, flags: int, mode: int = 0o600) -> bytes:
        # What is mapped into memory cannot do without the kernel's cache; the rest must, so that
        # every read comes here.
        direct = 0 if path.name.endswith("-shm") else _DIRECT_IO
        return _OPENED.pack(os.open(path, flags | os.O_CLOEXEC, mode), direct)

    def _read(self, node: int, data: bytes) -> bytes:
        handle, offset, size = _READ.unpack_from(data)
        self._obey(_READ_FAILS, self._paths[node])
        return os.pread(handle, size, offset)

    def _write(self, node: int, data: bytes) -> bytes:
        handle, offset, size = _READ.unpack_from(data)
        self._obey(_WRITE_FAILS, self._paths[node])
        return struct.pack("<I4x", os.pwrite(handle, data[40 : 40 + size], offset))

    def _allocate(self, node: int, data: bytes) -> bytes:
        handle, offset, size, _ = _FALLOCATE.unpack_from(data)
        self._obey(_WRITE_FAILS, self._paths[node])
        os.posix_fallocate(handle, offset, size)
        return b""

    def _flush(self, node: int, _: bytes) -> bytes:
        self._obey(_FLUSH_FAILS, self._paths[node])
        return b""

    def _flush_directory(self, _: int, __: bytes) -> bytes:
        return b""

    def _close(self, _: int, data: bytes) -> bytes:
        [handle] = struct.unpack_from("<Q", data)
        os.close(handle)
        return b""

    def _list(self, node: int, data: bytes) -> bytes:
        _, offset, size = _READ.unpack_from(data)
        names = [".", "..", *sorted(path.name for path in self._paths[node].iterdir())]
        listed = b""
        for place, name in enumerate(names[offset:], offset + 1):
            encoded = name.encode()
            one = struct.pack("<QQII", place, place, len(encoded), 0) + encoded
            one += bytes(-len(one) % 8)
            if len(listed) + len(one) > size:
                break
            listed += one
        return listed

    def _statistics(self, _: int, __: bytes) -> bytes:
        free = 0 if self._orders[_WRITE_FAILS] == errno.ENOSPC else 1 << 20
        return _STATFS.pack(1 << 21, free, free, 1 << 20, 1 << 20, 4_096, 255, 4_096, 0)

    def _child(self, node: int, name: bytes) -> Path:
        return self._paths[node] / name.split(b"\0", 1)[0].decode()

    def _forget(self, path: Path) -> None:
        # A file that is open still has its node; it only has no name any more.
        self._paths = {
            node: known.with_name(f".gone-{node}") if known == path else known
            for node, known in self._paths.items()
        }


def _packed(node: int, found: os.stat_result) -> bytes:
    times = (int(found.st_atime), int(found.st_mtime), int(found.st_ctime))
    who = (found.st_mode, found.st_nlink, found.st_uid, found.st_gid, 0, 4_096, 0)
    return _ATTRIBUTES.pack(node, found.st_size, found.st_blocks, *times, 0, 0, 0, *who)


def main(folder: Path, mount_point: Path, orders: Path) -> None:
    """Mount, say so, and serve until it is unmounted."""
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()},allow_other"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"faulty", bytes(mount_point), b"fuse", 0, options.encode()) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    with orders.open("r+b") as file, mmap.mmap(file.fileno(), 4) as told:
        sys.stdout.write("mounted\n")
        sys.stdout.flush()
        Disk(folder, told).serve(device)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
