"""Purge: personal data is removed, wherever the daemon keeps it.

No fault and no log line quotes what was asked for: it is what is to vanish.
"""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from callpost.control.examples import PURGED
from callpost.control.ports import Purging
from callpost.model.purge import Criteria, Purged, fault_of
from callpost.web.asked import Asked
from callpost.web.fields import Moment, Nothing
from callpost.web.operation import Operation, Shown, operation
from callpost.web.problem import FieldFault, refusal_of


class PurgeOrder(Struct, frozen=True, rename="camel"):
    """What to remove: at least one criterion, and what meets all that are given."""

    number: Annotated[
        str, Meta(description="A number in any spelling: all calls in which it takes part")
    ] = ""
    call_id: Annotated[str, Meta(description="A call's id")] = ""
    customer: Annotated[str, Meta(description="A customer")] = ""
    before: Annotated[Moment, Meta(description="Accepted before; RFC 3339 or seconds")] | None = (
        None
    )
    dry_run: Annotated[bool, Meta(description="Only say how much there is")] = False


def purge(purging: Purging) -> Iterator[Operation]:
    """The one verb."""

    async def purged(asked: Asked[Nothing, PurgeOrder]) -> Purged:
        order = asked.body
        criteria = Criteria(
            number=order.number,
            call_id=order.call_id,
            customer=order.customer,
            before=order.before,
        )
        if (fault := fault_of(criteria)) is not None:
            field, sentence = fault
            raise refusal_of([FieldFault(f"$.{field}" if field else "$", sentence)])
        return await purging.purge(criteria, dry_run=order.dry_run)

    yield operation(
        "POST",
        "/v1/purge",
        purged,
        query=Nothing,
        body=PurgeOrder,
        returns=Purged,
        shown=Shown(
            "Remove personal data everywhere",
            example={"number": "+4526110203", "dryRun": True},
            answer=PURGED,
        ),
    )
