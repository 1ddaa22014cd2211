"""Configurations from a few lines of text, with credentials that need no files."""

from collections.abc import Callable, Mapping

import pytest

from callpost.config import Config, FaultyConfig, Machine, Source, parse
from callpost.model.credential import UnreadableCredential
from callpost.model.endpoint import Endpoint

SECRETS: Mapping[str, str | UnreadableCredential] = {
    "key": "s3cret",
    "empty": "",
    "lines": "one\ntwo",
    "signing": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "proxy": "http://u:p@proxy.example:3128",
    "binary": UnreadableCredential("is not UTF-8"),
}


def _secret(_directory: str, name: str) -> str | UnreadableCredential | None:
    return SECRETS.get(name)


def _file_fault(path: str) -> str | None:
    return "cannot be read: no such file or directory" if path == "/missing.pem" else None


@pytest.fixture
def parsed() -> Callable[..., Config]:
    """Parse one text per file: `parsed(main, drop_in, …)`."""

    def parse_texts(*texts: str, environment: Mapping[str, str] | None = None) -> Config:
        sources = [
            Source(f"conf.d/{number}.toml" if number else "callpost.toml", text.encode())
            for number, text in enumerate(texts)
        ]
        return parse(
            sources,
            secret=_secret,
            environment=environment or {},
            machine=Machine(file_fault=_file_fault, has_group=lambda name: name != "no-such-group"),
        )

    return parse_texts


@pytest.fixture
def faults_of(parsed: Callable[..., Config]) -> Callable[..., list[str]]:
    """The faults of the texts as they are shown; an empty list where there is none."""

    def faults(*texts: str, environment: Mapping[str, str] | None = None) -> list[str]:
        try:
            parsed(*texts, environment=environment)
        except FaultyConfig as faulty:
            return [str(fault) for fault in faulty.faults]
        return []

    return faults


@pytest.fixture
def faults_in(faults_of: Callable[..., list[str]]) -> Callable[..., list[str]]:
    """The faults of one subscription `crm`, without file and path in front of the key."""

    def faults(keys: str, *, url: str = "https://crm.example.com/") -> list[str]:
        text = f'[[subscription]]\nname = "crm"\nurl = "{url}"\n{keys}'
        return [fault.removeprefix("callpost.toml: subscription.crm.") for fault in faults_of(text)]

    return faults


@pytest.fixture
def endpoints(parsed: Callable[..., Config]) -> Callable[..., tuple[Endpoint, ...]]:
    """All endpoints of the one subscription, the callback last."""

    def found(url: str, keys: str = "") -> tuple[Endpoint, ...]:
        (one,) = parsed(f'[[subscription]]\nname = "crm"\nurl = "{url}"\n{keys}').subscriptions
        return (*one.endpoints, one.callback) if one.callback else one.endpoints

    return found
