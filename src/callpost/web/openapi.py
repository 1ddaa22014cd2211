"""The OpenAPI 3.1 document, made of the table of operations and of their types.

Nothing is written down twice: a field, its bounds and its sentence come from the Struct.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import fields

from callpost.web.fields import Moment
from callpost.web.operation import Operation
from callpost.web.problem import PROBLEM_TYPE, FieldFault, Problem

Json = dict[str, object]

_TEMPLATE: Final = "#/components/schemas/{name}"
_PARAMETER: Final = re.compile(r"\{(\w+)(?::\w+)?\}")
# What any operation may answer, where a token is asked for, and where there is a body.
_ALWAYS: Final = (400, 500, 503)
_WITH_TOKEN: Final = (401, 403, 429)
_WITH_BODY: Final = (408, 413, 415)
_A_PROBLEM: Final = Problem(
    title="Bad Request",
    status=400,
    detail="$.level: expected a whole number from 1 to 2.",
    errors=(FieldFault("$.level", "expected a whole number from 1 to 2"),),
)
_SCHEMES: Final[Json] = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "basic": {"type": "http", "scheme": "basic"},
}


class About(Struct, frozen=True, kw_only=True):
    """What the document says of the door itself; `is_open`: whoever comes in needs no token."""

    version: str
    sentence: str
    server: str
    is_open: bool


class Described(Struct, frozen=True):
    """A type whose JSON Schema is written down, under a name of its own; it may use others."""

    name: str
    schema: Json
    uses: tuple["Described", ...] = ()

    @property
    def reference(self) -> Json:
        """How other schemas speak of it."""
        return {"$ref": _TEMPLATE.format(name=self.name)}


OPERATORS_DOOR: Final = (
    "The operator's door of callpost, on the Unix socket control.sock. Who may open the socket"
    " may do everything; there are no tokens. Times are RFC 3339 in UTC."
)
CUSTOMERS_DOOR: Final = (
    "The API of callpost. Each request carries a token, as Bearer or as the password of Basic,"
    " and sees the customers of that token only. Times are RFC 3339 in UTC."
)


def document(operations: Sequence[Operation], *, about: About) -> Json:
    """The document as JSON-able values."""
    paths: dict[str, Json] = {}
    for one in operations:
        path = _PARAMETER.sub(r"{\1}", one.path)
        paths.setdefault(path, {})[one.method.lower()] = _operation(one, about)
    components: Json = {
        "schemas": _components(operations),
        "responses": {
            "Problem": _told(
                "What is wrong (RFC 9457)", {PROBLEM_TYPE: _content(Problem, _A_PROBLEM)}
            )
        },
    }
    told: Json = {
        "openapi": "3.1.0",
        "info": {"title": "callpost", "version": about.version, "description": about.sentence},
        "servers": [{"url": "/", "description": about.server}],
        "paths": paths,
        "components": components,
    }
    if not about.is_open:
        components["securitySchemes"] = _SCHEMES
        told["security"] = [{name: []} for name in _SCHEMES]
    return told


def _operation(one: Operation, about: About) -> Json:
    shown, accepts = one.shown, one.accepts
    told: Json = {
        "operationId": _name(one),
        "summary": shown.summary,
        "parameters": [*_path_parameters(one), *_query_parameters(one), *_conditions(one)],
        "responses": _responses(one, about),
    }
    if accepts.types:
        told["requestBody"] = {
            "required": accepts.is_required,
            "content": {
                media_type: _content(kind, shown.example if _is_json(media_type) else None)
                for media_type, kind in accepts.types.items()
            },
        }
    return told


def _name(one: Operation) -> str:
    path, is_versioned, rest = one.path.partition("/v1/")
    words = re.findall(r"[A-Za-z]+", _PARAMETER.sub(r"\1", rest if is_versioned else path))
    words += [] if is_versioned else ["Unversioned"]
    return one.method.lower() + "".join(word[:1].upper() + word[1:] for word in words)


def _path_parameters(one: Operation) -> Iterator[Json]:
    for name in _PARAMETER.findall(one.path):
        schema = {"type": "string", "minLength": 1}
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameters(one: Operation) -> Iterator[Json]:
    for field in fields(one.query):
        schema = dict(_schema(field.type))
        # Said once, beside the name; an empty default says nothing.
        described = schema.pop("description", "")
        if field.default not in ("", (), None):
            schema["default"] = field.default
        yield {
            "name": field.encode_name,
            "in": "query",
            "required": field.required,
            "description": described or _within(schema),
            "schema": schema,
        }


def _conditions(one: Operation) -> Iterator[Json]:
    for name, described in one.shown.conditions.items():
        yield {
            "name": name,
            "in": "header",
            "required": False,
            "description": described,
            "schema": {"type": "string"},
        }


def _within(schema: Mapping[str, object]) -> object:
    """The sentence of a type that is wrapped: a time, or nothing."""
    choices = schema.get("anyOf")
    known = [one.get("description", "") for one in choices] if isinstance(choices, list) else []
    return next((sentence for sentence in known if sentence), "")


def _responses(one: Operation, about: About) -> dict[str, Json]:
    shown = one.shown
    responses: dict[str, Json] = {}
    for status in shown.statuses:
        content = {shown.content_type: _content(one.returns, shown.answer)}
        content |= {media_type: _content(kind) for media_type, kind in shown.also.items()}
        responses[str(status)] = _told(HTTPStatus(status).phrase, content, shown.headers)
    for status in shown.bare:
        responses[str(status)] = _told(HTTPStatus(status).phrase, {}, shown.headers)
    problems = {*_ALWAYS, *shown.problems, *(_WITH_BODY if one.method != "GET" else ())}
    problems |= set() if about.is_open else {*_WITH_TOKEN}
    for status in sorted(problems):
        known = responses.get(str(status))
        if known is None:
            responses[str(status)] = {"$ref": "#/components/responses/Problem"}
        else:
            # A type of its own, or whatever else is wrong.
            known["content"] = {**_as_json(known["content"]), PROBLEM_TYPE: _content(Problem)}
    return responses


def _told(
    description: str, content: Mapping[str, Json], headers: Mapping[str, str] | None = None
) -> Json:
    told: Json = {"description": description}
    if content:
        told["content"] = dict(content)
    if headers:
        told["headers"] = {
            name: {"description": sentence, "schema": {"type": "string"}}
            for name, sentence in headers.items()
        }
    return told


def _content(kind: object, example: object = None) -> Json:
    content: Json = {"schema": _schema(kind)}
    if example is not None:
        content["example"] = example
    return content


def _as_json(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _is_json(media_type: str) -> bool:
    return media_type.partition("/")[2].endswith("json") and "ndjson" not in media_type


def _schema(kind: object) -> Json:
    if isinstance(kind, Described):
        return kind.reference
    (schema,), _ = msgspec.json.schema_components(
        [kind], schema_hook=_of_our_own, ref_template=_TEMPLATE
    )
    return schema


def _components(operations: Sequence[Operation]) -> Json:
    kinds: list[object] = [Problem]
    for one in operations:
        kinds += [one.returns, *one.accepts.types.values(), *one.shown.also.values()]
    _, components = msgspec.json.schema_components(
        [kind for kind in kinds if not isinstance(kind, Described)],
        schema_hook=_of_our_own,
        ref_template=_TEMPLATE,
    )
    for one in operations:
        for kind in one.accepts.types.values():
            # What nobody knows is refused.
            if isinstance(kind, type) and kind.__name__ in components:
                components[kind.__name__]["additionalProperties"] = False
    told = {name: _readable(schema) for name, schema in components.items()}
    return told | dict(_described(kinds))


def _readable(schema: object) -> object:
    """The schema with pairs as lists of two: many generators know no `false` for a schema."""
    match schema:
        case {"prefixItems": [first, *rest], "items": False, **others} if all(
            one == first for one in rest
        ):
            return {**others, "items": first}
        case dict():
            return {key: _readable(value) for key, value in schema.items()}
        case list():
            return [_readable(value) for value in schema]
        case _:
            return schema


def _described(kinds: Iterable[object]) -> Iterator[tuple[str, Json]]:
    for kind in kinds:
        if isinstance(kind, Described):
            yield kind.name, kind.schema
            yield from _described(kind.uses)


def _of_our_own(kind: type) -> Json:
    if kind is object:
        # msgspec takes an empty one for none.
        return {"description": "Any JSON value"}
    if kind is not Moment:
        raise NotImplementedError
    return {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "number"}]}
