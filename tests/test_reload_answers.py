"""What a reload answers to whoever asked for it, in a house of this process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from structlog.typing import EventDict

from callpost.daemon import House, opened
from callpost.edge.logs import collecting_logs
from callpost.loading import ConfigFiles
from callpost.model.changes import Changed, Removed
from household import Producer, an_event

# Nobody listens at port 9: what is for it waits.
CRM = '[[subscription]]\nname = "crm"\nurl = "http://127.0.0.1:9/"\n'
WALL = CRM.replace("crm", "wall")


class Settings:
    """A configuration in a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.main = directory / "callpost.toml"
        self.log: list[EventDict] = []

    def write(self, *texts: str) -> None:
        """Replace it."""
        self.main.write_text(
            f'state_directory = "{self.directory}/state"\n'
            f'runtime_directory = "{self.directory}/run"\n{"".join(texts)}'
        )

    @asynccontextmanager
    async def house(self, *, with_files: bool = True) -> AsyncIterator[House]:
        """A house on it, ready."""
        files = ConfigFiles(self.main, {})
        start = files.load_for_start()
        stopping = trio.Event()
        logs = collecting_logs(self.log.append)
        with opened(start, {}, logs, files=files if with_files else None) as house:
            async with trio.open_nursery() as nursery:
                await nursery.start(house.live, stopping)
                try:
                    yield house
                finally:
                    stopping.set()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """One subscription."""
    settings = Settings(tmp_path)
    settings.write(CRM)
    return settings


async def test_a_dry_run_says_what_would_change(settings: Settings) -> None:
    """And what would be dead."""
    async with settings.house() as house:
        door = settings.directory / "run" / "events.sock"
        await Producer(door).feed([an_event("c1", "hangup"), an_event("c2", "hangup")])
        settings.write('[log]\nlevel = "debug"\nformat = "json"\n', WALL)
        answer = await house.settings.reload(dry_run=True)
    assert answer.changes is not None
    assert (answer.ok, answer.dry_run, answer.changes.added) == (True, True, ("wall",))
    assert answer.changes.removed == (Removed(name="crm", pending=2),)
    assert (answer.changes.settings, answer.changes.needs_restart) == (
        ("log.level",),
        ("log.format",),
    )


async def test_a_dry_run_changes_nothing(settings: Settings) -> None:
    """Neither what is in force, nor what a faulty start would go on with, nor what is logged."""
    async with settings.house() as house:
        before = house.settings.config
        settings.write(WALL)
        await house.settings.reload(dry_run=True)
        assert house.settings.config is before
    settings.write("nonsense = 1\n")
    start = ConfigFiles(settings.main, {}).load_for_start()
    assert [one.name for one in start.config.subscriptions] == ["crm"]
    assert "config.reloaded" not in [line["event"] for line in settings.log]


async def test_a_reload_says_what_has_changed(settings: Settings) -> None:
    """It is in force when the answer comes."""
    async with settings.house() as house:
        settings.write(CRM, 'note = "hello"\n', WALL)
        answer = await house.settings.reload(dry_run=False)
        assert len(house.settings.config.subscriptions) == 2
    assert answer.changes is not None
    assert answer.changes.added == ("wall",)
    assert answer.changes.changed == (Changed(name="crm", settings=("note",)),)


@pytest.mark.parametrize("dry_run", [True, False])
async def test_every_fault_is_in_the_answer(settings: Settings, dry_run: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Of every file."""
    async with settings.house() as house:
        (settings.directory / "conf.d").mkdir()
        (settings.directory / "conf.d" / "a.toml").write_text("what = 1\n")
        settings.write("nonsense = 1\n", CRM, 'method = "PUT"\n')
        answer = await house.settings.reload(dry_run=dry_run)
    assert (answer.ok, answer.dry_run, answer.changes) == (False, dry_run, None)
    assert {one.path for one in answer.faults} == {"what", "nonsense", "subscription.crm.method"}


async def test_a_rejected_reload_is_a_trouble_until_a_good_one(settings: Settings) -> None:
    """For whoever asks how the daemon is."""
    async with settings.house() as house:
        settings.write("nonsense = 1\n")
        await house.settings.reload(dry_run=False)
        rejected = house.settings.trouble
        settings.write(CRM)
        await house.settings.reload(dry_run=False)
        assert house.settings.trouble is None
    assert rejected is not None
    assert rejected.code == "config_rejected"


async def test_a_start_with_the_last_good_one_is_a_trouble(settings: Settings) -> None:
    """It is said that it is not the files' own."""
    async with settings.house():
        pass
    settings.write("nonsense = 1\n")
    async with settings.house() as house:
        trouble, figures = house.settings.trouble, house.settings.figures
    assert trouble is not None
    assert (trouble.code, figures.last_good) == ("config_rejected", True)


async def test_one_reload_goes_after_the_other(settings: Settings) -> None:
    """Whoever asks second gets the difference to the first."""
    added: list[int] = []

    async def reload(house: House) -> None:
        answer = await house.settings.reload(dry_run=False)
        assert answer.changes is not None
        added.append(len(answer.changes.added))

    async with settings.house() as house:
        settings.write(CRM, WALL)
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(reload, house)
    assert sorted(added) == [0, 0, 1]


async def test_a_house_without_a_file_has_nothing_to_reload(settings: Settings) -> None:
    """The demo's, for example."""
    async with settings.house(with_files=False) as house:
        answer = await house.settings.reload(dry_run=False)
    assert (answer.ok, [one.code for one in answer.faults]) == (False, ["senseless"])


async def test_a_house_that_stops_reloads_no_more(settings: Settings) -> None:
    """It has other things to do."""
    async with settings.house() as house:
        house.settings.close()
        answer = await house.settings.reload(dry_run=False)
    assert [one.code for one in answer.faults] == ["stopping"]


async def test_what_is_in_force_is_shown_without_secrets(settings: Settings) -> None:
    """Also after a reload."""
    async with settings.house() as house:
        settings.write(CRM, 'auth = { type = "bearer", token = "t-secret" }\n')
        await house.settings.reload(dry_run=False)
        shown = str(await house.settings.effective())
    assert ("***" in shown, "t-secret" in shown) == (True, False)


async def test_the_log_level_lasts_until_the_next_reload(settings: Settings) -> None:
    """Whoever has changed it for a moment need not change it back."""
    async with settings.house() as house:
        house.settings.set_log_level("error")
        changed = house.settings.log_level
        await house.settings.reload(dry_run=False)
        assert (changed, house.settings.log_level) == ("error", "info")


async def test_many_faults_are_told_with_a_bound(settings: Settings) -> None:
    """A file of another kind must not fill the journal."""
    async with settings.house() as house:
        settings.write("".join(f"key{n} = 1\n" for n in range(500)))
        answer = await house.settings.reload(dry_run=False)
    told = [line for line in settings.log if line["event"] == "config.rejected"]
    assert (len(answer.faults), len(told)) == (500, 101)


async def test_to_show_a_large_configuration_holds_up_nobody(settings: Settings) -> None:
    """While it is put together others have their turn."""
    settings.write(*(CRM.replace("crm", f"s{number}") for number in range(1_000)))
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await trio.lowlevel.checkpoint()
            turns += 1

    async with settings.house() as house, trio.open_nursery() as nursery:
        nursery.start_soon(others)
        shown = await house.settings.effective()
        nursery.cancel_scope.cancel()
    subscriptions = shown["subscriptions"]
    assert isinstance(subscriptions, list)
    assert (len(subscriptions), turns > 1) == (1_000, True)
