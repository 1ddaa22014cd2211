"""A path becomes a configuration, or all faults of all its files."""

from pathlib import Path

import pytest

from callpost.config import FaultyConfig
from callpost.loading import load

SUBSCRIPTION = '[[subscription]]\nname = "a"\nurl = "https://h/"\n'


def test_files_credentials_and_defaults_come_together(tmp_path: Path) -> None:
    """The directory of credentials is itself a value of the configuration."""
    (tmp_path / "token").write_text("s3cret\n")
    main = tmp_path / "callpost.toml"
    main.write_text(f'credentials_directory = "{tmp_path}"\n')
    (tmp_path / "conf.d").mkdir()
    drop_in = SUBSCRIPTION + 'auth = { type = "bearer", token = "credential:token" }'
    (tmp_path / "conf.d" / "a.toml").write_text(drop_in)
    (found,) = load(main, {}).subscriptions
    assert "s3cret" in repr(found.endpoints[0])


def test_unreadable_files_and_faults_are_told_together(tmp_path: Path) -> None:
    """A file that cannot be read does not hide what is wrong with the others."""
    main = tmp_path / "callpost.toml"
    main.write_text(SUBSCRIPTION + 'tls = { ca_file = "/nowhere/ca.pem" }')
    (tmp_path / "conf.d" / "a.toml").mkdir(parents=True)
    with pytest.raises(FaultyConfig) as caught:
        load(main, {})
    assert [str(fault) for fault in caught.value.faults] == [
        f"{tmp_path}/conf.d/a.toml: file: is a directory, not a file",
        f"{main}: subscription.a.tls.ca_file: file: cannot be read: no such file or directory",
    ]


def test_an_unreadable_file_alone_is_a_fault(tmp_path: Path) -> None:
    """Nothing runs on half of its configuration."""
    with pytest.raises(FaultyConfig, match=r"file: cannot be read: no such file or directory$"):
        load(tmp_path / "callpost.toml", {})


def test_a_name_that_would_disturb_a_terminal_is_escaped(tmp_path: Path) -> None:
    """Names of files come from outside, too."""
    main = tmp_path / "a\x1b[2J\udcff.toml"
    with pytest.raises(FaultyConfig) as caught:
        load(main, {})
    assert caught.value.faults[0].file == f"{tmp_path}/a\\x1b[2J\\xff.toml"
