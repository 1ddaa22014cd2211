"""The authorities in a file, and what is said of a file that has none."""

from pathlib import Path

import pytest
import trustme

from callpost.edge.tls_authorities import authorities_fault


def test_authorities_are_no_fault(tmp_path: Path) -> None:
    """As many as there are."""
    path = tmp_path / "ca.pem"
    path.write_bytes(b"".join(trustme.CA().cert_pem.bytes() for _ in range(3)))
    assert authorities_fault(str(path)) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\xff" * 99,
        b"root:x:0:0\n",
        b"-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\n",
    ],
)
def test_a_file_without_authorities_is_told(tmp_path: Path, content: bytes) -> None:
    """Whatever it is."""
    path = tmp_path / "ca.pem"
    path.write_bytes(content)
    assert authorities_fault(str(path)) == "must hold certificates of authorities in PEM"


def test_a_file_that_is_missing_is_told(tmp_path: Path) -> None:
    """In the words of the system."""
    path = tmp_path / "none.pem"
    assert authorities_fault(str(path)) == "cannot be read: no such file or directory"
