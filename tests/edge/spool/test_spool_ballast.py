"""The ballast in the state directory, beside tests on a disk that is really full."""

import stat
from pathlib import Path

import pytest

from callpost.edge.logs import collecting_log
from callpost.edge.spool import open_spool
from callpost.edge.spool.ballast import BALLAST_BYTES, Ballast
from callpost.model.limits import SpoolLimits

LOG = collecting_log(lambda _: None)


def test_a_ballast_is_laid_when_the_spool_is_opened(directory: Path) -> None:
    """Its blocks are taken, not just its length."""
    open_spool(directory, limits=SpoolLimits(), log=LOG).close()
    status = (directory / "ballast").stat()
    assert (status.st_size, stat.S_IMODE(status.st_mode)) == (BALLAST_BYTES, 0o600)
    assert status.st_blocks * 512 >= BALLAST_BYTES


def laid(directory: Path, lines: list[object]) -> Ballast:
    """A ballast as the spool has it once it is open."""
    ballast = Ballast(directory, log=collecting_log(lines.append))
    ballast.lay()
    return ballast


def test_a_dropped_ballast_is_gone(tmp_path: Path) -> None:
    """Once: there is nothing more to drop."""
    ballast = laid(tmp_path, [])
    assert [ballast.drop(), ballast.drop()] == [True, False]
    assert not (tmp_path / "ballast").exists()


async def test_a_dropped_ballast_is_laid_again(tmp_path: Path) -> None:
    """As soon as there is room, which here there is."""
    ballast = laid(tmp_path, [])
    ballast.drop()
    assert ballast.holds()
    assert (tmp_path / "ballast").stat().st_size == BALLAST_BYTES


def test_a_place_where_no_ballast_can_be_does_without(tmp_path: Path) -> None:
    """Whatever is wrong with the file, events are accepted: the disk is not full."""
    (tmp_path / "ballast").mkdir()
    lines: list[object] = []
    assert (laid(tmp_path, lines).drop(), lines) == (False, [])


@pytest.mark.parametrize("size_bytes", [0, BALLAST_BYTES - 1])
def test_a_ballast_that_was_cut_short_is_filled_up(tmp_path: Path, size_bytes: int) -> None:
    """As a crash may have left it."""
    (tmp_path / "ballast").write_bytes(b"x" * size_bytes)
    laid(tmp_path, [])
    assert (tmp_path / "ballast").stat().st_size == BALLAST_BYTES
