"""Files put in place and taken away again, each told in one line, or only told.

A file appears whole or not at all. What is as it should be already is not mentioned.
"""

import os
import tempfile
from pathlib import Path

from msgspec import Struct

from callpost.cli.paper import say
from callpost.cli.service_files import Placed


class Placing(Struct, frozen=True):
    """Works below `root`; where `dry_run`, nothing is changed. Raises OSError."""

    root: Path
    dry_run: bool

    def put(self, placed: Placed) -> None:
        """Write the file unless it is there just so."""
        path = self.root / placed.place
        if not path.exists():
            self._say("write", path)
        elif path.read_bytes() != placed.content:
            self._say("replace", path)
        else:
            return
        if not self.dry_run:
            _write(path, placed)

    def put_once(self, placed: Placed) -> None:
        """Write the file unless there is one: then it is the administrator's."""
        path = self.root / placed.place
        if path.exists():
            say(f"keep     {path}")
        else:
            self.put(placed)

    def link(self, place: str, target: Path) -> None:
        """Let `place` lead to `target`, unless something of another's is there."""
        path = self.root / place
        if path == target or os.path.lexists(path):
            return
        self._say("link", path)
        if not self.dry_run:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(target)

    def remove(self, path: Path) -> bool:
        """Remove the file and say whether there was one."""
        if not os.path.lexists(path):
            return False
        self._say("remove", path)
        if not self.dry_run:
            path.unlink()
        return True

    def remove_empty(self, place: str) -> None:
        """Remove a folder that nothing is left in."""
        path = self.root / place
        if path.is_dir() and not any(path.iterdir()):
            self._say("remove", path)
            if not self.dry_run:
                path.rmdir()

    def _say(self, word: str, path: Path) -> None:
        say(f"{'would ' if self.dry_run else ''}{word:<8} {path}")


def _write(path: Path, placed: Placed) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".callpost-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(placed.content)
            os.fchmod(descriptor, placed.mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise
