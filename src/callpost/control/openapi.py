"""The OpenAPI 3.1 document, made of the table of operations and of their types.

Nothing is written down twice: a field, its bounds and its sentence come from the Struct.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Final

import msgspec
from msgspec.structs import fields

from callpost.control.fields import Moment
from callpost.control.operation import Operation
from callpost.control.problem import PROBLEM_TYPE, Problem

Json = dict[str, object]

_TEMPLATE: Final = "#/components/schemas/{name}"
_PARAMETER: Final = re.compile(r"\{(\w+)(?::\w+)?\}")
# What any operation may answer, and what one with a body may answer beside that.
_ALWAYS: Final = (400, 500, 503)
_WITH_BODY: Final = (408, 413, 415)
_ABOUT: Final = (
    "The operator's door of callpost, on the Unix socket control.sock. Who may open the socket"
    " may do everything; there are no tokens. Times are RFC 3339 in UTC."
)


def document(operations: Sequence[Operation], *, version: str) -> Json:
    """The document as JSON-able values."""
    paths: dict[str, Json] = {}
    for one in operations:
        path = _PARAMETER.sub(r"{\1}", one.path)
        paths.setdefault(path, {})[one.method.lower()] = _operation(one)
    return {
        "openapi": "3.1.0",
        "info": {"title": "callpost", "version": version, "description": _ABOUT},
        "servers": [{"url": "http://localhost", "description": "Over the Unix socket"}],
        "paths": paths,
        "components": {
            "schemas": _components(operations),
            "responses": {"Problem": _told("What is wrong (RFC 9457)", PROBLEM_TYPE, Problem)},
        },
    }


def _operation(one: Operation) -> Json:
    told: Json = {
        "operationId": _name(one),
        "summary": one.summary,
        "parameters": [*_path_parameters(one), *_query_parameters(one)],
        "responses": _responses(one),
    }
    if fields(one.body):
        content: Json = {"schema": _schema(one.body)}
        if one.example is not None:
            content["example"] = one.example
        told["requestBody"] = {
            "required": any(field.required for field in fields(one.body)),
            "content": {"application/json": content},
        }
    return told


def _name(one: Operation) -> str:
    path, is_versioned, rest = one.path.partition("/v1/")
    words = re.findall(r"[A-Za-z]+", _PARAMETER.sub(r"\1", rest if is_versioned else path))
    words += [] if is_versioned else ["Unversioned"]
    return one.method.lower() + "".join(word[:1].upper() + word[1:] for word in words)


def _path_parameters(one: Operation) -> Iterator[Json]:
    for name in _PARAMETER.findall(one.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


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


def _within(schema: Mapping[str, object]) -> object:
    """The sentence of a type that is wrapped: a time, or nothing."""
    choices = schema.get("anyOf")
    known = [one.get("description", "") for one in choices] if isinstance(choices, list) else []
    return next((sentence for sentence in known if sentence), "")


def _responses(one: Operation) -> dict[str, Json]:
    responses = {
        str(status): _told(
            HTTPStatus(status).phrase,
            one.content_type,
            one.returns,
            None if fields(one.body) else one.example,
        )
        for status in one.statuses
    }
    problems = {*_ALWAYS, *one.problems, *(_WITH_BODY if one.method != "GET" else ())}
    for status in sorted(problems - set(one.statuses)):
        responses[str(status)] = {"$ref": "#/components/responses/Problem"}
    return responses


def _told(description: str, content_type: str, kind: object, example: object = None) -> Json:
    content: Json = {"schema": _schema(kind)}
    if example is not None:
        content["example"] = example
    return {"description": description, "content": {content_type: content}}


def _schema(kind: object) -> Json:
    (schema,), _ = msgspec.json.schema_components(
        [kind], schema_hook=_of_our_own, ref_template=_TEMPLATE
    )
    return schema


def _components(operations: Sequence[Operation]) -> Json:
    kinds = [one.returns for one in operations if one.returns is not str]
    kinds += [one.body for one in operations if fields(one.body)]
    _, components = msgspec.json.schema_components(
        [*kinds, Problem], schema_hook=_of_our_own, ref_template=_TEMPLATE
    )
    return components


def _of_our_own(kind: type) -> Json:
    if kind is object:
        # msgspec takes an empty one for none.
        return {"description": "Any JSON value"}
    if kind is not Moment:
        raise NotImplementedError
    return {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "number"}]}
