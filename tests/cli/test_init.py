"""`callpost init` writes the reference once, and never over a file."""

import stat
from pathlib import Path

from asyncclick.testing import CliRunner, Result

import callpost
from callpost.cli.check import check
from callpost.cli.init import init
from callpost.loading import load

REFERENCE = Path(callpost.__file__).with_name("callpost.toml")


async def _initialised(*arguments: str, env: dict[str, str] | None = None) -> Result:
    return await CliRunner().invoke(init, list(arguments), env=env)


async def test_the_reference_is_written_where_the_commands_look(tmp_path: Path) -> None:
    """Byte by byte."""
    path = tmp_path / "callpost.toml"
    await _initialised(env={"CALLPOST_CONFIG": str(path)})
    assert path.read_bytes() == REFERENCE.read_bytes()


async def test_at_a_path_of_ones_own_the_daemon_stays_beside_the_file(tmp_path: Path) -> None:
    """So a first try needs no root, and nothing else differs from the reference."""
    path = tmp_path / 'a "place"' / "callpost.toml"
    path.parent.mkdir()
    await _initialised(str(path))
    config = load(path, {})
    lines = zip(path.read_text().splitlines(), REFERENCE.read_text().splitlines(), strict=True)
    assert (config.state_directory, config.runtime_directory) == (
        f"{path.parent}/state",
        f"{path.parent}/run",
    )
    assert sum(mine != theirs for mine, theirs in lines) == 2


async def test_what_was_written_passes_the_check(tmp_path: Path) -> None:
    """A first-time user begins with something that works."""
    path = tmp_path / "callpost.toml"
    await _initialised(str(path))
    result = await CliRunner().invoke(check, ["--config", str(path)])
    assert result.stdout.endswith(f"{path}: 1 subscription, no fault\n")


async def test_only_owner_and_group_may_read_the_file(tmp_path: Path) -> None:
    """It may come to hold secrets."""
    path = tmp_path / "callpost.toml"
    await _initialised(str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


async def test_the_next_steps_are_told(tmp_path: Path) -> None:
    """With the path, where it is not the default."""
    path = tmp_path / "callpost.toml"
    result = await _initialised(str(path))
    assert f"callpost check --config {path}" in result.stdout


async def test_without_a_path_the_default_is_taken(tmp_path: Path) -> None:
    """It is where the other commands look."""
    env = {"CALLPOST_CONFIG": str(tmp_path / "own.toml")}
    await _initialised(env=env)
    assert (tmp_path / "own.toml").exists()


async def test_a_file_that_exists_is_left_as_it_is(tmp_path: Path) -> None:
    """One sentence says so."""
    path = tmp_path / "callpost.toml"
    path.write_text("mine")
    result = await _initialised(str(path))
    assert (result.exit_code, result.stderr, path.read_text()) == (
        1,
        f"Error: {path} exists already, so nothing was written.\n",
        "mine",
    )


async def test_a_link_that_leads_nowhere_is_not_followed(tmp_path: Path) -> None:
    """It would write somewhere else than was said."""
    path = tmp_path / "callpost.toml"
    path.symlink_to(tmp_path / "elsewhere.toml")
    await _initialised(str(path))
    assert not (tmp_path / "elsewhere.toml").exists()


async def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    """It is the operator's to make."""
    path = tmp_path / "missing" / "callpost.toml"
    result = await _initialised(str(path))
    assert (result.exit_code, result.stderr) == (
        1,
        f"Error: {path} cannot be written: the directory {path.parent} does not exist.\n",
    )


async def test_a_dash_writes_to_standard_output() -> None:
    """For pipes."""
    assert (await _initialised("-")).stdout_bytes == REFERENCE.read_bytes()


async def test_help_of_init_has_an_example() -> None:
    """As every command's has."""
    assert "Example: callpost init" in (await _initialised("--help")).stdout
