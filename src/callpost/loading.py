"""A path to a `Config`: the files are read, then parsed, and all faults come together.

What was good is kept, as texts, in the state directory: a start with a faulty file goes on with
that. Credentials and TLS files are never kept: those of now count. No start fails by what concerns
one subscription alone, or may come yet.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from callpost.config import (
    Config,
    Fault,
    FaultyConfig,
    Machine,
    Source,
    parse,
    state_directories,
)
from callpost.edge.groups import has_group
from callpost.edge.last_good import keep, kept
from callpost.edge.read_config import TextFile, file_digests, file_fault, read_texts, secret_from
from callpost.edge.tls_authorities import authorities_fault
from callpost.edge.tls_pair import pair_fault
from callpost.model.terminal import visible


class Loaded(Struct, frozen=True):
    """A configuration, and the texts that it was made of.

    `faults` are those of the files as they are, where these could not be used.
    """

    config: Config
    texts: tuple[Source, ...] = ()
    faults: tuple[Fault, ...] = ()


class ConfigFiles:
    """The files of the configuration at `path`, as often as they are to be read.

    Every method reads or writes files, and so may block for as long as the disk takes.
    """

    def __init__(self, path: Path, environment: Mapping[str, str]) -> None:
        self.path = path
        self._environment = environment

    def load(self) -> Loaded:
        """Read and check; raises `FaultyConfig` with every fault of every file."""
        sources, unreadable = _read(self.path)
        try:
            config = self._parsed(sources)
        except FaultyConfig as faulty:
            raise FaultyConfig((*unreadable, *faulty.faults)) from None
        if unreadable:
            raise FaultyConfig(unreadable)
        return Loaded(config, tuple(sources))

    def load_for_start(self) -> Loaded:
        """As `load`, but where the files are faulty the last good ones, if there are any.

        Where only the TLS files of subscriptions, or a group, are not as they should be, each is
        a warning.
        """
        try:
            return self.load()
        except FaultyConfig as faulty:
            if (warned := self._warned(faulty.faults)) is not None:
                return warned
            if (good := self._last_good()) is None:
                raise
            return Loaded(good.config, good.texts, faulty.faults)

    def keep(self, loaded: Loaded) -> None:
        """Keep this as the last good configuration; raises OSError."""
        texts = [(source.file, source.text) for source in loaded.texts]
        keep(Path(loaded.config.state_directory), main=self._main, texts=texts)

    def _warned(self, faults: tuple[Fault, ...]) -> Loaded | None:
        """The files as they are, where they have no faults but those that a start puts up with."""
        sources, unreadable = _read(self.path)
        try:
            config = self._parsed(sources, for_start=True)
        except FaultyConfig:
            return None
        warned = replace(config, warnings=(*config.warnings, *faults))
        return None if unreadable else Loaded(warned, tuple(sources))

    def _last_good(self) -> Loaded | None:
        sources, _ = _read(self.path)
        for directory in state_directories(sources, self._environment):
            texts = kept(Path(directory), main=self._main)
            if texts is None:
                continue
            good = tuple(Source(file, text) for file, text in texts)
            try:
                return Loaded(self._parsed(good, for_start=True), good)
            except FaultyConfig:
                # Its credentials have gone, or it is from a version that knew other keys.
                continue
        return None

    @property
    def _main(self) -> str:
        return str(self.path.absolute())

    def _parsed(self, sources: Sequence[Source], *, for_start: bool = False) -> Config:
        return parse(
            sources,
            secret=secret_from(self._environment),
            environment=self._environment,
            machine=_machine_at_start() if for_start else _machine(),
        )


def load(path: Path, environment: Mapping[str, str]) -> Config:
    """Read and check the configuration; raises `FaultyConfig` with every fault of every file."""
    return ConfigFiles(path, environment).load().config


def _machine() -> Machine:
    """All that can be known before anything runs."""
    machine = _machine_at_start()
    return replace(
        machine,
        client_pair_fault=machine.pair_fault,
        authorities_fault=cache(authorities_fault),
        has_group=has_group,
    )


def _machine_at_start() -> Machine:
    """Thousands of subscriptions may share a file: it is read once, and anew at the next load."""
    return Machine(
        file_fault=cache(file_fault), file_digest=file_digests(), pair_fault=cache(pair_fault)
    )


def _read(path: Path) -> tuple[list[Source], list[Fault]]:
    sources: list[Source] = []
    faults: list[Fault] = []
    for read in read_texts(path):
        match read:
            case TextFile(file=file, text=text):
                sources.append(Source(_shown(file), text))
            case unreadable:
                faults.append(Fault(_shown(unreadable.file), "", "file", unreadable.sentence))
    return sources, faults


def _shown(file: str) -> str:
    """The file's name as it can be printed, also where it is no UTF-8."""
    return visible(file.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"))
