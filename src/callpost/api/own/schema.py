"""What subscriptions and forward rules look like, as JSON Schema for whoever reads the description.

The keys are those of the configuration, where their rules are; here stands what a program needs
to write them. A rule may be stricter than what can be said here.
"""

from collections.abc import Mapping, Sequence
from typing import Final, get_args

from callpost.model.condition import SubscriptionCondition
from callpost.model.endpoint import Frame, HttpClient
from callpost.model.forward import LINK_ID_MAX, TARGETS_MAX
from callpost.model.numbers import NumberFormat
from callpost.model.subscription import AfterGap, Ended, Order, ResponseAction, Stale
from callpost.model.vocabulary import (
    DIRECTIONS,
    FLOWS,
    KINDS,
    METHODS,
    Cause,
    ExtensionType,
    Selection,
    Vocabulary,
)
from callpost.web.openapi import Described, Json

_FLAG: Final[Json] = {"type": "boolean"}
_TEXT: Final[Json] = {"type": "string"}
_SECONDS: Final[Json] = {"type": "number", "exclusiveMinimum": 0}


def _words(words: Sequence[object], told: str = "") -> Json:
    return {"enum": list(words), **({"description": told} if told else {})}


def _list(items: Json, told: str = "", **more: object) -> Json:
    return {"type": "array", "items": items, **({"description": told} if told else {}), **more}


def _map(values: Json, told: str) -> Json:
    return {"type": "object", "additionalProperties": values, "description": told}


def _table(
    properties: Mapping[str, object], *required: str, told: str = "", **more: object
) -> Json:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
        **({"description": told} if told else {}),
        **more,
    }


_AUTH: Final = _table(
    {
        "type": _words(("basic", "digest", "bearer")),
        "username": _TEXT,
        "password": {"type": "string", "description": "Answered as ********"},
        "token": {"type": "string", "description": "Of bearer; answered as ********"},
    },
    "type",
)
_TLS: Final = _table(
    {
        "verify": _FLAG,
        "ca_file": {"type": "string", "description": "In files only"},
        "client_cert": {"type": "string", "description": "In files only"},
        "client_key": {"type": "string", "description": "In files only"},
    }
)
_DOOR: Final[Json] = {
    "url": {
        "type": "string",
        "description": "http, https, tcp or udp. A password in it is answered as ********; of a"
        " URL that stands in a file only scheme, host and port are.",
        "examples": ["https://crm.example.com/calls"],
    },
    "method": _words(METHODS),
    "level": {"enum": [1, 2], "description": "Of POSTARGS and POSTJSON"},
    "content_type": {"type": "string", "maxLength": 256},
    "headers": _map(_TEXT, "Names and values; the values are answered as ********"),
    "auth": _AUTH,
    "tls": _TLS,
    "frame": _words(get_args(Frame), "Of tcp"),
    "envelope": _FLAG,
    "ack": {"type": "boolean", "description": "tcp: the subscriber answers each frame"},
    "http2": _FLAG,
    "proxy": {"type": "string", "description": "In files only"},
    "http_client": _words(get_args(HttpClient)),
}
_OTHER_DOOR: Final = Described("Endpoint", _table(_DOOR, "url"))
_MASKS: Final = _list({"type": "string", "minLength": 1, "maxLength": 255})
_SIGNATURE: Final = _table(
    {"header": _TEXT, "secret": {"type": "string", "description": "Answered as ********"}},
    "header",
    "secret",
)
_PAUSES: Final = _table(
    {
        "pauses_s": _list({"type": "number", "minimum": 0}),
        "max_age_s": _SECONDS,
        "max_attempts": {"type": "integer", "minimum": 1},
    },
    "pauses_s",
)
_CUSTOMER: Final[Json] = {
    "type": "string",
    "maxLength": 255,
    "description": "Whose calls; the token's only customer where it is left out. It stays.",
}
KEYS: Final[Json] = {
    **_DOOR,
    "preset": {"type": "string", "description": "zammad | sipgate | voipnow"},
    "selection": _words(get_args(Selection)),
    "events": _list(_words(KINDS), "Left out: all that the vocabulary has"),
    "direction": _list(_words(DIRECTIONS)),
    "flow": _list(_words(FLOWS), "Vocabulary voipnow: as the exact extensions see the call"),
    "caller": {**_MASKS, "description": "Masks on `from`"},
    "called": {**_MASKS, "description": "Masks on `to`, `did`, `diversion`"},
    "extension": {**_MASKS, "description": "Exact, or `mask:` and a mask"},
    "extension_type": _list(_words(get_args(ExtensionType))),
    "dtmf": {**_MASKS, "description": "Patterns on the digits"},
    "cause": _list(_words(get_args(Cause))),
    "vocabulary": _words(get_args(Vocabulary)),
    "enabled": {"type": "boolean", "description": "false: matches nothing and keeps nothing"},
    "note": {"type": "string", "maxLength": 1024},
    "secrets": _list(_TEXT, "Standard Webhooks, whsec_…; each is answered as ********", maxItems=4),
    "body_signature": _SIGNATURE,
    "fallback": _list(_OTHER_DOOR.reference, "Tried in order", maxItems=16),
    "status_callback": _OTHER_DOOR.reference,
    "delivery_report": _table(
        {
            **{key: told for key, told in _DOOR.items() if key != "level"},
            "on": _list(_words(get_args(Ended)), minItems=1),
        },
        "url",
    ),
    "retry": {"anyOf": [_words(("live", "cdr")), _PAUSES]},
    "max_age_s": _map({"type": "number", "minimum": 1}, "By the kind of event"),
    "stale": _words(get_args(Stale)),
    "after_gap": _words(get_args(AfterGap)),
    "responses": _map(_words(get_args(ResponseAction)), 'By status code, "409" or "4xx"'),
    "order": _words(get_args(Order)),
    "rate_per_s": {"type": "number", "minimum": 0},
    "omit": _list(_TEXT, "Fields that are never sent"),
    "number_format": _words(get_args(NumberFormat)),
    "concurrency": {"type": "integer", "minimum": 1},
    "connect_timeout_s": _SECONDS,
    "first_byte_timeout_s": _SECONDS,
    "timeout_s": _SECONDS,
}
_READ_ONLY: Final[Json] = {
    "origin": {"type": "string", "readOnly": True, "description": "file, api or a dialect"},
    "created_at": {"type": "string", "format": "date-time", "readOnly": True},
    "modified_at": {"type": "string", "format": "date-time", "readOnly": True},
}
_STATE: Final[Json] = {
    # Without one, generated clients call it as the component SubscriptionState is called.
    "title": "Standing",
    "enum": [*get_args(SubscriptionCondition), "disabled", "left_out"],
    "readOnly": True,
    "description": "disabled: `enabled` is false; left_out: the configuration forbids it by now",
}
_RULE_STATE: Final[Json] = {
    "title": "RuleStanding",
    "enum": ["active", "left_out"],
    "readOnly": True,
    "description": "left_out: the configuration forbids it by now, and it has no effect",
}
_WISH: Final[Json] = {
    "type": "string",
    "pattern": "^[a-z0-9_.-]{1,40}$",
    "description": "A wish: the name that is given is api.<wish>.<8 hexadecimal digits>",
}
_NAME: Final[Json] = {"type": "string", "description": "As it is; a name stays"}
_ANSWERED: Final[Json] = {"name": _TEXT, "customer": _CUSTOMER, **_READ_ONLY, "state": _STATE}

