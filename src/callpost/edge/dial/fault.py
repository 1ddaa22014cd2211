"""What an error of a socket means: a short word for it, and whose fault it is.

The words are ours, so that nothing a peer sent gets into a reason.
"""

import errno
import ssl
from typing import Final

# With these this machine could not even try: no descriptors, memory, ports, or no network.
_LOCAL: Final = frozenset(
    {
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOBUFS,
        errno.ENOMEM,
        errno.EADDRNOTAVAIL,
        errno.ENETUNREACH,
        errno.ENETDOWN,
    }
)
_WORDS: Final = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.ECONNABORTED: "reset",
    errno.EPIPE: "reset",
    errno.EHOSTUNREACH: "host_unreachable",
    errno.ENETUNREACH: "network_unreachable",
    errno.ENETDOWN: "network_down",
    errno.ETIMEDOUT: "no_response",
    errno.EADDRNOTAVAIL: "no_local_address",
    errno.EMFILE: "no_descriptors",
    errno.ENFILE: "no_descriptors",
    errno.ENOBUFS: "no_memory",
    errno.ENOMEM: "no_memory",
    errno.EACCES: "forbidden",
    errno.EPERM: "forbidden",
}
# The reason of a handshake that failed because a certificate has ended.
EXPIRED: Final = "tls:certificate expired"
# OpenSSL's X509_V_ERR_* by number (x509_vfy.h), as an operator would say them.
_CERTIFICATE: Final = {
    9: "certificate not yet valid",
    10: "certificate expired",
    18: "certificate self-signed",
    19: "certificate of an unknown authority",
    20: "certificate of an unknown authority",
    21: "certificate of an unknown authority",
    62: "certificate for another name",
    64: "certificate for another address",
}


def is_local(error: OSError) -> bool:
    """Whether this machine, and not the peer, is at fault."""
    return error.errno in _LOCAL and not isinstance(error, ssl.SSLError)


def reason_of(error: OSError) -> str:
    """A short word for the error, for TLS with what was wrong: `tls:certificate expired`."""
    if isinstance(error, ssl.SSLCertVerificationError):
        known = _CERTIFICATE.get(error.verify_code)
        return f"tls:{known or f'certificate not valid ({error.verify_code})'}"
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return "tls:closed"
    if isinstance(error, ssl.SSLError):
        return f"tls:{(error.reason or 'failed').replace('_', ' ').lower()}"
    if error.errno is None:
        return "failed"
    return _WORDS.get(error.errno) or errno.errorcode.get(error.errno, "failed").lower()
