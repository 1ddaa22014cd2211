"""`callpost dead`: dead letters, the newest first, and why they died."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Unpack

import asyncclick as click

from callpost.cli.archive import Archive, ask
from callpost.cli.door import control_option
from callpost.cli.listing import gathered, json_lines_option, lines_option, show
from callpost.cli.options import config_option
from callpost.cli.selecting import Criteria, selecting, selection_of, subscription_argument
from callpost.cli.tables import Column
from callpost.model.story import DeadDelivery

_COLUMNS: Final = (
    Column(title="DIED", rank=4),
    Column(title="SUBSCRIPTION", least=8, unbroken=True),
    Column(title="EVENT"),
    Column(title="CALL", least=10, unbroken=True),
    Column(title="SEQ", right=True, rank=6),
    Column(title="REASON"),
    Column(title="LAST OUTCOME", least=10, rank=3),
    Column(title="ATTEMPTS", right=True, rank=5),
    Column(title="ACCEPTED", rank=8),
    Column(title="EVENT ID", rank=7),
)
_EXAMPLES: Final = """\b
Examples:
  callpost dead
  callpost dead crm --since 2h
  callpost dead --kind hangup --customer acme --json | jq -r .reason | sort | uniq -c
"""


@click.command(epilog=_EXAMPLES)
@subscription_argument
@selecting
@lines_option
@json_lines_option
@config_option
@control_option
async def dead(
    config: Path, control: Path | None, *, limit: int, as_json: bool, **criteria: Unpack[Criteria]
) -> None:
    """List dead letters, the newest first: deliveries that ended undelivered.

    Those of SUBSCRIPTION, or of all; every option restricts further. `reason` is why it was
    given up, `last outcome` what the last attempt said, empty where there was none. `callpost
    replay` with the same options delivers them again. Where no daemon runs its spool is read.

    Exit status: 0 when the list was shown, though it be empty, 1 when there is no such
    subscription, or neither a daemon nor a spool, 2 for wrong usage.
    """
    selection = selection_of(criteria)

    async def read(archive: Archive) -> tuple[list[DeadDelivery], int]:
        return await gathered(
            lambda size, cursor: archive.dead(selection, limit=size, cursor=cursor), limit
        )

    found, total = await ask(config, control, read)
    show(found, total, columns=_COLUMNS, row=_row, noun="dead letter", as_json=as_json)


def _row(one: DeadDelivery, moment: Callable[[str | None], str]) -> Sequence[str]:
    return (
        moment(one.died_at),
        one.subscription,
        one.kind or "(report)",
        one.call_id,
        str(one.seq),
        one.reason,
        one.last,
        str(one.attempts),
        moment(one.accepted_at),
        one.event_id,
    )
