"""The texts of the last good configuration: written in one step, read with suspicion."""

from pathlib import Path

import pytest

from callpost.edge.last_good import keep, kept

TEXTS = [("/etc/callpost.toml", "# größer\r\n".encode()), ("b", b"")]


def test_what_was_kept_is_there(tmp_path: Path) -> None:
    """Byte by byte."""
    keep(tmp_path, main="/etc/callpost.toml", texts=TEXTS)
    assert kept(tmp_path, main="/etc/callpost.toml") == TEXTS


def test_the_last_one_counts(tmp_path: Path) -> None:
    """It takes the place of the one before."""
    keep(tmp_path, main="m", texts=[("m", b"one")])
    keep(tmp_path, main="m", texts=[("m", b"two")])
    assert kept(tmp_path, main="m") == [("m", b"two")]


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    """A text may hold a secret."""
    keep(tmp_path, main="m", texts=TEXTS)
    assert [path.stat().st_mode & 0o777 for path in tmp_path.iterdir()] == [0o600]


def test_another_configuration_finds_nothing(tmp_path: Path) -> None:
    """Whoever tries something out beside it must not get the real one."""
    keep(tmp_path, main="m", texts=TEXTS)
    assert kept(tmp_path, main="other") is None


def test_a_crash_in_between_leaves_the_old_one(tmp_path: Path) -> None:
    """And what it left behind is no obstacle to the next."""
    keep(tmp_path, main="m", texts=[("m", b"one")])
    (tmp_path / ".config.last-good.new").write_bytes(b"half")
    assert kept(tmp_path, main="m") == [("m", b"one")]
    keep(tmp_path, main="m", texts=[("m", b"two")])
    assert kept(tmp_path, main="m") == [("m", b"two")]


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"[]", b"null", b"{}", b"\xff", b"[" * 100_000),
        b'{"format": 2, "main": "m", "texts": []}',
        b'{"format": 1, "main": "m", "texts": [1]}',
        b'{"format": 1, "main": "m", "texts": [["a"]]}',
        b'{"format": 1, "main": "m"}',
    ],
)
def test_what_is_damaged_is_nothing(tmp_path: Path, content: bytes) -> None:
    """No fault of that file can stop a start."""
    (tmp_path / "config.last-good").write_bytes(content)
    assert kept(tmp_path, main="m") is None


def test_a_directory_that_is_not_there_has_nothing(tmp_path: Path) -> None:
    """Nothing was ever started there."""
    assert kept(tmp_path / "nowhere", main="m") is None


def test_what_cannot_be_kept_is_an_error(tmp_path: Path) -> None:
    """Whoever keeps it decides what that means."""
    with pytest.raises(OSError, match="No such file"):
        keep(tmp_path / "nowhere", main="m", texts=TEXTS)
