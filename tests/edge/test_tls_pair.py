"""A certificate and its key from their files, and what is said of those that are no pair."""

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from callpost.edge.tls_pair import PairUnusable, ServerTls, context_of, pair_fault
from callpost.model.api_door import TlsPair

Written = Callable[[str, bytes], str]

NOT_PEM = "cert and key must be a certificate and its private key in PEM"
NOT_ITS_KEY = "the key is not that of the certificate"


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Write a file, get its path."""

    def write(name: str, content: bytes) -> str:
        path = tmp_path / name
        path.write_bytes(content)
        return str(path)

    return write


def made(key_type: trustme.KeyType = trustme.KeyType.ECDSA) -> tuple[bytes, bytes]:
    """A certificate and its key."""
    one = trustme.CA().issue_cert("api.example", key_type=key_type)
    return one.cert_chain_pems[0].bytes(), one.private_key_pem.bytes()


@pytest.mark.parametrize("key_type", trustme.KeyType)
def test_a_pair_is_no_fault(written: Written, key_type: trustme.KeyType) -> None:
    """Whatever the kind of its key."""
    cert, key = made(key_type)
    assert pair_fault(written("cert", cert), written("key", key)) is None


def test_both_may_stand_in_one_file(written: Written) -> None:
    """As some programs write them."""
    cert, key = made()
    both = written("both", key + cert)
    assert pair_fault(both, both) is None


@pytest.mark.parametrize("key_type", trustme.KeyType)
def test_a_key_of_another_certificate_is_told(written: Written, key_type: trustme.KeyType) -> None:
    """Also where it is of another kind."""
    (cert, _), (_, key) = made(), made(key_type)
    assert pair_fault(written("cert", cert), written("key", key)) == NOT_ITS_KEY


def test_an_encrypted_key_is_told(written: Written) -> None:
    """Nobody is asked for a passphrase on a terminal."""
    cert, key = made()
    encrypted = load_pem_private_key(key, None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"passphrase")
    )
    assert pair_fault(written("cert", cert), written("key", encrypted)) == (
        "the key is encrypted; callpost needs it without a passphrase"
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\xff" * 99,
        b"-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\n",
        b"hello\n",
    ],
)
def test_what_is_no_pem_is_told(written: Written, content: bytes) -> None:
    """In either place."""
    cert, key = made()
    other = written("other", content)
    faults = {pair_fault(other, written("key", key)), pair_fault(written("cert", cert), other)}
    assert faults == {NOT_PEM}


def test_two_files_that_were_mixed_up_are_told(written: Written) -> None:
    """The one in the other's place."""
    cert, key = made()
    assert pair_fault(written("cert", key), written("key", cert)) == NOT_PEM


def test_a_file_that_is_missing_is_told(written: Written, tmp_path: Path) -> None:
    """In the words of the system."""
    cert, _ = made()
    assert pair_fault(written("cert", cert), str(tmp_path / "none")) == (
        "cert or key cannot be read: no such file or directory"
    )


def test_old_versions_of_tls_are_off(written: Written) -> None:
    """1.2 and later (RFC 8996)."""
    cert, key = made()
    context = context_of(written("cert", cert), written("key", key))
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_files_that_do_not_fit_change_nothing(written: Written) -> None:
    """The pair of before goes on."""
    cert, key = made()
    pair = TlsPair(cert=written("cert", cert), key=written("key", key))
    tls = ServerTls(pair)
    before = tls.context()
    written("key", made()[1])
    with pytest.raises(PairUnusable, match=NOT_ITS_KEY):
        tls.renew(pair)
    assert tls.context() is before
