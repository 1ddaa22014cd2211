"""URLs of a list in which a mask stands for a secret: a credential is named for it instead.

A mask is never sent as if it were the secret: it would only be refused, and nobody knew why.
"""

import re
from collections.abc import Iterator
from typing import Final

from callpost.api.names import Names
from callpost.api.translated import Table
from callpost.model.credential import credential_name
from callpost.model.disclosure import MASK
from callpost.model.url import ParsedUrl, parse_url

_USERINFO: Final = re.compile(r"(?<=://)[^/?#@]*@")


def unmasked(table: Table, credentials: Names) -> tuple[Table, tuple[str, ...]]:
    """The table, whose name is legal, without masks in its URLs, and a sentence for each."""
    lost: list[str] = []
    for one in _credentials(table):
        # What a header is to have is another secret.
        credentials.given(one)

    def mended(door: Table, place: str) -> Table:
        """The door with what its URL has in `auth`; its own `auth` goes first as ever."""
        match parse_url(str(door.get("url", ""))):
            case ParsedUrl(auth=auth) if auth and MASK in {auth.username, auth.password}:
                url = _USERINFO.sub("", str(door["url"]), count=1)
            case _:
                return door
        if "auth" in door:
            return {**door, "url": url}
        name = credentials.given(f"{str(table['name'])[:40]}-{place}")
        lost.append(
            f"the secret in the {place.replace('-', ' ')} was not carried over; "
            f"put it into the credential {name}"
        )
        secret = f"credential:{name}"
        known = {"username": auth.username, "password": auth.password}
        shown = {key: secret if value == MASK else value for key, value in known.items()}
        return {**door, "url": url, "auth": {"type": "basic", **shown}}

    done = mended(table, "url")
    if isinstance(fallbacks := table.get("fallback"), list):
        done["fallback"] = [mended(one, "fallback-url") for one in fallbacks]
    if isinstance(callback := table.get("status_callback"), dict):
        done["status_callback"] = mended(callback, "status-callback-url")
    return done, tuple(lost)


def _credentials(value: object) -> Iterator[str]:
    """Those that are named anywhere in it."""
    match value:
        case str() if name := credential_name(value):
            yield name
        case dict():
            for one in value.values():
                yield from _credentials(one)
        case list():
            for one in value:
                yield from _credentials(one)
