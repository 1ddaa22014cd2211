"""What a request offers to be let in: a bearer token (RFC 6750), or a password (RFC 7617).

Bytes in, a secret or a reason out; nothing is compared here, and nothing is quoted.
"""

from base64 import b64decode
from collections.abc import Sequence
from typing import Literal, assert_never

from msgspec import Struct

from callpost.model.unseen import unseen

Reason = Literal["missing", "several", "scheme", "malformed", "unknown"]


class Offered(Struct, frozen=True):
    """A secret, and the name that came along with it, "" where none did."""

    secret: bytes
    username: str = ""


class NothingOffered(Struct, frozen=True):
    """There is no secret to look at."""

    reason: Reason


def offered(fields: Sequence[str]) -> Offered | NothingOffered:
    """The secret in the Authorization fields of one request, each as Latin-1."""
    if len(fields) != 1:
        return NothingOffered("several" if fields else "missing")
    scheme, _, value = fields[0].strip().partition(" ")
    value = value.strip()
    match scheme.lower():
        case "bearer":
            return Offered(value.encode("latin-1")) if value else NothingOffered("malformed")
        case "basic":
            return _basic(value)
        case _:
            return NothingOffered("scheme")


def username_in(fields: Sequence[str]) -> str:
    """The user name of Basic authentication, where no secret is asked for; "" where none is."""
    scheme, _, value = fields[0].strip().partition(" ") if len(fields) == 1 else ("", "", "")
    parts = _user_and_password(value.strip()) if scheme.lower() == "basic" else None
    return parts[0] if parts is not None else ""


def sentence_of(reason: Reason) -> str:
    """What is wrong, for the people who have to put it right."""
    match reason:
        case "missing":
            return (
                "A token is needed: as a bearer token, or as the password of basic authentication."
            )
        case "several":
            return "There is more than one Authorization header."
        case "scheme":
            return "The Authorization header must be Bearer or Basic."
        case "malformed":
            return "The Authorization header cannot be read."
        case "unknown":
            return "There is no such token."
        case _ as unreachable:
            assert_never(unreachable)


def _basic(value: str) -> Offered | NothingOffered:
    parts = _user_and_password(value)
    if parts is None or not parts[1]:
        return NothingOffered("malformed")
    username, password = parts
    return Offered(password, username)


def _user_and_password(value: str) -> tuple[str, bytes] | None:
    """Both in Base64; the user has no colon, a password may. None for what cannot be read."""
    try:
        user, _, password = b64decode(value, validate=True).partition(b":")
    except ValueError:
        return None
    username = user.decode("utf-8", "replace")
    return None if unseen(username) else (username, password)
