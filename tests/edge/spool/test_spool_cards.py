"""Cards of the API: written down at once or not at all, and there at the next start."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from callpost.edge.logs import collecting_log
from callpost.edge.spool import NotWritten, SqliteSpool, open_spool, schema
from callpost.model.card import Card, CardsChanged, Dialect
from callpost.model.limits import SpoolLimits
from edge.spool.purges import NOW, fill, purge
from edge.spool.spool_on_disk import OpenSqlite, Query


def card(id_: str, *, dialect: Dialect = "api", at: float = 1.0, url: str = "http://x/") -> Card:
    """A card of that id."""
    said: dict[str, object] = {"url": url, "headers": {"X-A": "é"}, "level": 2}
    return Card(
        dialect=dialect,
        id=id_,
        customer="acme",
        subscription=f"api.crm.{id_}",
        said=said,
        created_at=at,
        modified_at=at + 0.25,
    )


def put(*cards: Card) -> CardsChanged:
    """These are put in."""
    return CardsChanged(put=cards)


async def test_a_new_spool_has_none(spool: SqliteSpool) -> None:
    """Nobody has made anything."""
    assert spool.cards() == ()


async def test_cards_are_there_at_the_next_start_as_they_were(open_sqlite: OpenSqlite) -> None:
    """Each field, secrets included; the oldest first, then by id."""
    cards = card("b", at=2.0), card("c", at=1.0), card("a", at=2.0)
    async with open_sqlite() as spool:
        await spool.write_cards(put(*cards))
    async with open_sqlite() as spool:
        assert spool.cards() == (cards[1], cards[2], cards[0])


async def test_what_was_written_survives_a_kill(spool: SqliteSpool, directory: Path) -> None:
    """The files as they lie there once it is told: the write-ahead log has it."""
    await spool.write_cards(put(card("a")))
    killed = Path(shutil.copytree(directory, directory.with_name("killed")))
    opened = open_spool(killed, limits=SpoolLimits(), log=collecting_log(lambda _: None))
    found = opened.cards()
    opened.close()
    assert found == (card("a"),)


async def test_a_card_is_replaced_by_one_of_its_dialect_and_id(spool: SqliteSpool) -> None:
    """Another dialect may have the same id."""
    await spool.write_cards(put(card("a"), card("a", dialect="portsip", at=2.0)))
    await spool.write_cards(put(card("a", url="http://y/")))
    assert spool.cards() == (card("a", url="http://y/"), card("a", dialect="portsip", at=2.0))


async def test_what_is_taken_goes_before_anything_is_put(spool: SqliteSpool) -> None:
    """A card that is in both is there afterwards."""
    await spool.write_cards(put(card("a"), card("b")))
    changed = CardsChanged(put=(card("b", url="http://y/"),), taken=(card("a"), card("b")))
    await spool.write_cards(changed)
    assert spool.cards() == (card("b", url="http://y/"),)


async def test_what_cannot_be_written_leaves_all_as_it_was(
    open_sqlite: OpenSqlite, let_files_grow_to: Callable[[int], None]
) -> None:
    """Nothing of it, neither what was to be put nor what was to be taken."""
    async with open_sqlite() as spool:
        await spool.write_cards(put(card("a")))
        let_files_grow_to(1)
        with pytest.raises(NotWritten, match="The spool cannot be written: disk I/O error"):
            await spool.write_cards(CardsChanged(put=(card("b"),), taken=(card("a"),)))
        let_files_grow_to(0)
        assert spool.cards() == (card("a"),)
    async with open_sqlite() as spool:
        assert spool.cards() == (card("a"),)


async def test_a_spool_that_is_closed_writes_none(open_sqlite: OpenSqlite) -> None:
    """Whoever comes too late hears so."""
    async with open_sqlite() as spool:
        pass
    with pytest.raises(NotWritten, match="The spool is closed"):
        await spool.write_cards(put(card("a")))


@pytest.mark.parametrize("garbled", ["x'7b'", "'{}'", "x'7b7d'", "x'ff'"])
async def test_a_card_that_nobody_can_read_costs_no_start(
    open_sqlite: OpenSqlite, query: Query, log_lines: list[dict[str, object]], garbled: str
) -> None:
    """It is told of and passed over, and the others are there."""
    async with open_sqlite() as spool:
        await spool.write_cards(put(card("a"), card("b")))
    query(f"update cards set written = {garbled} where id = 'a'")  # noqa: S608 - ours
    async with open_sqlite() as spool:
        assert spool.cards() == (card("b"),)
    [line] = log_lines
    assert (line["event"], line["dialect"], line["id"]) == ("card.unreadable", "api", "a")


async def test_an_id_that_nobody_can_read_costs_no_start(
    open_sqlite: OpenSqlite, query: Query
) -> None:
    """What a card says of itself counts."""
    cards = card("a"), card("b"), card("c")
    async with open_sqlite() as spool:
        await spool.write_cards(put(*cards))
    query("update cards set id = cast(x'62ff' as text) where id = 'b'")
    async with open_sqlite() as spool:
        assert spool.cards() == cards


async def test_retention_and_purge_leave_cards_alone(spool: SqliteSpool) -> None:
    """They are settings, of the customer whose calls go as well."""
    cards = card("a"), card("b", url="https://x/%2B4526110203")
    await fill(spool)
    await spool.write_cards(put(*cards))
    await spool.trim(NOW + 1e9)
    await purge(spool, customer="acme")
    await purge(spool, before=NOW + 1e9)
    assert spool.cards() == cards


@pytest.fixture
def version_2(directory: Path) -> None:
    """The tables of schema 2, and nothing in them."""
    directory.mkdir(mode=0o700)
    connection = sqlite3.connect(directory / "spool.db", isolation_level=None)
    connection.execute("pragma journal_mode = wal").fetchall()
    for statement in (*schema.STEPS[0], *schema.STEPS[1]):
        connection.execute(statement)
    connection.execute("update meta set value = 2 where key = 'schema'")
    connection.close()


async def test_a_spool_of_schema_2_has_none_and_takes_them(
    version_2: None, open_sqlite: OpenSqlite
) -> None:
    """The table is made at the first start."""
    async with open_sqlite() as spool:
        assert spool.cards() == ()
        await spool.write_cards(put(card("a")))
        assert spool.cards() == (card("a"),)
