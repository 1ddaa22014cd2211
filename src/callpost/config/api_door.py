"""`[api]` and `[[api.token]]`: the API's door to the network, and who may come in by it.

No token, no door; and beyond this machine no door without TLS. Tokens add up over the files, and
a secret is known by its digest alone once it has been read.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, get_args

from msgspec import UNSET, Struct, convert
from msgspec.structs import replace

from callpost.config.credentials import secret_text
from callpost.config.documents import Document
from callpost.config.doors import readable_file
from callpost.config.faults import Fault, Lookups, Spot
from callpost.config.listening import listening
from callpost.config.rules import (
    Rules,
    choice,
    holder_name,
    list_of,
    quoted,
    read_table,
    whole,
    wrong_type,
)
from callpost.config.tables import tables_of
from callpost.model.api_door import Api, TlsPair, Token, digest_of
from callpost.model.caller import OPERATOR, Caller, Role
from callpost.model.listening import NetworkPlace
from callpost.model.spelling import did_you_mean
from callpost.model.tenancy import Tenancy

# As many as a password manager makes by itself; what is shorter can be guessed.
SECRET_MIN_CHARS: Final = 16
# So that it fits into the head of a request with all the rest.
SECRET_MAX_CHARS: Final = 1_024
_NEEDED: Final = ("name", "token", "role")


def _tls(value: object, spot: Spot) -> object:
    """A TlsPair; None where both are empty, or neither is there."""
    if not isinstance(value, dict):
        return wrong_type("a table", value, spot)
    values = read_table(value, _TLS, spot)
    for key, other in (("key", "cert"), ("cert", "key")):
        if value.get(other) and not value.get(key):
            spot.key(key).report("missing", f"is required with {other}")
    match values:
        case {"cert": str(cert), "key": str(key)} if cert and key:
            return _pair(cert, key, spot)
        case _:
            return None if not any(value.values()) else UNSET


def _pair(cert: str, key: str, spot: Spot) -> object:
    lookups = spot.lookups
    fault = lookups.machine.pair_fault(cert, key)
    if fault is not None:
        return spot.report("tls", fault)
    # Files with another content make another pair, although their names are the same.
    digest = lookups.machine.file_digest(cert) + lookups.machine.file_digest(key)
    return TlsPair(cert=cert, key=key, digest=digest)


def _customer(value: object, spot: Spot) -> object:
    if value == "*":
        return spot.report("customer", 'is no customer; role = "admin" acts for all of them')
    return holder_name(least=1, most=255)(value, spot)


def _token_name(value: object, spot: Spot) -> object:
    if value == OPERATOR.name:
        return spot.report("reserved", "is what the log calls who opens the control socket")
    return holder_name(least=1, most=64)(value, spot)


def _secret(value: object, spot: Spot) -> object:
    """The digest of a secret that can be sent as a bearer token and as a password."""
    read = secret_text(value, spot)
    if not isinstance(read, str):
        return read
    if not all("!" <= char <= "~" for char in read):
        return spot.report("secret", "must be visible ASCII characters only")
    if not SECRET_MIN_CHARS <= len(read) <= SECRET_MAX_CHARS:
        sentence = f"must have {SECRET_MIN_CHARS} to {SECRET_MAX_CHARS} characters"
        return spot.report("secret", sentence)
    return digest_of(read.encode())


_TLS: Final[Rules] = {"cert": readable_file, "key": readable_file}
API: Final[Rules] = {
    "listen": listening(8_787),
    "tls": _tls,
    "max_subscriptions_per_customer": whole(1, 1_000_000),
    # Tokens are read later, when the credentials' directory and the customers are known.
    "token": lambda _value, _spot: UNSET,
}
TOKEN: Final[Rules] = {
    "name": _token_name,
    "token": _secret,
    "role": choice(get_args(Role)),
    "customers": list_of(_customer, most=10_000),
    "egress": choice(("strict", "trusted")),
}


class _Table(Struct, frozen=True, kw_only=True):
    """A token with the names of the file; `token` is the digest already."""

    name: str
    token: bytes
    role: Role
    customers: tuple[str, ...] = ()
    egress: str = "strict"


def read_api(
    documents: Sequence[Document],
    table: Api,
    tenancy: Tenancy,
    faults: list[Fault],
    lookups: Lookups,
) -> Api:
    """The door with its tokens; `table` is what `[api]` says of it."""
    tokens = tuple(_tokens(documents, tenancy, faults, lookups))
    place = table.listen
    if place is not None:
        spot = _spot_of("listen", documents, faults, lookups)
        if not _written("token", documents):
            spot.report("missing", "no token, no door: at least one [[api.token]] is required")
        reaches_out = isinstance(place, NetworkPlace) and not place.is_loopback
        if reaches_out and not _written("tls", documents):
            sentence = "beyond this machine TLS is required: tls = { cert = ..., key = ... }"
            spot.report("tls", sentence)
    return replace(table, tokens=tokens)


def _tokens(
    documents: Sequence[Document], tenancy: Tenancy, faults: list[Fault], lookups: Lookups
) -> Iterator[Token]:
    taken: dict[object, str] = {}
    for spot, table in tables_of(documents, "api.token", faults, lookups):
        values = read_table(table, TOKEN, spot)
        for key in _NEEDED:
            if key not in table:
                spot.key(key).report("missing", "is required")
        _check_customers(table, values, tenancy, spot)
        for key, word in (("name", "name"), ("token", "secret")):
            value = values.get(key)
            if value in taken:
                sentence = f"another token has this {word} already, in {taken[value]}"
                spot.key(key).report("duplicate", sentence)
            elif value is not None:
                taken[value] = spot.file
        if set(_NEEDED) <= values.keys():
            yield _token(convert(values, _Table))


def _check_customers(
    table: Mapping[str, object], values: Mapping[str, object], tenancy: Tenancy, spot: Spot
) -> None:
    """Named by everybody but an admin, and known where there is a registry."""
    place = spot.key("customers")
    if values.get("role") == "admin":
        if "customers" in table:
            place.report("senseless", "makes no sense with role admin, who acts for all of them")
        return
    if "role" in values and "customers" not in table:
        place.report("missing", f"is required with role {values['role']}")
    customers = values.get("customers")
    if customers == ():
        place.report("range", "must name at least one customer")
    known = [one.id for one in tenancy.customers]
    for number, customer in enumerate(customers if isinstance(customers, tuple) else (), start=1):
        if known and customer not in known:
            sentence = f"there is no customer {quoted(customer)}{did_you_mean(customer, known)}"
            place.item(number).report("customer", sentence)


def _token(table: _Table) -> Token:
    caller = Caller(
        name=table.name,
        role=table.role,
        customers=tuple(dict.fromkeys(table.customers)),
        trusted=table.egress == "trusted",
    )
    return Token(caller=caller, digest=table.token)


def _spot_of(
    key: str, documents: Sequence[Document], faults: list[Fault], lookups: Lookups
) -> Spot:
    """The place of a key of `[api]` in the file that has it."""
    file = next((one.file for one in documents if key in _table(one)), "")
    return Spot(file=file, path=f"api.{key}", faults=faults, lookups=lookups)


def _written(key: str, documents: Sequence[Document]) -> bool:
    """Whether there is something under it, be it faulty: that is told by itself."""
    found = [_table(one).get(key) for one in documents]
    return any(any(one.values()) if isinstance(one, dict) else one for one in found)


def _table(document: Document) -> Mapping[str, object]:
    table = document.table.get("api")
    return table if isinstance(table, dict) else {}
