"""`callpost pending`: what is still to be delivered, the oldest first."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import asyncclick as click

from callpost.cli.archive import Archive, ask
from callpost.cli.door import control_option
from callpost.cli.listing import gathered, json_lines_option, lines_option, show
from callpost.cli.options import config_option
from callpost.cli.selecting import subscription_argument
from callpost.cli.tables import Column
from callpost.cli.waits import Waits, in_a_column
from callpost.model.story import PendingDelivery

_COLUMNS: Final = (
    Column(title="ACCEPTED", rank=7),
    Column(title="SUBSCRIPTION", least=8, unbroken=True),
    Column(title="EVENT"),
    Column(title="CALL", least=20, unbroken=True),
    Column(title="SEQ", right=True, rank=5),
    Column(title="ATTEMPTS", right=True, rank=4),
    Column(title="NEXT ATTEMPT"),
    Column(title="GIVEN UP", rank=6),
    Column(title="EVENT ID", rank=8),
)
_EXAMPLES: Final = """\b
Examples:
  callpost pending
  callpost pending crm --limit 20
  callpost pending --json | jq -r .callId
"""


@click.command(epilog=_EXAMPLES)
@subscription_argument
@lines_option
@json_lines_option
@config_option
@control_option
async def pending(
    subscription: str, config: Path, control: Path | None, *, limit: int, as_json: bool
) -> None:
    """List the deliveries that are still to be made, the oldest first.

    All of them, or those of SUBSCRIPTION. The next attempt of one is at its own time, and not
    before its endpoints may be tried: at the next probe while their breakers are open, never in
    a pause. The others are next in turn. Where no daemon runs its spool is read.

    Exit status: 0 when the list was shown, though it be empty, 1 when there is no such
    subscription, or neither a daemon nor a spool, 2 for wrong usage.
    """

    async def read(archive: Archive) -> tuple[list[PendingDelivery], int, Waits]:
        found, total = await gathered(
            lambda size, cursor: archive.pending(
                subscription=subscription, limit=size, cursor=cursor
            ),
            limit,
        )
        return found, total, await archive.waits() if found and not as_json else Waits()

    found, total, waits = await ask(config, control, read)
    row = partial(_row, waits)
    show(found, total, columns=_COLUMNS, row=row, noun="pending delivery", as_json=as_json)


def _row(waits: Waits, one: PendingDelivery, moment: Callable[[str | None], str]) -> Sequence[str]:
    return (
        moment(one.accepted_at),
        one.subscription,
        (one.kind or "(report)") + (" (replay)" if one.replay else ""),
        one.call_id,
        str(one.seq),
        str(one.attempts),
        in_a_column(waits.of(one.subscription, one.due_at), moment),
        moment(one.expires_at),
        one.event_id,
    )
