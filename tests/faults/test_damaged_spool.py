"""A spool that was cut off, overwritten or taken away: what can be read is carried over.

`CALLPOST_DAMAGES=5000 pytest -m slow tests/faults/test_damaged_spool.py` damages so many more.
"""

import os
import random
import resource
import shutil
import sqlite3
import stat
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, cast

import pytest
import trio

from callpost.edge.spool import NotWritten, SpoolUnusable, SqliteSpool
from callpost.edge.spool.files import SpoolDamaged
from callpost.edge.spool.first_page import readable
from callpost.model.delivery import Enrolled, NotAccepted, Receipt, SpoolUnreadable
from faults.spool_to_damage import (
    NAMES,
    TABLES,
    Wholes,
    ask,
    make_wholes,
    opened,
    overwrite,
    rows_of,
)
from spool_nouns import arrival, done, pending, settled

DAMAGES: Final = 15
CHUNK: Final = 15
DAMAGES_MORE: Final = int(os.environ.get("CALLPOST_DAMAGES", "2000"))
Log = list[dict[str, object]]


@pytest.fixture(scope="module")
def wholes(tmp_path_factory: pytest.TempPathFactory) -> Wholes:
    """Some pages of each table; nobody changes it."""
    return make_wholes(tmp_path_factory.mktemp("whole"), calls=120)


@pytest.fixture
def log() -> Log:
    """What is logged."""
    return []


@pytest.fixture
def directory(tmp_path: Path, wholes: Wholes) -> Path:
    """A copy of the spool as a stop leaves it."""
    return Path(shutil.copytree(wholes.closed, tmp_path / "state"))


@pytest.fixture
def killed(tmp_path: Path, wholes: Wholes) -> Path:
    """A copy of the spool as a kill leaves it, with much of it in the write-ahead log."""
    return Path(shutil.copytree(wholes.killed, tmp_path / "killed"))


@pytest.fixture
def let_files_grow_to() -> Iterator[Callable[[int], None]]:
    """Set how large a file of this process may become: writing beyond it fails (EFBIG)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(size_bytes: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes or soft, hard))

    yield limit
    limit(0)


def salvaged(directory: Path, log: Log) -> dict[str, object]:
    """Open it once and return the line that tells of the damage."""
    opened(directory, log).close()
    [line] = [line for line in log if line["event"] == "spool.damaged"]
    return line


def blot(path: Path, page: int, size_bytes: int = 4_096) -> None:
    """Overwrite one page, counted from 1, as SQLite does."""
    with path.open("r+b") as file:
        file.seek((page - 1) * 4_096)
        file.write(b"\xa5" * size_bytes)


def root_of(directory: Path, name: str) -> int:
    """The first page of a table or an index."""
    [(page,)] = ask(directory, f"select rootpage from sqlite_master where name = '{name}'")  # noqa: S608 - ours
    return cast("int", page)


def carried(directory: Path, wholes: Wholes) -> dict[str, float]:
    """The part of the rows of each table that is there as it was."""
    found = rows_of(directory)
    return {
        table: len(found[table] & wholes.rows[table]) / len(wholes.rows[table]) for table in TABLES
    }


def blot_a_leaf(directory: Path, table: str) -> None:
    """Overwrite the page that lies in the middle of a table."""
    pages: list[int] = []
    data = (directory / "spool.db").read_bytes()
    root = (root_of(directory, table) - 1) * 4_096
    kind, cells = data[root], int.from_bytes(data[root + 3 : root + 5])
    assert kind in {2, 5}, "the table has grown beyond one page"
    for cell in range(cells):
        place = int.from_bytes(data[root + 12 + 2 * cell : root + 14 + 2 * cell])
        pages.append(int.from_bytes(data[root + place : root + place + 4]))
    blot(directory / "spool.db", pages[len(pages) // 2])


class TestSalvage:
    """Damage that is found at the start."""

    def test_a_whole_spool_is_left_alone(self, directory: Path, log: Log) -> None:
        """Nothing is said and nothing put aside."""
        opened(directory, log).close()
        assert (log, list(directory.glob("*damaged*"))) == ([], [])

    def test_a_spool_as_a_kill_leaves_it_is_whole(self, killed: Path, log: Log) -> None:
        """What SQLite recovers by itself is no damage."""
        opened(killed, log).close()
        assert log == []

    def test_the_damaged_file_is_put_aside_as_it_was(self, directory: Path, log: Log) -> None:
        """Byte for byte and with its mode, under a name that says when."""
        blot(directory / "spool.db", 1)
        before = (directory / "spool.db").read_bytes()
        aside = Path(str(salvaged(directory, log)["file"]))
        assert aside.parent == directory
        assert aside.name.startswith("spool.db.damaged-20")
        assert (aside.read_bytes(), stat.S_IMODE(aside.stat().st_mode)) == (before, 0o600)

    def test_its_log_goes_with_it(self, killed: Path, log: Log) -> None:
        """Under the name by which SQLite finds it."""
        blot(killed / "spool.db-wal", 1, 24)
        before = (killed / "spool.db-wal").read_bytes()
        aside = str(salvaged(killed, log)["file"])
        assert Path(f"{aside}-wal").read_bytes() == before

    def test_nothing_put_aside_is_overwritten(self, directory: Path, log: Log) -> None:
        """Each has a name of its own, however quickly they follow each other."""
        for _ in range(3):
            blot(directory / "spool.db", 1)
            log.clear()
            salvaged(directory, log)
        names = {path.name for path in directory.glob("spool.db.damaged-*")}
        assert len({name for name in names if not name.endswith(("-wal", "-shm"))}) == 3

    def test_a_lost_first_page_costs_nothing(
        self, directory: Path, wholes: Wholes, log: Log
    ) -> None:
        """It says where the tables are, and that is known."""
        blot(directory / "spool.db", 1)
        line = salvaged(directory, log)
        assert set(carried(directory, wholes).values()) == {1.0}
        assert set(cast("dict[str, int]", line["lost"]).values()) == {0}

    def test_a_plain_first_page_has_room_for_all_tables(self, directory: Path) -> None:
        """Else some of them could not be found with it."""
        blot(directory / "spool.db", 1)
        with readable(directory) as connection:
            found = connection.execute("select name from sqlite_master").fetchall()
            assert {name for (name,) in found} == {*TABLES, "meta"}

    @pytest.mark.parametrize("table", ["events", "deliveries", "cards"])
    def test_around_a_bad_page_everything_is_carried_over(
        self, directory: Path, wholes: Wholes, log: Log, table: str
    ) -> None:
        """What was on the page is lost, and no more of that table."""
        blot_a_leaf(directory, table)
        (directory / "damaged").write_text("a page was bad\n")
        salvaged(directory, log)
        found = rows_of(directory)
        lost = {row[0] for row in wholes.rows["events"] - found["events"]}
        assert 0 < len(wholes.rows[table] - found[table]) < len(wholes.rows[table]) / 3
        assert (
            found["deliveries"] >= {row for row in wholes.rows["deliveries"] if row[2] not in lost}
            or table == "deliveries"
        )

    def test_lost_events_are_counted(self, directory: Path, wholes: Wholes, log: Log) -> None:
        """By the index that knows of them; what waited for them is counted too."""
        blot_a_leaf(directory, "events")
        (directory / "damaged").write_text("a page was bad\n")
        line = salvaged(directory, log)
        found = rows_of(directory)
        for table in ("events", "deliveries", "dead"):
            missing = len(wholes.rows[table]) - len(found[table])
            assert cast("dict[str, int]", line["lost"])[table] == missing
            assert cast("dict[str, int]", line["carried"])[table] == len(found[table])

    def test_what_nobody_can_count_is_called_unknown(
        self, directory: Path, wholes: Wholes, log: Log
    ) -> None:
        """Lost deliveries have no index that knows of them; how many there are at most is told."""
        blot_a_leaf(directory, "deliveries")
        (directory / "damaged").write_text("a page was bad\n")
        line = salvaged(directory, log)
        missing = len(wholes.rows["deliveries"]) - len(rows_of(directory)["deliveries"])
        assert cast("dict[str, int | None]", line["lost"])["deliveries"] is None
        assert missing <= cast("int", line["fatesUnknown"]) <= missing + 5

    def test_lost_cards_are_counted(self, directory: Path, wholes: Wholes, log: Log) -> None:
        """By the index that knows of them."""
        blot_a_leaf(directory, "cards")
        (directory / "damaged").write_text("a page was bad\n")
        lost = cast("dict[str, int]", salvaged(directory, log)["lost"])["cards"]
        assert lost == len(wholes.rows["cards"]) - len(rows_of(directory)["cards"])

    def test_a_spool_of_before_there_were_cards_has_lost_none(
        self, directory: Path, log: Log
    ) -> None:
        """Its schema has no such table."""
        ask(directory, "drop table cards")
        ask(directory, "update meta set value = 2 where key = 'schema'")
        (directory / "damaged").write_text("a page was bad\n")
        assert cast("dict[str, int]", salvaged(directory, log)["lost"])["cards"] == 0

    @pytest.mark.parametrize("table", ["subscriptions", "scopes", "calls"])
    def test_names_are_found_in_their_index_too(
        self, directory: Path, wholes: Wholes, log: Log, table: str
    ) -> None:
        """Else a single page would cost everything that is pending its destination."""
        blot(directory / "spool.db", root_of(directory, table))
        salvaged(directory, log)
        assert {row[:3] for row in rows_of(directory)[table]} >= {
            (*row[:2], row[2] if table != "subscriptions" else "") for row in wholes.rows[table]
        }

    def test_a_number_without_a_name_is_given_to_nobody(self, directory: Path, log: Log) -> None:
        """What waits for a lost subscription never goes to another; it ends as a dead letter."""
        for name in ("subscriptions", "sqlite_autoindex_subscriptions_1"):
            blot(directory / "spool.db", root_of(directory, name))
        spool = opened(directory, log)
        assert not {1, 2, 3} & {one.number for one in trio.run(enrolled, spool, NAMES).values()}
        assert ask(directory, "select count(*) from deliveries") == [(0,)]

    def test_calls_and_scopes_are_restored_from_their_events(
        self, directory: Path, wholes: Wholes, log: Log
    ) -> None:
        """An event says itself whose it is, so that a call goes on counting."""
        for name in ("calls", "sqlite_autoindex_calls_1", "scopes", "sqlite_autoindex_scopes_1"):
            blot(directory / "spool.db", root_of(directory, name))
        salvaged(directory, log)
        found = rows_of(directory)
        assert found["scopes"] == wholes.rows["scopes"]
        assert {row[:3] for row in found["calls"]} == {row[:3] for row in wholes.rows["calls"]}

    def test_counters_are_restored_from_what_was_counted(
        self, directory: Path, wholes: Wholes, log: Log
    ) -> None:
        """No seq that is pending or dead is told again."""
        blot(directory / "spool.db", root_of(directory, "counters"))
        salvaged(directory, log)
        told = {row[:2]: row[2] for row in rows_of(directory)["counters"]}
        pending_seqs = {(row[3], row[0], row[4]) for row in wholes.rows["deliveries"]}
        assert all(
            cast("int", told[call, owner]) >= cast("int", seq) for call, owner, seq in pending_seqs
        )

    @pytest.mark.parametrize("name", ["meta", "events", "deliveries"])
    def test_no_number_is_given_twice(
        self, directory: Path, wholes: Wholes, log: Log, name: str
    ) -> None:
        """Whatever is lost, the next one is far above all that were."""
        blot(directory / "spool.db", root_of(directory, name))
        assert cast("int", salvaged(directory, log)["nextNumber"]) > wholes.next_number

    def test_numbers_go_on_from_the_time_where_none_is_known(
        self, directory: Path, log: Log
    ) -> None:
        """No spool has given one in every millisecond since 1970."""
        (directory / "spool.db").write_bytes(b"\xa5" * 10_000)
        assert cast("int", salvaged(directory, log)["nextNumber"]) > 1_700_000_000_000

    def test_a_database_that_is_gone_is_missed(self, directory: Path, log: Log) -> None:
        """The reserve beside it says that there was one."""
        (directory / "spool.db").unlink()
        assert salvaged(directory, log)["reason"] == "it is empty, and there was a spool before"

    def test_a_log_without_its_database_gives_what_it_has(
        self, killed: Path, wholes: Wholes, log: Log
    ) -> None:
        """SQLite alone would delete it."""
        (killed / "spool.db").write_bytes(b"")
        salvaged(killed, log)
        assert carried(killed, wholes)["events"] > 0.3

    def test_commits_behind_a_broken_frame_are_missed(self, killed: Path, log: Log) -> None:
        """SQLite alone would take the log for shorter, and say nothing."""
        blot(killed / "spool.db-wal", 40, 100)
        assert "its write-ahead log is broken before its last" in str(
            salvaged(killed, log)["reason"]
        )

    def test_a_lane_that_its_index_has_lost_is_damage(self, directory: Path, log: Log) -> None:
        """Else it would wait for ever, and nothing would ever look wrong."""
        page = root_of(directory, "deferred_by_due")
        with (directory / "spool.db").open("r+b") as file:
            file.seek((page - 1) * 4_096 + 3)
            [cells] = struct.unpack(">H", file.read(2))
            file.seek(-2, os.SEEK_CUR)
            file.write(struct.pack(">H", cells - 1))
        assert str(salvaged(directory, log)["reason"]).endswith(f"on page {page}")

    def test_a_garbled_index_of_the_log_costs_nothing(self, killed: Path, log: Log) -> None:
        """SQLite makes it anew."""
        blot(killed / "spool.db-shm", 1)
        opened(killed, log).close()
        assert log == []

    def test_a_salvage_that_was_cut_off_is_begun_anew(
        self, directory: Path, wholes: Wholes, log: Log
    ) -> None:
        """The mark says so, and what had been built is of no use."""
        (directory / "damaged").write_text("database disk image is malformed\n")
        (directory / "spool.db.salvaging").write_text("half of it")
        assert salvaged(directory, log)["reason"] == "database disk image is malformed"
        assert set(carried(directory, wholes).values()) == {1.0}
        assert {path.name for path in directory.iterdir()} & {
            "damaged",
            "spool.db.salvaging",
        } == set()

    def test_a_salvage_that_was_complete_is_put_in_place(
        self, directory: Path, wholes: Wholes, log: Log
    ) -> None:
        """The damaged one was still there, or already aside."""
        complete = directory / "spool.db.salvaged-20260101T000000Z"
        shutil.copy(directory / "spool.db", complete)
        blot(directory / "spool.db", 1)
        (directory / "damaged").write_text("")
        opened(directory, log).close()
        assert log == []
        assert (directory / "spool.db.damaged-20260101T000000Z").exists()
        assert not complete.exists()
        assert set(carried(directory, wholes).values()) == {1.0}

    def test_a_newer_schema_is_not_salvaged(self, directory: Path, log: Log) -> None:
        """It is left as it is, for the callpost that has written it."""
        with sqlite3.connect(directory / "spool.db") as connection:
            connection.execute("update meta set value = 7 where key = 'schema'")
        connection.close()
        (directory / "damaged").write_text("")
        with pytest.raises(SpoolUnusable, match="is damaged, and was written by a newer callpost"):
            opened(directory, log)
        assert (directory / "spool.db").exists()

    def test_a_salvage_without_room_says_so(
        self, directory: Path, log: Log, let_files_grow_to: Callable[[int], None]
    ) -> None:
        """In one sentence, and everything stays as it was."""
        blot(directory / "spool.db", 1)
        let_files_grow_to(20_000)
        with pytest.raises(SpoolUnusable, match="disk I/O error"):
            opened(directory, log)
        let_files_grow_to(0)
        assert cast("dict[str, int]", salvaged(directory, log)["carried"])["events"] > 0


class TestRunning:
    """Damage that a running daemon finds."""

    async def test_a_damaged_page_ends_the_writer(self, directory: Path, log: Log) -> None:
        """Nobody writes to a database that contradicts itself; it is told once, and marked."""
        spool = opened(directory, log)
        blot_a_leaf(directory, "events")
        with pytest.raises(ExceptionGroup) as raised:
            await read_again_and_again(spool)
        assert raised.group_contains(SpoolDamaged)
        assert [line["event"] for line in log] == ["spool.degraded", "spool.condemned"]
        assert salvaged(directory, log)["reason"] == "database disk image is malformed"

    async def test_a_page_that_is_bad_for_a_moment_is_no_damage(
        self, directory: Path, log: Log
    ) -> None:
        """SQLite calls what a disk did not give malformed; only what lasts is taken for that."""
        spool = opened(directory, log)
        whole = (directory / "spool.db").read_bytes()
        blot_a_leaf(directory, "events")
        for _ in range(5):
            with pytest.raises(SpoolUnreadable):
                pending(spool, 1)
        (directory / "spool.db").write_bytes(whole)
        assert len(pending(spool, 1)) > 0
        spool.close()
        assert [line["event"] for line in log] == ["spool.degraded"]

    async def test_a_commit_that_meets_damage_is_refused(self, directory: Path, log: Log) -> None:
        """The producer keeps its event, and the daemon ends."""
        receipts: list[Receipt] = []
        spool = opened(directory, log)
        blot(directory / "spool.db", root_of(directory, "sqlite_autoindex_events_1"))
        with pytest.raises(ExceptionGroup) as raised:
            await append_again_and_again(spool, receipts)
        assert raised.group_contains(SpoolDamaged)
        assert {one.error for one in receipts if isinstance(one, NotAccepted)} == {"spool_error"}

    async def test_an_enrolment_that_meets_damage_ends_the_daemon(
        self, directory: Path, log: Log
    ) -> None:
        """So that it does not start in vain again and again."""
        spool = opened(directory, log)
        blot(directory / "spool.db", root_of(directory, "subscriptions"))
        with pytest.raises(ExceptionGroup) as raised:
            await enrolled(spool, NAMES)
        assert raised.group_contains(SpoolDamaged)

    @pytest.mark.parametrize(
        "garble",
        ["seq = 'many'", "previous_id = cast(x'ff' as text)", "expires_at = 'soon'"],
    )
    def test_a_row_that_nobody_can_have_written_is_damage(
        self, directory: Path, log: Log, garble: str
    ) -> None:
        """Garbage in a row breaks no rule of SQLite's."""
        with sqlite3.connect(directory / "spool.db") as connection:
            connection.execute(f"update deliveries set {garble} where position = 100")  # noqa: S608 - ours
        connection.close()
        spool = opened(directory, log)
        with pytest.raises(SpoolUnreadable):
            pending(spool, 1)
        spool.close()
        assert log[-1]["event"] == "spool.condemned"


async def read_again_and_again(spool: SqliteSpool) -> None:
    """As a courier does, until the writer ends."""
    async with trio.open_nursery() as nursery:
        await nursery.start(spool.run)
        while True:
            with pytest.raises(SpoolUnreadable):
                pending(spool, 1)
            await trio.sleep(0.8)


async def append_again_and_again(spool: SqliteSpool, receipts: list[Receipt]) -> None:
    """As a producer does, until the writer ends."""
    async with trio.open_nursery() as nursery:
        await nursery.start(spool.run)
        while True:
            receipts += await spool.append([arrival("new", 1)])
            await trio.sleep(0.8)


async def enrolled(spool: SqliteSpool, names: tuple[str, ...]) -> dict[str, Enrolled]:
    """Enroll, and let it be written."""
    async with trio.open_nursery() as nursery:
        await nursery.start(spool.run)
        found = await spool.enroll(names, now=2.0)
        spool.finish()
    return found


def lay_waste(directory: Path, dice: random.Random) -> int:
    """Damage of some kind at some place; returns the kind."""
    database, log = directory / "spool.db", directory / "spool.db-wal"
    kind = dice.randrange(6)
    match kind:
        case 0:
            os.truncate(database, dice.randrange(database.stat().st_size))
        case 1 if log.exists():
            os.truncate(log, dice.randrange(log.stat().st_size))
        case 2 if log.exists():
            overwrite(log, dice, size_bytes=dice.choice([16, 512, 4_096]))
        case 3:
            with database.open("r+b") as file:
                file.write(dice.randbytes(dice.choice([16, 100, 4_096])))
        case _:
            for _ in range(dice.randrange(1, 8)):
                overwrite(database, dice, size_bytes=dice.choice([1, 16, 64, 512, 4_096, 8_192]))
    return kind


