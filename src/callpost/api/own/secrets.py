"""Secrets of a table: never answered, and kept where they come back as the mask that was shown.

A mask stands for what is stored in the same place. Of the fallbacks that is the one with the
same URL, and what an endpoint sends along is kept only where scheme, host and port stay: so no
secret ever goes to another endpoint, not even at the wish of somebody who may change the URL.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Final

from callpost.model.disclosure import MASK
from callpost.model.url import ParsedUrl, parse_url
from callpost.model.userinfo import PASSWORD
from callpost.web.problem import FieldFault

_NOT_STORED: Final = (
    f"{MASK} stands for what is stored, and nothing is stored here; "
    "where a URL leads to another host the secrets are needed again"
)
_ORIGIN: Final = re.compile(r"\w+://(?:[^/?#]*@)?(?P<host>[^/?#]*)")
_DOORS: Final = ("status_callback", "delivery_report")

Table = Mapping[str, object]
_Keep = Callable[[str, object, object], object]


def masked(table: Table, *, of_file: bool = False) -> dict[str, object]:
    """The table as it may be shown; of a URL `of_file` scheme, host and port only."""
    shown = _mapped(table, lambda _, __, ___: MASK, {})
    if of_file:
        for door in _doors(shown):
            if isinstance(url := door.get("url"), str) and (origin := _ORIGIN.match(url)):
                door["url"] = f"{url.partition('://')[0]}://{origin['host']}"
            if door.get("proxy"):
                door["proxy"] = MASK
    return shown


def restored(sent: Table, stored: Table) -> tuple[dict[str, object], list[FieldFault]]:
    """What was sent, with the stored secrets where masks are, and where there is none stored."""
    faults: list[FieldFault] = []

    def keep(path: str, value: object, kept: object) -> object:
        if value != MASK:
            return value
        if not isinstance(kept, str):
            faults.append(FieldFault(path, _NOT_STORED))
        return kept

    return _mapped(sent, keep, stored), faults


def _mapped(table: Table, secret: _Keep, stored: Table) -> dict[str, object]:
    """A copy of a subscription's table with each secret mapped; `stored` is beside it."""
    copy = _door(table, secret, stored, "$")
    for key in _DOORS:
        if isinstance(one := table.get(key), dict):
            copy[key] = _door(one, secret, _inner(stored, key), f"$.{key}")
    if isinstance(many := table.get("fallback"), list):
        known = stored.get("fallback")
        copy["fallback"] = list(_fallbacks(many, secret, known if isinstance(known, list) else []))
    if isinstance(keys := table.get("secrets"), list):
        known = stored.get("secrets")
        copy["secrets"] = list(_keys(keys, secret, known if isinstance(known, list) else []))
    if isinstance(table.get("body_signature"), dict):
        _map_key(copy, secret, stored, "body_signature", "secret", "$")
    return copy


def _door(door: Table, secret: _Keep, stored: Table, path: str) -> dict[str, object]:
    """The copy of an endpoint's table: its headers, what it authenticates with, its URL."""
    copy: dict[str, object] = deepcopy(dict(door))
    stored = stored if _where(door) == _where(stored) else {}
    if isinstance(headers := copy.get("headers"), dict):
        kept = {str(name).lower(): value for name, value in _inner(stored, "headers").items()}
        copy["headers"] = {
            name: secret(f"{path}.headers.{name}", value, kept.get(str(name).lower()))
            for name, value in headers.items()
        }
    for key in ("password", "token"):
        _map_key(copy, secret, stored, "auth", key, path)
    if isinstance(url := copy.get("url"), str) and (found := PASSWORD.match(url)):
        before = PASSWORD.match(str(stored.get("url", "")))
        password = secret(f"{path}.url", found["secret"], before and before["secret"])
        copy["url"] = f"{found['before']}{password}{url[found.end() :]}"
    return copy


def _map_key(
    copy: dict[str, object], secret: _Keep, stored: Table, table: str, key: str, path: str
) -> None:
    inner = copy.get(table)
    if isinstance(inner, dict) and key in inner:
        kept = _inner(stored, table).get(key)
        copy[table] = {**inner, key: secret(f"{path}.{table}.{key}", inner[key], kept)}


def _fallbacks(sent: Sequence[object], secret: _Keep, stored: Sequence[object]) -> Iterator[object]:
    known = [one for one in stored if isinstance(one, dict)]
    for place, one in enumerate(sent):
        if not isinstance(one, dict):
            yield one
            continue
        url = _without_password(one.get("url"))
        same = [each for each in known if _without_password(each.get("url")) == url]
        yield _door(one, secret, same[0] if same else {}, f"$.fallback[{place}]")
        if same:
            # Two with one URL are two.
            known.remove(same[0])


def _keys(sent: Sequence[object], secret: _Keep, stored: Sequence[object]) -> Iterator[object]:
    """A new secret stands in front of those that are kept: masks are counted among themselves."""
    kept = iter(stored)
    for place, one in enumerate(sent):
        yield secret(f"$.secrets[{place}]", one, next(kept, None) if one == MASK else None)


def _without_password(url: object) -> object:
    return PASSWORD.sub(r"\g<before>", url) if isinstance(url, str) else url


def _where(door: Table) -> object:
    """To whom an endpoint sends: scheme, host and port; the URL itself where that has none."""
    url = door.get("url")
    match parse_url(url) if isinstance(url, str) else None:
        case ParsedUrl(scheme=scheme, host=host, port=port):
            return scheme, host, port
        case _:
            return url


def _inner(table: Table, key: str) -> Mapping[str, object]:
    inner = table.get(key)
    return inner if isinstance(inner, dict) else {}


def _doors(table: dict[str, object]) -> Iterator[dict[str, object]]:
    """The endpoints of a table, itself the first."""
    yield table
    fallbacks = table.get("fallback")
    for one in (
        *(table.get(key) for key in _DOORS),
        *(fallbacks if isinstance(fallbacks, list) else ()),
    ):
        if isinstance(one, dict):
            yield one
