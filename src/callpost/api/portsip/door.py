"""PortSIP's action URLs over HTTP: those of one virtual receptionist, who stands in the path.

What is written is looked up again under the index's lock: somebody else may have been quicker.
"""

from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from callpost.api.ports import CardIndex, CardsRefused, TooManyCards
from callpost.api.portsip.cards import Unusable, answer_of, said_by
from callpost.api.portsip.receptionist import Receptionist, receptionist_of
from callpost.api.portsip.refusals import (
    access_denied,
    invalid,
    invalid_table,
    not_found,
    refused,
)
from callpost.model.card import Card, CardsChanged, is_trusted_after
from callpost.model.unknown import CannotNow
from callpost.web.asked import read_json
from callpost.web.caller import caller_of
from callpost.web.problem import Refusal
from callpost.web.site import Language

_ALL: Final = "/api/ivrs/{ivr}/action_urls"
_ONE: Final = f"{_ALL}/{{url_id}}"
# Theirs are base64 of a number of 18 digits, and to be taken as they are.
_ID_LEAST: Final = 10**17
_ID_CHOICES: Final = 9 * 10**17
Respond = Callable[[Request], Awaitable[Response]]


def language(index: CardIndex) -> Language:
    """PortSIP's paths; each also with a slash at its end."""
    door = _Door(index)
    paths: dict[str, dict[str, Respond]] = {
        _ALL: {"GET": door.listed, "POST": door.created},
        _ONE: {"GET": door.shown, "POST": door.updated, "DELETE": door.destroyed},
        f"{_ONE}/destroy": {"POST": door.destroyed},
    }
    routes = [
        Route(f"{path}{end}", _responding(by_method), methods=list(by_method))
        for path, by_method in paths.items()
        for end in ("", "/")
    ]
    return Language(prefix="/api/ivrs/", routes=routes, refused=refused)


def _responding(by_method: Mapping[str, Respond]) -> Respond:
    async def respond(request: Request) -> Response:
        return await by_method["GET" if request.method == "HEAD" else request.method](request)

    return respond


class _Door:
    """The five operations."""

    def __init__(self, index: CardIndex) -> None:
        self._index = index

    async def listed(self, request: Request) -> Response:
        """All that were made here for this receptionist, the oldest first."""
        place = receptionist_of(request, self._index.tenancy)
        cards = self._index.cards("portsip", customer=place.customer)
        return _json({"items": [answer_of(card) for card in cards if card.scope == place.ivr]})

    async def shown(self, request: Request) -> Response:
        """One of them."""
        place = receptionist_of(request, self._index.tenancy)
        return _json(answer_of(self._held(request, place)))

    async def created(self, request: Request) -> Response:
        """A new one; the answer has its id."""
        place = self._place_to_change(request)
        sent = await _sent(request)
        new: list[Card] = []

        def decide() -> CardsChanged:
            new[:] = [self._new(sent, place, request)]
            return CardsChanged(put=tuple(new))

        await self._change(decide)
        return _json({"id": new[0].id}, 201)

    async def updated(self, request: Request) -> Response:
        """One of them with what was sent; the rest stays. The answer has no content."""
        place = self._place_to_change(request)
        sent = await _sent(request)

        def decide() -> CardsChanged:
            card = self._held(request, place)
            said = said_by(sent, card.said)
            trusted = is_trusted_after(card, said, by_trusted=caller_of(request).trusted)
            changed = replace(
                card,
                trusted=trusted,
                said=said,
                modified_at=self._index.now(),
                revision=card.revision + 1,
            )
            return CardsChanged(put=(changed,))

        await self._change(decide)
        return Response()

    async def destroyed(self, request: Request) -> Response:
        """One of them is gone."""
        place = self._place_to_change(request)
        await self._change(lambda: CardsChanged(taken=(self._held(request, place),)))
        return Response(status_code=204)

    def _place_to_change(self, request: Request) -> Receptionist:
        if not caller_of(request).may_change:
            raise access_denied()
        return receptionist_of(request, self._index.tenancy)

    def _held(self, request: Request, place: Receptionist) -> Card:
        """The action URL in the path; that of another receptionist is none."""
        card = self._index.card("portsip", request.path_params["url_id"])
        if card is None or (card.customer, card.scope) != (place.customer, place.ivr):
            raise not_found("action URL")
        return card

    def _new(self, sent: Mapping[str, object], place: Receptionist, request: Request) -> Card:
        index, said = self._index, said_by(sent, {})
        now = index.now()
        number = _ID_LEAST + int.from_bytes(index.random_bytes(16)) % _ID_CHOICES
        return Card(
            dialect="portsip",
            id=b64encode(str(number).encode()).decode(),
            customer=place.customer,
            scope=place.ivr,
            subscription=index.given_name("portsip", str(said["name"] or place.ivr)),
            trusted=caller_of(request).trusted,
            said=said,
            created_at=now,
            modified_at=now,
        )

    async def _change(self, decide: Callable[[], CardsChanged]) -> None:
        try:
            await self._index.change(decide)
        except Unusable as faulty:
            raise invalid(faulty.faults) from None
        except CardsRefused as faulty:
            raise invalid_table(faulty.faults) from None
        except TooManyCards as full:
            raise Refusal(409, str(full)) from None
        except CannotNow as fault:
            raise Refusal(503, str(fault)) from None


async def _sent(request: Request) -> dict[str, object]:
    """The object in the body; none at all is an empty one."""
    match await read_json(request):
        case None:
            return {}
        case dict() as sent:
            return sent
        case _:
            raise Refusal(400, "The body must be a JSON object.")


def _json(content: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")