_USES: Final = (_OTHER_DOOR,)
SUBSCRIPTION: Final = Described(
    "Subscription",
    _table({**KEYS, **_ANSWERED}, "name", "customer", "origin", "state", "url"),
    _USES,
)
NEW_SUBSCRIPTION: Final = Described(
    "NewSubscription",
    _table({**KEYS, **_ANSWERED, "name": _WISH}, "url"),
    _USES,
)
WHOLE_SUBSCRIPTION: Final = Described(
    "WholeSubscription", _table({**KEYS, **_ANSWERED, "name": _NAME}, "url"), _USES
)
# What is null is taken out; the rest is as in the whole one.
PATCHED_SUBSCRIPTION: Final = Described(
    "SubscriptionPatch",
    {
        "type": "object",
        "description": "RFC 7396: what is left out stays, null takes a key out",
        "properties": {key: {} for key in [*KEYS, *_ANSWERED]},
        "additionalProperties": False,
    },
)
_PAGE: Final[Json] = {
    "total": {"type": "integer"},
    "next": {"type": "string", "description": 'The cursor of the following page, "" at the end'},
}
SUBSCRIPTIONS: Final = Described(
    "Subscriptions",
    _table(
        {"subscriptions": _list(SUBSCRIPTION.reference), **_PAGE}, "subscriptions", "total", "next"
    ),
    (SUBSCRIPTION,),
)

_NUMBER: Final[Json] = {"type": "string", "minLength": 1, "maxLength": 255}
FORWARD_KEYS: Final[Json] = {
    "number": {**_NUMBER, "description": "What the event is to: `to`, `did` or `extension`"},
    "to": _list(_NUMBER, minItems=1, maxItems=TARGETS_MAX),
    "link_id": {"type": "integer", "minimum": -LINK_ID_MAX, "maximum": LINK_ID_MAX},
}
_RULE: Final[Json] = {
    **FORWARD_KEYS,
    "customer": _CUSTOMER,
    "id": {"type": "string", "readOnly": True},
    **_READ_ONLY,
    "state": _RULE_STATE,
}
FORWARD: Final = Described(
    "ForwardRule", _table(_RULE, "id", "customer", "origin", "state", "number", "to")
)
NEW_FORWARD: Final = Described("NewForwardRule", _table(_RULE, "number", "to"))
FORWARDS: Final = Described(
    "ForwardRules",
    _table({"forwards": _list(FORWARD.reference), **_PAGE}, "forwards", "total", "next"),
    (FORWARD,),
)