async def live(directory: Path, log: Log) -> None:
    """Open it as often as it takes, then do everything with it that a daemon does."""
    for _ in range(3):
        spool = opened(directory, log)
        try:
            async with trio.open_nursery() as nursery:
                await nursery.start(spool.run)
                await use(spool)
                spool.finish()
        except* (SpoolUnreadable, SpoolUnusable):
            pass
        else:
            return
    raise AssertionError("salvaged twice and still damaged")


async def use(spool: SqliteSpool) -> None:
    """Enroll, append, settle everything, trim."""
    with trio.fail_after(20):
        while True:
            try:
                return await use_once(spool)
            except (SpoolUnreadable, NotWritten):
                # As the engine does: damage is what lasts.
                await trio.sleep(0.7)


async def use_once(spool: SqliteSpool) -> None:
    """All of that, as far as it can be read and written."""
    spool.newest_stamp()
    found = await spool.enroll(NAMES, now=2.0)
    owners = [one.number for one in found.values()]
    for receipt in await spool.append(
        [arrival(f"new-{n}", *owners, call=f"n{n}") for n in range(9)]
    ):
        if isinstance(receipt, NotAccepted):
            raise NotWritten
    for owner in owners:
        spool.due(owner, now=1e12, limit=100, order="call")
        for one in pending(spool, owner):
            spool.has_gap(owner, one.call)
            spool.settle(done(owner, one))
        for one in pending(spool, owner)[-1:]:
            await settled(spool, done(owner, one))
    await spool.trim(1e6)


