"""The certificate and the key that we show, at a door of ours or an endpoint, from their files.

Each renewal makes a context of its own and puts it in the old one's place: a context that is
loaded again keeps a certificate of another kind of key beside the new one, and shows it. Every
function here reads files.
"""

import ssl
from typing import Final

from callpost.model.api_door import TlsPair
from callpost.model.system_error import words_of

# The doors speak HTTP/1.1 (RFC 7301, section 6: the name of it).
_ALPN: Final = ["http/1.1"]
# OpenSSL's words for a file without what it should hold (`ssl.SSLError.reason`).
_NOT_PEM: Final = frozenset({"NO_START_LINE", "PEM_LIB", "BAD_BASE64_DECODE", "BAD_END_LINE"})


class PairUnusable(Exception):
    """Nobody can use these files; the message says why, without a full stop."""


class ServerTls:
    """The context that new connections get; those that are there keep theirs."""

    def __init__(self, pair: TlsPair) -> None:
        """Load the pair; raises PairUnusable."""
        self._context = context_of(pair.cert, pair.key)

    def context(self) -> ssl.SSLContext:
        """That of the pair as it was last read."""
        return self._context

    def renew(self, pair: TlsPair) -> None:
        """Take the files as they are now; raises PairUnusable, and then nothing has changed."""
        self._context = context_of(pair.cert, pair.key)


def pair_fault(cert: str, key: str) -> str | None:
    """Why these files are no pair that can be shown, None where they are.

    Without a key ("") the certificate's file has both.
    """
    try:
        context_of(cert, key or cert)
    except PairUnusable as fault:
        return str(fault)
    return None


def context_of(cert: str, key: str) -> ssl.SSLContext:
    """A context with this pair, for TLS 1.2 and later; raises PairUnusable."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A peer that renegotiates wants to make us work; nobody does it in earnest.
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(_ALPN)
    try:
        context.load_cert_chain(cert, key, password=_passphrase)
    except ssl.SSLError as error:
        raise PairUnusable(_sentence(error)) from None
    except OSError as error:
        raise PairUnusable(f"cert or key cannot be read: {words_of(error)}") from None
    return context


def _passphrase() -> str:
    """Without this OpenSSL would ask for one on the terminal."""
    raise PairUnusable("the key is encrypted; callpost needs it without a passphrase")


def _sentence(error: ssl.SSLError) -> str:
    match error.reason:
        case "KEY_VALUES_MISMATCH" | "KEY_TYPE_MISMATCH" | "NO_CERTIFICATE_ASSIGNED":
            return "the key is not that of the certificate"
        case "EE_KEY_TOO_SMALL" | "CA_KEY_TOO_SMALL" | "CA_MD_TOO_WEAK":
            return "the certificate is too weak for TLS of today"
        case reason if reason in _NOT_PEM or reason is None:
            return "cert and key must be a certificate and its private key in PEM"
        case reason:
            words = reason.replace("_", " ").lower()
            return f"cert and key cannot be used: {words}"
