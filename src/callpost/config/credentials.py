"""Secrets of an endpoint: references to credentials, auth, signing keys.

A secret is never quoted in a fault; what is wrong with it is said of its key.
"""

from typing import Final

from msgspec import UNSET, UnsetType

from callpost.config.faults import Lookups, Spot
from callpost.config.headers import header_name
from callpost.config.rules import (
    Rules,
    choice,
    has_controls,
    list_of,
    quoted,
    read_table,
    wrong_type,
)
from callpost.model.credential import UnreadableCredential, credential_name
from callpost.model.endpoint import Auth, BasicAuth, BearerAuth, BodySignature, DigestAuth
from callpost.model.signing import key_of

# Standard Webhooks 1.0, "Signature scheme": keys of 24 to 64 bytes.
_KEY_MIN_BYTES: Final = 24
_KEY_MAX_BYTES: Final = 64
# One in use, one coming, one going, and one forgotten.
_KEYS_MAX: Final = 4


def secret_text(value: object, spot: Spot) -> object:
    """A text, or the credential that it names."""
    if not isinstance(value, str):
        return wrong_type('a text or "credential:NAME"', value, spot)
    name = credential_name(value)
    if name is None:
        return value
    if not name:
        return spot.report("credential", "a credential's name is made of A-Z a-z 0-9 _ . and -")
    return _found(name, spot)


def _found(name: str, spot: Spot) -> str | UnsetType:
    lookups = spot.lookups
    match lookups.secret(lookups.credentials_directory, name):
        case None:
            places = _places(lookups)
            return spot.report("credential", f"credential {quoted(name)} was not found in {places}")
        case UnreadableCredential(sentence=sentence):
            return spot.report("credential", f"credential {quoted(name)} {sentence}")
        case "":
            return spot.report("credential", f"credential {quoted(name)} is empty")
        case secret:
            return secret


def _places(lookups: Lookups) -> str:
    if lookups.service_directory:
        return f"{lookups.credentials_directory}, nor in {lookups.service_directory}"
    return f"{lookups.credentials_directory}, and $CREDENTIALS_DIRECTORY is not set"


def _line(value: object, spot: Spot) -> object:
    """A secret that goes into a header: one line."""
    read = secret_text(value, spot)
    if isinstance(read, str) and has_controls(read):
        return spot.report("auth", "must not hold line breaks or other control characters")
    return read


_AUTH: Final[Rules] = {
    "type": choice(("basic", "digest", "bearer")),
    "username": _line,
    "password": _line,
    "token": _line,
}
# What each type needs; any other key of the table makes no sense with it.
_NEEDED: Final[dict[str, tuple[str, ...]]] = {
    "basic": ("username", "password"),
    "digest": ("username", "password"),
    "bearer": ("token",),
}


def auth(value: object, spot: Spot) -> object:
    """Basic, digest or bearer, each with its own keys."""
    if not isinstance(value, dict):
        return wrong_type("a table", value, spot)
    values = read_table(value, _AUTH, spot)
    if "type" not in value:
        return spot.key("type").report("missing", "is required: basic | digest | bearer")
    kind = str(values.get("type", ""))
    needed = _NEEDED.get(kind, ())
    for key in needed:
        if key not in value:
            spot.key(key).report("missing", f"is required with type {kind}")
    for key in values:
        if needed and key not in {"type", *needed}:
            spot.key(key).report("senseless", f"makes no sense with type {kind}")
    if not needed or any(key not in values for key in needed):
        return UNSET
    first, second = (str(values[key]) for key in (needed[0], needed[-1]))
    return _auth(kind, first, second, spot)


def _auth(kind: str, first: str, second: str, spot: Spot) -> Auth | UnsetType:
    if kind == "digest":
        return DigestAuth(username=first, password=second)
    if kind == "bearer":
        if not (first.isascii() and first.isprintable()) or " " in first:
            return spot.key("token").report("auth", "must be visible ASCII characters only")
        if not first:
            return spot.key("token").report("auth", "must not be empty")
        return BearerAuth(token=first)
    if ":" in first:
        return spot.key("username").report("auth", "must not hold a colon (RFC 7617)")
    return BasicAuth(username=first, password=second)


def _signing_key(value: object, spot: Spot) -> object:
    read = secret_text(value, spot)
    if not isinstance(read, str):
        return read
    try:
        key = key_of(read)
    except ValueError as error:
        return spot.report("secret", str(error))
    if not _KEY_MIN_BYTES <= len(key) <= _KEY_MAX_BYTES:
        lengths = f"{_KEY_MIN_BYTES} to {_KEY_MAX_BYTES} bytes"
        return spot.report("secret", f"a signing secret is base64 of {lengths}")
    return key


signing_keys = list_of(_signing_key, most=_KEYS_MAX)


def _hmac_key(value: object, spot: Spot) -> object:
    read = secret_text(value, spot)
    return spot.report("secret", "must not be empty") if read == "" else read


_BODY_SIGNATURE: Final[Rules] = {"header": header_name, "secret": _hmac_key}


def body_signature(value: object, spot: Spot) -> object:
    """A header's name and the secret that signs the body for it."""
    if not isinstance(value, dict):
        return wrong_type("a table", value, spot)
    values = read_table(value, _BODY_SIGNATURE, spot)
    for key in _BODY_SIGNATURE:
        if key not in value:
            spot.key(key).report("missing", "is required")
    match values:
        case {"header": str(header), "secret": str(secret)}:
            return BodySignature(header=header, secret=secret.encode())
        case _:
            return UNSET
