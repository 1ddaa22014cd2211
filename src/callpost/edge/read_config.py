"""The files of a configuration: the main file, `conf.d/*.toml` beside it, credentials, TLS files.

What cannot be read is a value with one sentence, never an exception.
"""

import hashlib
import stat
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from msgspec import Struct

from callpost.model.credential import UnreadableCredential
from callpost.model.limits import MIB
from callpost.model.system_error import words_of

# Tens of thousands of subscriptions; more is another kind of file.
_FILE_MAX_BYTES: Final = 16 * MIB
# The longest secrets are private keys, which have a few KiB.
_CREDENTIAL_MAX_BYTES: Final = 64 * 1024


class TextFile(Struct, frozen=True):
    """One configuration file as it is on disk."""

    file: str
    text: bytes


class UnreadableFile(Struct, frozen=True):
    """One that should be there and cannot be read; `sentence` says why."""

    file: str
    sentence: str


def read_texts(path: Path) -> list[TextFile | UnreadableFile]:
    """The main file, then the drop-ins in the order of their names; hidden ones do not count."""
    return [_text(path), *_drop_ins(path.parent / "conf.d")]


def secret_from(
    environment: Mapping[str, str],
) -> Callable[[str, str], str | UnreadableCredential | None]:
    """A look-up of credentials: (directory, name), then $CREDENTIALS_DIRECTORY; None if missing."""
    service_directory = environment.get("CREDENTIALS_DIRECTORY", "")

    def secret(directory: str, name: str) -> str | UnreadableCredential | None:
        for place in (directory, service_directory):
            found = _credential(Path(place) / name) if place else None
            if found is not None:
                return found
        return None

    return secret


def file_fault(path: str) -> str | None:
    """Why a file cannot be read, in words; None where it can."""
    found = _bytes(Path(path), _FILE_MAX_BYTES)
    return found if isinstance(found, str) else None


def file_digests() -> Callable[[str], str]:
    """Digests of files by their paths, "" of one that cannot be read; each is read once."""

    @cache
    def digest(path: str) -> str:
        found = _bytes(Path(path), _FILE_MAX_BYTES)
        return "" if isinstance(found, str) else hashlib.sha256(found).hexdigest()[:32]

    return digest


def _drop_ins(directory: Path) -> Iterator[TextFile | UnreadableFile]:
    try:
        paths = sorted(directory.iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        yield UnreadableFile(str(directory), f"cannot be read: {words_of(error)}")
        return
    for path in paths:
        if path.suffix == ".toml" and not path.name.startswith("."):
            yield _text(path)


def _text(path: Path) -> TextFile | UnreadableFile:
    found = _bytes(path, _FILE_MAX_BYTES)
    return (
        UnreadableFile(str(path), found) if isinstance(found, str) else TextFile(str(path), found)
    )


def _credential(path: Path) -> str | UnreadableCredential | None:
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return UnreadableCredential(f"cannot be read: {words_of(error)}")
    found = _bytes(path, _CREDENTIAL_MAX_BYTES)
    if isinstance(found, str):
        return UnreadableCredential(found)
    try:
        secret = found.decode()
    except UnicodeDecodeError:
        return UnreadableCredential("is not UTF-8")
    return secret.removesuffix("\n").removesuffix("\r") if secret.endswith("\n") else secret


def _bytes(path: Path, most: int) -> bytes | str:
    """What the file holds, or why it cannot be had."""
    try:
        # Opening a pipe waits for its writer, so what is no file is not opened.
        kind = path.stat().st_mode
        if stat.S_ISDIR(kind):
            return "is a directory, not a file"
        if not stat.S_ISREG(kind):
            return "is not a regular file"
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        return f"cannot be read: {words_of(error)}"
    return f"is larger than {most // 1024} KiB" if len(content) > most else content
