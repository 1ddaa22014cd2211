"""One handler that was made over the API: what a client sends, what is kept, what is answered.

What is sent may be partial; what is kept has all fields, and has been found good.
"""

import uuid
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from callpost.api.document import Item
from callpost.api.signalwire.lists import FIELDS, translated
from callpost.api.signalwire.refusals import Invalid
from callpost.api.translated import Refused
from callpost.model.card import Card
from callpost.model.instant import utc_text_within

# Of a UUID.
ID_BYTES: Final = 16
# The methods and the use as documented; there need be no fallback, and no status callback.
_BLANK: Final[Mapping[str, object]] = dict.fromkeys(FIELDS) | {
    "used_for": "calling",
    "primary_request_method": "POST",
    "fallback_request_method": "POST",
    "status_callback_method": "POST",
}


def said_by(sent: Mapping[str, object], before: Mapping[str, object]) -> dict[str, object]:
    """What is to be kept: what was sent, and what it leaves out as it was `before`.

    null and "" are as good as never said, so they take a fallback or a callback away; what is no
    field of a handler, such as `id`, is passed over. Raises Invalid with every fault.
    """
    fresh = {key: sent[key] for key in FIELDS if key in sent}
    told = {key: value for key, value in {**before, **fresh}.items() if value not in (None, "")}
    said = {**_BLANK, **told}
    found = translated(Item("$", said))
    if isinstance(found, Refused):
        raise Invalid(
            (fault.path.removeprefix("$."), fault.code, fault.sentence) for fault in found.faults
        )
    return said


def id_of(random: bytes) -> str:
    """The id of a new handler."""
    return str(uuid.UUID(bytes=random, version=4))


def flat(card: Card) -> dict[str, object]:
    """The handler as an external SWML handler is answered."""
    return {"id": card.id, **card.said}


def resource(card: Card) -> dict[str, object]:
    """The handler as one of several resources: what it is called, and its fields in both places."""
    fields = flat(card)
    return {
        "id": card.id,
        # To SignalWire a customer is a project.
        "project_id": card.customer,
        "display_name": card.said["name"],
        "type": "swml_webhook",
        "created_at": utc_text_within(card.created_at),
        "updated_at": utc_text_within(card.modified_at),
        **fields,
        "swml_webhook": fields,
    }


def address(card: Card) -> dict[str, object]:
    """The only address of a handler; nobody can call it here, but clients look for its id."""
    name = str(card.said["name"])
    return {
        "id": str(uuid.uuid5(uuid.UUID(card.id), "audio")),
        "resource_id": card.id,
        "name": name,
        "display_name": name,
        "type": "app",
        "channels": {"audio": f"/public/{quote(name, safe='')}"},
    }
