"""What a purge leaves to others, and tells of: configurations, and what clients have made."""

from pathlib import Path

import pytest

from callpost.edge.spool import SqliteSpool
from callpost.model.card import Card, CardsChanged
from callpost.model.purge import Criteria, Purged
from edge.spool.purges import NOW, NUMBER


async def purged(spool: SqliteSpool, criteria: Criteria, *, dry_run: bool = False) -> Purged:
    """What is told of a purge."""
    return await spool.purging.purge(criteria, country="", now=NOW, dry_run=dry_run)


@pytest.mark.parametrize(
    ("criteria", "told"),
    [
        (Criteria(customer="acme"), 1),
        (Criteria(customer="acm"), 0),
        (Criteria(customer="acme", number=NUMBER), 0),
        (Criteria(customer="acme", before=NOW), 0),
    ],
)
async def test_a_customer_that_is_configured_is_told_of_where_he_is_to_go_whole(
    spool: SqliteSpool, directory: Path, criteria: Criteria, told: int
) -> None:
    """A person or a time of his takes nothing of what he is configured with."""
    (directory / "config.last-good").write_text('[[customer]]\nid = "acme"')
    assert len((await purged(spool, criteria)).remains) == told


@pytest.mark.parametrize(
    ("criteria", "told"),
    [
        (Criteria(number=NUMBER), 1),
        (Criteria(customer="acme"), 1),
        (Criteria(number="+4533334444"), 0),
    ],
)
@pytest.mark.parametrize("dry_run", [True, False])
async def test_what_was_made_over_the_api_is_told_of(
    spool: SqliteSpool, criteria: Criteria, told: int, *, dry_run: bool
) -> None:
    """It is its client's to change."""
    card = Card(
        dialect="api",
        id="api.crm.3f9a0c51",
        customer="acme",
        subscription="api.crm.3f9a0c51",
        said={"caller": ["+45 2611 0203"]},
        created_at=NOW,
        modified_at=NOW,
    )
    await spool.write_cards(CardsChanged(put=(card,)))
    assert len((await purged(spool, criteria, dry_run=dry_run)).remains) == told
