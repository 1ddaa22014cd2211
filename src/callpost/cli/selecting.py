"""The options that select dead letters, the same for `dead` and `replay`."""

from collections.abc import Callable
from typing import Any, Final, TypedDict, TypeVar

import asyncclick as click

from callpost.cli.moments import MOMENT
from callpost.cli.names import complete_names
from callpost.model.replay import Selection
from callpost.model.vocabulary import KINDS, Kind


class Criteria(TypedDict):
    """What a command gets of these options, and of the argument."""

    subscription: str
    customer: str
    call_id: str
    event_id: str
    kinds: tuple[Kind, ...]
    since: float | None
    until: float | None


_Command = TypeVar("_Command", bound=Callable[..., Any])

subscription_argument = click.argument(
    "subscription", required=False, default="", shell_complete=complete_names
)
customer_option = click.option("--customer", default="", metavar="ID", help="Only of CUSTOMER.")
_OPTIONS: Final = (
    customer_option,
    click.option("--call", "call_id", default="", metavar="ID", help="Only of this call."),
    click.option("--event", "event_id", default="", metavar="ID", help="Only this event."),
    click.option(
        "--kind",
        "kinds",
        type=click.Choice(KINDS),
        multiple=True,
        help="Only such events; may be given several times.",
    ),
    click.option(
        "--since",
        type=MOMENT,
        metavar="WHEN",
        help="Only events accepted since then: 10m, 2h, 3d, 2026-11-21, 2026-11-21T10:00.",
    ),
    click.option("--until", type=MOMENT, metavar="WHEN", help="Only events accepted before then."),
)


def selecting(command: _Command) -> _Command:
    """Give a command these options; `selection_of` makes one noun of them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def selection_of(criteria: Criteria, *, delivered: bool = False) -> Selection:
    """What the options select; raises a usage error where nothing could ever be meant."""
    since, until = criteria["since"], criteria["until"]
    if since is not None and until is not None and since >= until:
        raise click.UsageError("--since is not before --until: nothing can lie between them.")
    return Selection(
        subscription=criteria["subscription"],
        customer=criteria["customer"],
        call_id=criteria["call_id"],
        event_id=criteria["event_id"],
        kinds=frozenset(criteria["kinds"]),
        since=since,
        until=until,
        delivered=delivered,
    )
