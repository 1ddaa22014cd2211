"""What the service consists of on a machine: each file, its place and what it holds.

Pure but for the texts of this installation. A file of the configuration is written once and
then belongs to the administrator; every other file belongs to callpost.
"""

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

from msgspec import Struct

# The place that the units name in the source tree.
_USUAL_PROGRAM: Final = "/opt/callpost/bin/callpost"
_PLACE_OF_SUFFIX: Final = {
    ".service": "etc/systemd/system",
    ".socket": "etc/systemd/system",
    ".sysusers": "etc/sysusers.d",
    ".tmpfiles": "etc/tmpfiles.d",
    # An example: a drop-in for those whose systemd knows it.
    ".conf": "usr/local/share/doc/callpost",
}
MANUAL: Final = "usr/local/share/man/man1"
CONFIGURATION: Final = "etc/callpost/callpost.toml"
LINK: Final = "usr/local/bin/callpost"
# Made for callpost alone; the last two by systemd.
FOLDERS: Final = ("usr/local/share/doc/callpost", "run/callpost", "run/callpost-intake")
SCRIPTS: Final = {
    "bash": "usr/local/share/bash-completion/completions/callpost",
    "zsh": "usr/local/share/zsh/site-functions/_callpost",
    "fish": "usr/local/share/fish/vendor_completions.d/callpost.fish",
}
# Where ProtectHome=yes and PrivateTmp=yes of the unit leave nothing to be seen.
_HIDDEN: Final = tuple(map(Path, ("/root", "/home", "/run/user", "/tmp", "/var/tmp")))  # noqa: S108 - nothing is put there
# Whatever else a path may hold would have to be quoted for systemd.
_PLAIN_PATH: Final = re.compile(r"/[\w./+@-]+", re.ASCII)


class Placed(Struct, frozen=True):
    """One file; `place` is relative to the root of the file system."""

    place: str
    content: bytes
    mode: int = 0o644


def units(program: str) -> Iterator[Placed]:
    """The files of systemd, which start `program`."""
    for file in sorted(files("callpost").joinpath("systemd").iterdir(), key=lambda one: one.name):
        name = Path(file.name)
        place = Path(_PLACE_OF_SUFFIX[name.suffix])
        if name.suffix in {".sysusers", ".tmpfiles"}:
            name = name.with_suffix(".conf")
        text = file.read_text("utf-8").replace(_USUAL_PROGRAM, program)
        yield Placed(str(place / name), text.encode())


def texts(pages: Mapping[str, str], scripts: Mapping[str, str]) -> Iterator[Placed]:
    """The manual pages by file, and the completion scripts by shell."""
    for file, page in pages.items():
        yield Placed(f"{MANUAL}/{file}", page.encode())
    for shell, script in scripts.items():
        yield Placed(SCRIPTS[shell], script.encode())


def configuration() -> Placed:
    """The commented reference; it may come to hold secrets."""
    return Placed(CONFIGURATION, files("callpost").joinpath("callpost.toml").read_bytes(), 0o640)


def fault_of_program(program: Path, interpreter: Path) -> str | None:
    """Why a service cannot run `program`, in one sentence; None where it can."""
    if not _PLAIN_PATH.fullmatch(str(program)):
        return f"{str(program)!r} cannot stand in a unit: it needs a plain absolute path."
    for path in (program, interpreter):
        hidden = next((one for one in _HIDDEN if path.is_relative_to(one)), None)
        if hidden is not None:
            return (
                f"{path} lies below {hidden}, which a service does not see: install callpost"
                " elsewhere, for example into a virtual environment at /opt/callpost."
            )
    return None
