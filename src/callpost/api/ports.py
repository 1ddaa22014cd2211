"""What the API needs of the house, as Protocols; the daemon hands it over."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from callpost.model.card import Card, CardsChanged, Dialect
from callpost.model.condition import SubscriptionCondition, SubscriptionState
from callpost.model.drawn import DrawnKind
from callpost.model.fault import Fault
from callpost.model.replay import Replayed, Selection, Sight
from callpost.model.story import CallStory, DeadPage, EventStory, PendingPage
from callpost.model.tenancy import Tenancy
from callpost.model.trial import Trial


class CardsRefused(Exception):
    """What the cards would make cannot be used; the paths are keys of the table, `url` first."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{fault.path}: {fault.sentence}" for fault in faults))
        self.faults = tuple(faults)


class TooManyCards(Exception):
    """The customer has as many as may be."""

    def __init__(self, most: int) -> None:
        super().__init__(f"A customer may have at most {most:,} of them.")
        self.most = most


class CardIndex(Protocol):
    """The cards of all clients; what is in it is in force."""

    @property
    def tenancy(self) -> Tenancy:
        """The registry of customers, with their extensions and menus."""
        ...

    def cards(self, dialect: Dialect, *, customer: str | None = None) -> Sequence[Card]:
        """The cards of a dialect, of one customer or of all, the oldest first."""
        ...

    def card(self, dialect: Dialect, card_id: str) -> Card | None:
        """One card."""
        ...

    def now(self) -> float:
        """The time in wall seconds."""
        ...

    def random_bytes(self, count: int) -> bytes:
        """Bytes that nobody can guess."""
        ...

    def given_name(self, dialect: Dialect, wish: str) -> str:
        """A name for a new subscription that is like the wish, and nobody's yet."""
        ...

    async def change(self, decide: Callable[[], CardsChanged]) -> None:
        """Write down what `decide` says, all or nothing; returns once it is in force.

        Nothing else changes between what `decide` reads and what is written: it must not wait.
        What it raises is passed on, and nothing has changed then. Raises CardsRefused,
        TooManyCards, and CannotNow.
        """
        ...


class Listed(Struct, frozen=True, kw_only=True):
    """A subscription as a table; where it is of a file, no card is there, and nobody can change it.

    `table` has the keys of the configuration, without name and customer; its secrets are in it.
    `left_out`: where the configuration forbids it by now, all cards that it was drawn of.
    """

    name: str
    origin: str
    customer: str
    table: Mapping[str, object]
    card: Card | None = None
    left_out: tuple[Card, ...] = ()


class Roster(Protocol):
    """All subscriptions and forward rules, wherever they are from, in the order of delivery.

    What is left out is asked for by itself: it stands in nobody's way.

    What files say is read again when it is first asked for after a reload, in a thread.
    """

    async def subscriptions(self) -> Sequence[Listed]:
        """Every subscription, those of the files first."""
        ...

    async def subscription(self, name: str) -> Listed | None:
        """One of them."""
        ...

    async def forwards(self) -> Sequence[Listed]:
        """Every forward rule; its name is the card's id, "" where it is of a file."""
        ...

    def left_out(self, kind: DrawnKind) -> Sequence[Listed]:
        """What was made over the API, in any dialect, and the configuration forbids by now."""
        ...


class Producers(Protocol):
    """Takes in events, as from the producers' socket."""

    @property
    def max_event_bytes(self) -> int:
        """How long a line may be; for a longer one None is handed over."""
        ...

    async def accept(self, lines: Sequence[bytes | None]) -> list[bytes]:
        """Take in event lines; one reply line each, in order, once everything is on disk."""
        ...


class Shares(Protocol):
    """How much of the spool each customer may take."""

    def has_room(self, customer: str) -> bool:
        """Whether the customer may take more."""
        ...

    def take(self, customer: str, event_bytes: int, deliveries: int) -> None:
        """Count an event that was accepted."""
        ...


class Operating(Protocol):
    """Sees and moves deliveries; raises UnknownSubscription, BadCursor, CannotNow."""

    async def subscription(self, name: str) -> SubscriptionState:
        """Tell of one."""
        ...

    def condition(self, name: str) -> SubscriptionCondition:
        """Whether it sends, or who has paused it."""
        ...

    def pause(self, name: str) -> None:
        """Keep its events and send nothing."""
        ...

    def resume(self, name: str) -> None:
        """Let it send again, whoever paused it."""
        ...

    async def test(self, name: str) -> Trial:
        """Send newCall and hangup of a made-up call to each of its doors."""
        ...

    async def replay(
        self, selection: Selection, *, limit: int, cursor: str, dry_run: bool
    ) -> Replayed:
        """Deliver again what is selected, at most `limit` of it (0: all), on from `cursor`."""
        ...


class Records(Protocol):
    """Reads what the spool holds, in threads; raises BadCursor, SpoolUnreadable."""

    async def pending(self, selection: Selection, *, limit: int, cursor: str) -> PendingPage:
        """Read a page of what is pending, the oldest first.

        Of the selection the subscription, the customer and `among` count.
        """
        ...

    async def dead(self, selection: Selection, *, limit: int, cursor: str) -> DeadPage:
        """Read a page of dead letters, the newest first."""
        ...

    async def call(
        self, call_id: str, *, customer: str, limit: int, among: Sight | None
    ) -> CallStory | None:
        """Tell the story of a call, as far as it may be seen; None where nothing is."""
        ...

    async def events(
        self, event_id: str, *, customer: str, among: Sight | None
    ) -> tuple[EventStory, ...]:
        """Tell of the events with this id (one for each customer and source that has it)."""
        ...
