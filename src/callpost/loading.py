"""A path to a `Config`: the files are read, then parsed, and all faults come together."""

from collections.abc import Mapping
from pathlib import Path

from callpost.config import Config, Fault, FaultyConfig, Source, parse
from callpost.edge.read_config import TextFile, file_fault, read_texts, secret_from
from callpost.model.terminal import escaped


def load(path: Path, environment: Mapping[str, str]) -> Config:
    """Read and check the configuration; raises `FaultyConfig` with every fault of every file.

    It reads files, and so may block for as long as the disk takes.
    """
    sources: list[Source] = []
    faults: list[Fault] = []
    for read in read_texts(path):
        match read:
            case TextFile(file=file, text=text):
                sources.append(Source(_shown(file), text))
            case unreadable:
                faults.append(Fault(_shown(unreadable.file), "", "file", unreadable.sentence))
    try:
        config = parse(
            sources,
            secret=secret_from(environment),
            environment=environment,
            file_fault=file_fault,
        )
    except FaultyConfig as faulty:
        raise FaultyConfig((*faults, *faulty.faults)) from None
    if faults:
        raise FaultyConfig(faults)
    return config


def _shown(file: str) -> str:
    """The file's name as it can be printed, also where it is no UTF-8."""
    return escaped(file.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"))
