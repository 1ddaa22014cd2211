"""TelecomX's callnotify over HTTP: the items of one customer, who stands in the path.

Whether a customer exists is told only to those who act for that customer.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from callpost.api.making import changed, made, put_in
from callpost.api.ports import CardIndex, CardsRefused, TooManyCards
from callpost.api.telecomx.items import ID_BYTES, answer_of, said_by
from callpost.api.telecomx.refusals import (
    Denied,
    access_denied,
    no_customer,
    not_found,
    refused,
    unusable,
)
from callpost.api.whose import is_customer
from callpost.model.card import Card, CardsChanged
from callpost.model.unknown import CannotNow
from callpost.web.answer import in_json
from callpost.web.asked import read_object
from callpost.web.caller import caller_of
from callpost.web.problem import Refusal
from callpost.web.site import Language

_ALL: Final = "/customer/{customer}/callnotify"
_ONE: Final = "/customer/{customer}/callnotify/{callnotify}"
Respond = Callable[[Request], Awaitable[object]]


def language(index: CardIndex) -> Language:
    """TelecomX's paths; each also with a slash at its end."""
    door = _Door(index)
    paths: dict[str, dict[str, Respond]] = {
        _ALL: {"GET": door.listed, "POST": door.created},
        _ONE: {"GET": door.shown, "POST": door.updated, "DELETE": door.deleted},
    }
    routes = [
        Route(f"{path}{end}", _responding(by_method), methods=list(by_method))
        for path, by_method in paths.items()
        for end in ("", "/")
    ]
    return Language(prefix="/customer/", routes=routes, refused=refused)


def _responding(by_method: Mapping[str, Respond]) -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        answered = await by_method["GET" if request.method == "HEAD" else request.method](request)
        return in_json(answered)

    return respond


class _Door:
    """The five operations; each answers with an item, or with all of them."""

    def __init__(self, index: CardIndex) -> None:
        self._index = index

    async def listed(self, request: Request) -> object:
        """All that were made here for this customer, the oldest first."""
        customer = self._customer(request, writes=False)
        return [answer_of(card) for card in self._index.cards("telecomx", customer=customer)]

    async def shown(self, request: Request) -> object:
        """One of them."""
        return answer_of(self._held(request, self._customer(request, writes=False)))

    async def created(self, request: Request) -> object:
        """A new one."""
        customer = self._customer(request, writes=True)
        sent = await read_object(request)
        index = self._index

        def new() -> Card:
            card = made(
                index,
                caller_of(request),
                dialect="telecomx",
                card_id=index.random_bytes(ID_BYTES).hex(),
                customer=customer,
                said=said_by(sent, {}),
            )
            return replace(card, subscription=index.given_name("telecomx", customer))

        return answer_of(await put_in(self._change, new))

    async def updated(self, request: Request) -> object:
        """The item with what was sent of it; the rest stays."""
        customer = self._customer(request, writes=True)
        sent = await read_object(request)

        def after() -> Card:
            card = self._held(request, customer)
            return changed(self._index, caller_of(request), card, said_by(sent, card.said))

        return answer_of(await put_in(self._change, after))

    async def deleted(self, request: Request) -> object:
        """The item as it was."""
        customer = self._customer(request, writes=True)
        gone: list[Card] = []

        def decide() -> CardsChanged:
            gone.append(self._held(request, customer))
            return CardsChanged(taken=(gone[-1],))

        await self._change(decide)
        return answer_of(gone[-1])

    def _customer(self, request: Request, *, writes: bool) -> str:
        caller, customer = caller_of(request), str(request.path_params["customer"])
        if not caller.acts_for(customer) or (writes and not caller.may_change):
            raise access_denied()
        if not is_customer(customer, self._index.tenancy):
            raise no_customer()
        return customer

    def _held(self, request: Request, customer: str) -> Card:
        """The item in the path; that of another customer is none."""
        card = self._index.card("telecomx", request.path_params["callnotify"].lower())
        if card is None or card.customer != customer:
            raise not_found()
        return card

    async def _change(self, decide: Callable[[], CardsChanged]) -> None:
        try:
            await self._index.change(decide)
        except CardsRefused as faulty:
            raise unusable(faulty) from None
        except TooManyCards as full:
            raise Denied(422, "limit", str(full)) from None
        except CannotNow as fault:
            raise Refusal(503, str(fault)) from None
