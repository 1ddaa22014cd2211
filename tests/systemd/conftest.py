"""The package and a machine of one's own, for the tests on a real systemd."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from systemd.machine import Machine, booted, reason_to_skip

ROOT = Path(__file__).parents[2]
DPKG_DEB = "/usr/bin/dpkg-deb"


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the machines find at /mnt: two packages, one newer, and the programs of the tests."""
    if (reason := reason_to_skip()) is not None:
        pytest.skip(reason)
    place = tmp_path_factory.mktemp("files")
    built = subprocess.run(
        [ROOT / ".ci/deb", place],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
    )
    assert built.returncode == 0, built.stdout
    [package] = place.glob("callpost_*.deb")
    package.rename(place / "callpost.deb")
    make_newer(place / "callpost.deb", place / "newer.deb", place / "unpacked")
    for program in Path(__file__).parent.glob("*_in_machine.py"):
        shutil.copy(program, place)
    return place


def make_newer(package: Path, newer: Path, place: Path) -> None:
    """The same package with a higher version."""
    subprocess.run([DPKG_DEB, "--raw-extract", package, place], check=True)
    control = place / "DEBIAN/control"
    control.write_text(control.read_text().replace("-1\n", "-2\n", 1))
    subprocess.run([DPKG_DEB, "--build", place, newer], check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(place)


@pytest.fixture
def own_machine(tmp_path: Path, files: Path) -> Iterator[Machine]:
    """A machine for one test."""
    with booted(tmp_path / "machine", files) as machine:
        yield machine
