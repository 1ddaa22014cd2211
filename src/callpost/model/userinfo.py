"""The secret in a URL's userinfo, in the URL as it is written: found, and masked.

Also of a text that is no URL of ours: what is not understood is not shown either.
"""

import re
from typing import Final

from callpost.model.disclosure import MASK

# The password in a URL; a user without one may be a token.
PASSWORD: Final = re.compile(r"(?P<before>\w+://(?:[^/?#:@]*:)?)(?P<secret>[^/?#@]*)(?=@)")


def masked_url(url: str) -> str:
    """The URL with a mask where its secret is; as it is where it has none."""
    found = PASSWORD.match(url)
    if found is None or not found["secret"]:
        return url
    return f"{found['before']}{MASK}{url[found.end() :]}"
