"""The texts of the last good configuration, kept in the state directory.

They are replaced in one step, and are on disk before `keep` returns; nobody but the daemon's own
user may read them, for a text may hold a secret.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_NAME: Final = "config.last-good"
_FORMAT: Final = 1
# All that a configuration may have, with room for the escapes of JSON.
_MAX_BYTES: Final = 256 * 1024 * 1024


def keep(directory: Path, *, main: str, texts: Sequence[tuple[str, bytes]]) -> None:
    """Replace what is kept by these texts, each with its file's name; raises OSError.

    `main` is the path of the main file: another configuration finds nothing here.
    """
    kept = {
        "format": _FORMAT,
        "main": os.fsencode(main).decode("utf-8", "backslashreplace"),
        "texts": [[file, text.decode("utf-8", "surrogateescape")] for file, text in texts],
    }
    content = json.dumps(kept).encode()
    fresh = directory / f".{_NAME}.new"
    fresh.unlink(missing_ok=True)
    with _descriptor(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as descriptor:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    fresh.replace(directory / _NAME)
    with _descriptor(directory, os.O_RDONLY | os.O_DIRECTORY) as descriptor:
        os.fsync(descriptor)


def kept(directory: Path, *, main: str) -> list[tuple[str, bytes]] | None:
    """What was kept last for this main file; None where there is nothing that can be used."""
    try:
        with (directory / _NAME).open("rb") as file:
            found = json.loads(file.read(_MAX_BYTES))
        if found["format"] != _FORMAT:
            return None
        if found["main"] != os.fsencode(main).decode("utf-8", "backslashreplace"):
            return None
        texts = ((str(file), str(text)) for file, text in found["texts"])
        return [(file, text.encode("utf-8", "surrogateescape")) for file, text in texts]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        # Whatever is there, it is not what `keep` has written.
        return None


@contextmanager
def _descriptor(path: Path, flags: int) -> Iterator[int]:
    descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
