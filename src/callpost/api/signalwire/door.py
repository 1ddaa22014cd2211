"""SignalWire's external SWML handlers over HTTP: those of one customer, who is the project.

The same things are at two paths: SignalWire calls them SWML webhooks by now, and so do its client
libraries. What is written is looked up again under the index's lock.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from callpost.api.making import changed, made, put_in
from callpost.api.ports import CardIndex, CardsRefused, TooManyCards
from callpost.api.signalwire.handlers import ID_BYTES, address, flat, id_of, resource, said_by
from callpost.api.signalwire.refusals import invalid_table, not_found, refused, too_many
from callpost.api.whose import customer_of
from callpost.model.card import Card, CardsChanged
from callpost.model.unknown import CannotNow
from callpost.web.answer import in_json
from callpost.web.asked import read_object
from callpost.web.caller import caller_of
from callpost.web.problem import Refusal
from callpost.web.site import Language

Respond = Callable[[Request], Awaitable[Response]]
Shown = Callable[[Card], dict[str, object]]

_RESOURCES: Final = "/api/fabric/resources"
# How one handler is answered there; a list is the same at both.
_PATHS: Final[Mapping[str, Shown]] = {
    f"{_RESOURCES}/external_swml_handlers": flat,
    f"{_RESOURCES}/swml_webhooks": resource,
}


def language(index: CardIndex) -> Language:
    """SignalWire's paths; each also with a slash at its end."""
    routes = [
        Route(f"{path}{beneath}{end}", _responding(by_method), methods=list(by_method))
        for path, shown in _PATHS.items()
        for beneath, by_method in _operations(_Door(index, shown)).items()
        for end in ("", "/")
    ]
    return Language(prefix="/api/fabric/", routes=routes, refused=refused)


def _operations(door: "_Door") -> Mapping[str, Mapping[str, Respond]]:
    one: dict[str, Respond] = {
        "GET": door.one,
        "PUT": door.updated,
        "PATCH": door.updated,
        "DELETE": door.deleted,
    }
    return {
        "": {"GET": door.listed, "POST": door.created},
        "/{handler}": one,
        "/{handler}/addresses": {"GET": door.addresses},
    }


def _responding(by_method: Mapping[str, Respond]) -> Respond:
    async def respond(request: Request) -> Response:
        return await by_method["GET" if request.method == "HEAD" else request.method](request)

    return respond


class _Door:
    """The six operations."""

    def __init__(self, index: CardIndex, shown: Shown) -> None:
        self._index = index
        self._shown = shown

    async def listed(self, request: Request) -> Response:
        """All that were made here for this project, the oldest first, on one page."""
        cards = self._index.cards("signalwire", customer=self._project(request))
        return in_json({"data": [resource(card) for card in cards], "links": {}})

    async def one(self, request: Request) -> Response:
        """One of them."""
        return in_json(self._shown(self._held(request, self._project(request))))

    async def addresses(self, request: Request) -> Response:
        """The addresses of one of them: a single one."""
        card = self._held(request, self._project(request))
        return in_json({"data": [address(card)], "links": {}})

    async def created(self, request: Request) -> Response:
        """A new one."""
        project = self._project_to_change(request)
        sent = await read_object(request)
        return in_json(await self._put(lambda: self._new(sent, project, request)), 201)

    async def updated(self, request: Request) -> Response:
        """One of them with what was sent; the rest stays."""
        project = self._project_to_change(request)
        sent = await read_object(request)

        def after() -> Card:
            card = self._held(request, project)
            return changed(self._index, caller_of(request), card, said_by(sent, card.said))

        return in_json(await self._put(after))

    async def deleted(self, request: Request) -> Response:
        """One of them is gone."""
        project = self._project_to_change(request)
        await self._change(lambda: CardsChanged(taken=(self._held(request, project),)))
        return Response(status_code=204)

    def _project(self, request: Request) -> str:
        return customer_of(request, self._index.tenancy)

    def _project_to_change(self, request: Request) -> str:
        if not caller_of(request).may_change:
            raise Refusal(403, "This token may only read.")
        return self._project(request)

    def _held(self, request: Request, project: str) -> Card:
        """The handler in the path; that of another project is none."""
        card = self._index.card("signalwire", request.path_params["handler"].lower())
        if card is None or card.customer != project:
            raise not_found()
        return card

    def _new(self, sent: Mapping[str, object], project: str, request: Request) -> Card:
        index, said = self._index, said_by(sent, {})
        card = made(
            index,
            caller_of(request),
            dialect="signalwire",
            card_id=id_of(index.random_bytes(ID_BYTES)),
            customer=project,
            said=said,
        )
        return replace(card, subscription=index.given_name("signalwire", str(said["name"])))

    async def _put(self, make: Callable[[], Card]) -> dict[str, object]:
        """Write down the card that `make` gives under the lock; what is answered of it."""
        return self._shown(await put_in(self._change, make))

    async def _change(self, decide: Callable[[], CardsChanged]) -> None:
        try:
            await self._index.change(decide)
        except CardsRefused as faulty:
            raise invalid_table(faulty.faults) from None
        except TooManyCards as full:
            raise too_many(full) from None
        except CannotNow as fault:
            raise Refusal(503, str(fault)) from None
