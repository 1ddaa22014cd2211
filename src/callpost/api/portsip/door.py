"""PortSIP's action URLs over HTTP: those of one virtual receptionist, who stands in the path.

What is written is looked up again under the index's lock: somebody else may have been quicker.
"""

from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from callpost.api.making import changed, made, put_in
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
from callpost.model.card import Card, CardsChanged
from callpost.model.unknown import CannotNow
from callpost.web.answer import in_json
from callpost.web.asked import read_object
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
        return in_json({"items": [answer_of(card) for card in cards if card.scope == place.ivr]})

    async def shown(self, request: Request) -> Response:
        """One of them."""
        place = receptionist_of(request, self._index.tenancy)
        return in_json(answer_of(self._held(request, place)))

    async def created(self, request: Request) -> Response:
        """A new one; the answer has its id."""
        place = self._place_to_change(request)
        sent = await read_object(request)
        card = await put_in(self._change, lambda: self._new(sent, place, request))
        return in_json({"id": card.id}, 201)

    async def updated(self, request: Request) -> Response:
        """One of them with what was sent; the rest stays. The answer has no content."""
        place = self._place_to_change(request)
        sent = await read_object(request)

        def after() -> Card:
            card = self._held(request, place)
            return changed(self._index, caller_of(request), card, said_by(sent, card.said))

        await put_in(self._change, after)
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
        number = _ID_LEAST + int.from_bytes(index.random_bytes(16)) % _ID_CHOICES
        card = made(
            index,
            caller_of(request),
            dialect="portsip",
            card_id=b64encode(str(number).encode()).decode(),
            customer=place.customer,
            said=said,
        )
        name = index.given_name("portsip", str(said["name"] or place.ivr))
        return replace(card, scope=place.ivr, subscription=name)

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