def survives(wholes: Wholes, directory: Path, seed: int) -> None:
    """Lay a copy waste and live on with it."""
    dice = random.Random(seed)
    shutil.copytree(dice.choice([wholes.closed, wholes.killed]), directory)
    cut_off = lay_waste(directory, dice) in {1, 2}
    log: Log = []
    trio.run(live, directory, log)
    # What nobody has met may still be there.
    if any(line["event"] == "spool.damaged" for line in log):
        assert ask(directory, "pragma integrity_check") == [("ok",)], seed
    [(following,)] = ask(directory, "select value from meta where key = 'next_number'")
    # A log that was cut off looks like one that ends there, and one that is broken in its last
    # commit as a power cut leaves it: nobody can know of what came after.
    assert cut_off or cast("int", following) >= wholes.next_number, seed
    shutil.rmtree(directory)


@pytest.mark.parametrize("first", range(0, DAMAGES, CHUNK))
def test_it_lives_on_whatever_was_damaged(wholes: Wholes, tmp_path: Path, first: int) -> None:
    """At most one restart, and then everything works and no number comes again."""
    for seed in range(first, first + CHUNK):
        survives(wholes, tmp_path / f"{seed}", seed)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(DAMAGES, DAMAGES + DAMAGES_MORE, 200))
def test_it_lives_on_whatever_else_was_damaged(wholes: Wholes, tmp_path: Path, first: int) -> None:
    """The same, more often."""
    for seed in range(first, min(first + 200, DAMAGES + DAMAGES_MORE)):
        survives(wholes, tmp_path / f"{seed}", seed)
