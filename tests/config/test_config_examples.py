"""Each example file works once its credentials are there."""

from pathlib import Path

import pytest

from callpost.config import Config
from callpost.loading import load

EXAMPLES = Path(__file__).parents[2] / "config" / "examples"
CREDENTIALS = {
    "portsip-password": "secret\n",
    "signalwire-token": "secret\n",
    "basip-signing": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n",
}


def _loaded(example: Path, folder: Path) -> Config:
    for name, secret in CREDENTIALS.items():
        (folder / name).write_text(secret)
    main = folder / "callpost.toml"
    main.write_text(f'credentials_directory = "{folder}"\n')
    (folder / "conf.d").mkdir()
    (folder / "conf.d" / example.name).write_bytes(example.read_bytes())
    return load(main, {})


def test_there_is_an_example_for_each_system() -> None:
    """The five whose subscriptions callpost takes over."""
    assert sorted(path.stem for path in EXAMPLES.glob("*.toml")) == [
        "basip",
        "portsip",
        "signalwire",
        "telecomx",
        "voipnow",
    ]


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.stem)
def test_an_example_passes_the_check(example: Path, tmp_path: Path) -> None:
    """Without fault and without warning."""
    config = _loaded(example, tmp_path)
    assert (bool(config.subscriptions), config.warnings) == (True, ())


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.stem)
def test_an_example_says_where_it_belongs(example: Path) -> None:
    """Its first lines are for the operator who copies it."""
    assert f"/etc/callpost/conf.d/{example.name}" in example.read_text()
