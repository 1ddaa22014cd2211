"""Problem documents (RFC 9457): what is wrong with a request, in one form everywhere.

Every answer that is not what was asked for is one of these, whoever found the fault.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

import msgspec
from msgspec import Struct
from starlette.responses import Response

PROBLEM_TYPE: Final = "application/problem+json"


class FieldFault(Struct, frozen=True):
    """One fault of a field; `path` is `$.limit` in a body, `limit` in a query."""

    path: str
    detail: str

    def __str__(self) -> str:
        return f"{self.path}: {self.detail}"


class Problem(Struct, frozen=True, kw_only=True):
    """What went wrong: `detail` is a sentence for people, `errors` has each field at fault."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: tuple[FieldFault, ...] = ()


class Refusal(Exception):
    """The request is answered with a problem document."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[FieldFault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = headers


def refusal_of(faults: Sequence[FieldFault]) -> Refusal:
    """The refusal of a request whose fields are at fault."""
    others = len(faults) - 1
    more = "" if not others else f" (and {others} more fault{'s' if others > 1 else ''})"
    return Refusal(400, ended(f"{faults[0]}{more}"), errors=faults)


def ended(sentence: str) -> str:
    """The sentence with its full stop; one that ends in a question needs none."""
    return sentence if sentence.endswith("?") else f"{sentence}."


def problem(refusal: Refusal) -> Response:
    """The answer."""
    told = Problem(
        title=HTTPStatus(refusal.status).phrase,
        status=refusal.status,
        detail=refusal.detail,
        errors=refusal.errors,
    )
    return Response(
        msgspec.json.encode(told),
        refusal.status,
        refusal.headers,
        media_type=PROBLEM_TYPE,
    )
