"""`proxy`: the HTTP proxy that a subscription's requests go through.

Its URL may hold a user name and a password, so it is never quoted, and may be a credential.
"""

from typing import Final

from callpost.config.credentials import secret_text
from callpost.config.faults import Spot
from callpost.model.endpoint import Proxy
from callpost.model.url import INVALID_PROTOCOL, INVALID_URL, ParsedUrl, parse_url
from callpost.model.url_overrides import Overrides

_FORM: Final = '"http://HOST:PORT" or "https://HOST:PORT"'
# Words of a subscriber's URL that say too little of a proxy's.
_VAGUE: Final = frozenset({INVALID_URL, INVALID_PROTOCOL})


def proxy(value: object, spot: Spot) -> object:
    """A URL of scheme, host and port, with or without credentials; "" for no proxy."""
    text = secret_text(value, spot)
    if not isinstance(text, str) or not text:
        return text
    if text.lower().startswith("socks"):
        return spot.report("proxy", f"SOCKS is not supported: expected {_FORM}")
    match parse_url(text):
        case ParsedUrl(scheme="http" | "https" as scheme) as url:
            if url.target != "/" or url.overrides != Overrides():
                return spot.report("proxy", "must have no path, no query and no fragment")
            return Proxy(scheme=scheme, host=url.host, port=url.port, auth=url.auth)
        case ParsedUrl():
            return spot.report("proxy", f"expected {_FORM}")
        case fault:
            vague = fault.sentence in _VAGUE
            return spot.report("proxy", f"expected {_FORM}" if vague else fault.sentence)
