"""What every benchmark is given: a folder, the shared nginx, the sizes, and a voice."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

from bench.nginx import Nginx
from bench.scale import Scale


class Setting:
    """One benchmark's surroundings; `say` tells whoever waits what is being done."""

    def __init__(
        self, folder: Path, *, nginx: Nginx, scale: Scale, say: Callable[[str], None]
    ) -> None:
        self._folder = folder
        self._numbers = count(1)
        self.nginx = nginx
        self.scale = scale
        self.say = say

    def place(self, name: str) -> Path:
        """A path for a folder that nobody has had before; short, for sockets lie in it."""
        return self._folder / f"{next(self._numbers)}-{name}"
