"""The cards of clients in memory, by the daemon's own rules, and a site to ask for them.

For the tests of the API's doors: CardIndex and Roster as the daemon has them, but that nothing
reaches a disk or a courier.
"""

import base64
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import httpx
import trio
from msgspec.structs import replace
from starlette.requests import Request

from callpost.api.names import legal
from callpost.api.ports import CardsRefused, Listed
from callpost.config import Config, Source, parse
from callpost.config.flat import flat
from callpost.model.caller import Caller
from callpost.model.card import Card, CardsChanged, Dialect
from callpost.model.drawn import Drawn, DrawnKind
from callpost.model.tenancy import Tenancy
from callpost.model.unknown import CannotNow
from callpost.registered import Cards, Registered
from callpost.web.problem import Refusal
from callpost.web.site import Admitted, Language, Site

# Who asks, by the token that is sent.
CALLERS: Mapping[str, Caller] = {
    "viewer": Caller(name="viewer", role="viewer", customers=("acme",)),
    "manager": Caller(name="manager", role="manager", customers=("acme",)),
    "owner": Caller(name="owner", role="owner", customers=("acme",)),
    "reseller": Caller(name="reseller", role="reseller", customers=("acme", "bravo")),
    "other": Caller(name="other", role="manager", customers=("bravo",)),
    "admin": Caller(name="admin", role="admin"),
    "trusted": Caller(name="trusted", role="manager", customers=("acme",), trusted=True),
}


class CardHouse:
    """What files say (`text`, TOML), and the cards beside it; `closed` says why nothing changes."""

    def __init__(self, text: str = "") -> None:
        self._source = Source("callpost.toml", text.encode())
        self.registered = Registered(_config(self._source), Cards.of(()))
        self.closed = ""
        self.changes: list[CardsChanged] = []
        self._wall = 1_800_000_000.0
        self._one_at_a_time = trio.Lock()

    def read_again(self, text: str) -> None:
        """The files say something else from now on."""
        self._source = Source("callpost.toml", text.encode())
        self.registered = Registered(_config(self._source), self.registered.cards)

    # --- api.ports.CardIndex

    @property
    def tenancy(self) -> Tenancy:
        """As the files have it."""
        return self.registered.config.tenancy

    def cards(self, dialect: Dialect, *, customer: str | None = None) -> Sequence[Card]:
        """The oldest first."""
        return self.registered.cards.listed(dialect, customer=customer)

    def card(self, dialect: Dialect, card_id: str) -> Card | None:
        """One card."""
        return self.registered.cards.one(dialect, card_id)

    def now(self) -> float:
        """Each time is a second later than the one before."""
        self._wall += 1
        return self._wall

    def random_bytes(self, count: int) -> bytes:
        """Bytes that nobody can guess."""
        return secrets.token_bytes(count)

    def given_name(self, dialect: Dialect, wish: str) -> str:
        """A name that nobody has."""
        return f"{dialect}.{legal(wish)[:40]}.{self.random_bytes(4).hex()}"

    async def change(self, decide: Callable[[], CardsChanged]) -> None:
        """Check it as the daemon does."""
        async with self._one_at_a_time:
            if self.closed:
                raise CannotNow(self.closed)
            changed = decide()
            before = self.registered
            after = Registered(before.files, before.cards.after(changed), before=before)
            if faults := after.faults_of(changed):
                raise CardsRefused(faults)
            most = before.config.api.max_subscriptions_per_customer
            after.cards.check_room(changed, before.cards, most=most)
            await trio.lowlevel.checkpoint()
            self.registered = after
            self.changes.append(changed)

    # --- api.ports.Roster

    async def subscriptions(self) -> Sequence[Listed]:
        """Those of the files first."""
        return self._listed("subscription", flat([self._source]).subscriptions)

    async def subscription(self, name: str) -> Listed | None:
        """One of them."""
        return next((one for one in await self.subscriptions() if one.name == name), None)

    async def forwards(self) -> Sequence[Listed]:
        """Those of the files first."""
        return self._listed("forward", flat([self._source]).forwards)

    def left_out(self, kind: DrawnKind) -> Sequence[Listed]:
        """With all their cards."""
        found = [one for one, _ in self.registered.made.faults if one.kind == kind]
        return [replace(self._made(one), left_out=self._cards_of(one)) for one in found]

    def _listed(self, kind: DrawnKind, tables: Sequence[Mapping[str, object]]) -> list[Listed]:
        of_files = [
            Listed(
                name=str(table.get("name", "")),
                origin="file",
                customer=str(table.get("customer", "")),
                table={key: table[key] for key in table if key not in {"name", "customer"}},
            )
            for table in tables
        ]
        left_out = [one for one, _ in self.registered.made.faults]
        made = [
            self._made(one)
            for one in self.registered.drawn
            if one.kind == kind and one not in left_out
        ]
        return [*of_files, *made]

    def _made(self, one: Drawn) -> Listed:
        return Listed(
            name=one.name or one.cards[0],
            origin=one.origin,
            customer=one.customer,
            table=one.table,
            card=self._cards_of(one)[0],
        )

    def _cards_of(self, one: Drawn) -> tuple[Card, ...]:
        cards = [self.card(one.origin, card_id) for card_id in one.cards]
        return tuple(card for card in cards if card is not None)


@asynccontextmanager
async def a_client(
    *languages: Language, who: str = "manager", username: str | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of these languages with the token of one of CALLERS, "" for none.

    With a user name the token is sent as its password.
    """
    headers = {"authorization": f"Bearer {who}"} if who else {}
    if username is not None:
        pair = base64.b64encode(f"{username}:{who}".encode()).decode()
        headers = {"authorization": f"Basic {pair}"}
    transport = httpx.ASGITransport(Site(languages, admit=_admit), raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://api.example", headers=headers
    ) as client:
        yield client


async def _admit(request: Request) -> Admitted | Refusal:
    scheme, _, offered = request.headers.get("authorization", "").partition(" ")
    username = ""
    if scheme == "Basic":
        username, _, offered = base64.b64decode(offered).decode().partition(":")
    if offered in CALLERS:
        return Admitted(CALLERS[offered], username)
    return Refusal(401, "A token is required.", headers={"WWW-Authenticate": "Bearer"})


def _config(source: Source) -> Config:
    return parse([source], secret=lambda _directory, _name: None, environment={})
