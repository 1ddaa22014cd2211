"""VoipNow's phoneCallEvents over HTTP, at the paths of the UnifiedAPI.

What is written is looked up again under the index's lock: somebody else may have been quicker.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from msgspec.structs import replace
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from callpost.api.making import changed, made, put_in
from callpost.api.ports import CardIndex, CardsRefused, TooManyCards
from callpost.api.voipnow.answers import resource
from callpost.api.voipnow.asked import to_create, to_update, type_of
from callpost.api.voipnow.items import Event, said
from callpost.api.voipnow.lanes import placed
from callpost.api.voipnow.pages import page, read_query
from callpost.api.voipnow.place import Place, place_of
from callpost.api.voipnow.refusals import Invalid, invalid_table, refused
from callpost.model.card import Card, CardsChanged
from callpost.model.unknown import CannotNow
from callpost.web.answer import in_json
from callpost.web.asked import read_json
from callpost.web.caller import caller_of
from callpost.web.problem import Refusal
from callpost.web.site import Language

_PREFIX: Final = "/uapi/"
_ALL: Final = "/uapi/extensions/{user}/{extension}/phoneCallEvents"
_OF_TYPE: Final = f"{_ALL}/{{type}}"
_ONE: Final = f"{_OF_TYPE}/{{id}}"
# Alphanumeric and as long as VoipNow's own are: 30 hexadecimal digits.
_ID_BYTES: Final = 15

_Answer = Callable[[Request], Awaitable[Response]]


def language(index: CardIndex) -> Language:
    """VoipNow's words for the cards of this index."""
    door = _Door(index)
    many: Mapping[str, _Answer] = {
        "GET": door.listed,
        "POST": door.created,
        "DELETE": door.deleted,
    }
    one: Mapping[str, _Answer] = {
        "GET": door.listed,
        "PUT": door.updated,
        "DELETE": door.deleted,
    }
    routes = [
        _route(f"{path}{end}", answers)
        for path, answers in ((_ALL, many), (_OF_TYPE, many), (_ONE, one))
        for end in ("", "/")
    ]
    return Language(prefix=_PREFIX, routes=routes, refused=refused)


class _Door:
    """One method for each operation; a path may name a type, and with it an id."""

    def __init__(self, index: CardIndex) -> None:
        self._index = index

    async def listed(self, request: Request) -> Response:
        """The collection, of one event where the path names one."""
        place = place_of(request, self._index.tenancy)
        cards = self._named(request, place)
        query = read_query(request.query_params)
        found = [resource(card, place) for card in cards]
        beneath = request.path_params.get("type")
        url = f"{place.base}/{beneath}" if beneath else place.base
        return in_json(page(found, query, url=url))

    async def created(self, request: Request) -> Response:
        """A new event, and the whole of it as the answer."""
        place = self._place_to_change(request)
        body = await read_json(request)
        event = to_create(body, path_type=request.path_params.get("type", ""))
        card = await self._put(lambda: self._new(event, place, request), place)
        return in_json(resource(card, place), 201)

    async def updated(self, request: Request) -> Response:
        """An event with some of its fields changed."""
        place = self._place_to_change(request)
        body = await read_json(request)
        card = await self._put(lambda: self._changed(body, place, request), place)
        return in_json(resource(card, place))

    async def deleted(self, request: Request) -> Response:
        """Those that the path names are gone; the answer has them once more."""
        place = self._place_to_change(request)
        gone: list[Card] = []

        def decide() -> CardsChanged:
            gone[:] = self._named(request, place)
            return CardsChanged(taken=tuple(gone))

        await self._change(decide)
        return in_json([resource(card, place) for card in gone])

    def _place_to_change(self, request: Request) -> Place:
        if not caller_of(request).may_change:
            raise Invalid("pce_access_denied", "A viewer may only look")
        return place_of(request, self._index.tenancy)

    def _named(self, request: Request, place: Place) -> list[Card]:
        """All events of the place, of the path's type, or the one with the path's id."""
        type_ = request.path_params.get("type", "")
        if type_:
            type_of(type_)
        if card_id := request.path_params.get("id", ""):
            return [self._one(card_id, type_, place)]
        cards = self._index.cards("voipnow", customer=place.customer)
        return [
            card
            for card in cards
            if card.scope == place.extension and type_ in {"", card.said["type"]}
        ]

    def _one(self, card_id: str, type_: str, place: Place) -> Card:
        card = self._index.card("voipnow", card_id)
        is_here = card is not None and (card.customer, card.scope) == (
            place.customer,
            place.extension,
        )
        if card is None or not is_here or card.said["type"] != type_:
            raise Invalid("pce_id_invalid", "There is no such event", status=404)
        return card

    def _new(self, event: Event, place: Place, request: Request) -> Card:
        card = made(
            self._index,
            caller_of(request),
            dialect="voipnow",
            card_id=self._index.random_bytes(_ID_BYTES).hex(),
            customer=place.customer,
            said=said(event),
        )
        return replace(card, scope=place.extension)

    def _changed(self, body: object, place: Place, request: Request) -> Card:
        [card] = self._named(request, place)
        after = said(to_update(body, card.said))
        return changed(self._index, caller_of(request), card, after)

    async def _put(self, make: Callable[[], Card], place: Place) -> Card:
        """Write down the card that `make` gives under the lock, in its lane."""
        return await put_in(
            self._change,
            lambda: placed(
                make(),
                self._index.cards("voipnow", customer=place.customer),
                lambda: self._index.given_name("voipnow", place.extension),
            ),
        )

    async def _change(self, decide: Callable[[], CardsChanged]) -> None:
        try:
            await self._index.change(decide)
        except CardsRefused as fault:
            raise invalid_table(fault.faults) from None
        except TooManyCards as fault:
            raise Invalid("pce_limit_reached", str(fault)) from None
        except CannotNow as fault:
            raise Refusal(503, str(fault)) from None


def _route(path: str, answers: Mapping[str, _Answer]) -> Route:
    async def respond(request: Request) -> Response:
        if not all(request.path_params.values()):
            raise HTTPException(404)
        method = "GET" if request.method == "HEAD" else request.method
        return await answers[method](request)

    return Route(path, respond, methods=list(answers))
