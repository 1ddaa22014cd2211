"""The authorities that vouch for an endpoint, from their file: whether they can be used.

Every function here reads files.
"""

import ssl

from callpost.model.system_error import words_of


def authorities_fault(path: str) -> str | None:
    """Why nobody can be verified by this file, None where somebody can."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        # OpenSSL has a dozen reasons for it, and all of them mean this.
        return "must hold certificates of authorities in PEM"
    except OSError as error:
        return f"cannot be read: {words_of(error)}"
    return None
