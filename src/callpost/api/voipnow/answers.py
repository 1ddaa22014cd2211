"""What a client is told of its events: the resource PhoneCallEvent, alone or in a collection.

From wiki.4psa.com, "PhoneCallEvents Resource": numbers travel as texts, the fields in this order.
"""

from typing import Final

from callpost.api.voipnow.place import Place
from callpost.model.card import Card
from callpost.model.instant import utc_text_within

FIELDS: Final = ("type", "id", "method", "note", "url", "status", "modified", "links")
# Up to the seconds: `2026-11-21T16:40:00`.
_SECONDS_CHARS: Final = 19


def resource(card: Card, place: Place) -> dict[str, object]:
    """The whole event."""
    told: dict[str, object] = {
        **card.said,
        "id": card.id,
        "modified": f"{utc_text_within(card.modified_at)[:_SECONDS_CHARS]}+00:00",
        "links": {"self": f"{place.base}/{card.said['type']}/{card.id}"},
    }
    return {field: told[field] for field in FIELDS}
