"""Cards as a caller makes and changes them, in whatever dialect."""

from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from callpost.api.ports import CardIndex
from callpost.model.caller import Caller
from callpost.model.card import Card, CardsChanged, Dialect, is_trusted_after

Said = dict[str, object]


def made(
    index: CardIndex, caller: Caller, *, dialect: Dialect, card_id: str, customer: str, said: Said
) -> Card:
    """A new card, as trusted as its maker; it stands for a rule, and belongs to no scope."""
    now = index.now()
    return Card(
        dialect=dialect,
        id=card_id,
        customer=customer,
        trusted=caller.trusted,
        said=said,
        created_at=now,
        modified_at=now,
    )


def changed(index: CardIndex, caller: Caller, card: Card, said: Said) -> Card:
    """The card as the caller has changed it: trusted as far as the caller is, and it was."""
    return replace(
        card,
        said=said,
        trusted=is_trusted_after(card, said, by_trusted=caller.trusted),
        modified_at=index.now(),
        revision=card.revision + 1,
    )


async def put_in(
    change: Callable[[Callable[[], CardsChanged]], Awaitable[None]], make: Callable[[], Card]
) -> Card:
    """Have the card that `make` gives under the index's lock written down; and that card."""
    put: list[Card] = []

    def decide() -> CardsChanged:
        put[:] = [make()]
        return CardsChanged(put=tuple(put))

    await change(decide)
    return put[0]
