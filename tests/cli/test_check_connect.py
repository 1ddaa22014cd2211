"""`callpost check --connect`: what a person and a program get to see."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from asyncclick.testing import CliRunner, Result

from callpost.cli.check import check


@pytest.fixture
def listening() -> Iterator[int]:
    """A port on which connections are taken, by the kernel alone."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed() -> Iterator[int]:
    """A port on which nobody listens, and nobody can."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def good(tmp_path: Path, listening: int) -> Path:
    """One endpoint, which can be reached."""
    path = tmp_path / "good.toml"
    path.write_text(f'[[subscription]]\nname = "crm"\nurl = "tcp://127.0.0.1:{listening}"\n')
    return path


@pytest.fixture
def bad(good: Path, closed: int) -> Path:
    """The same, and a fallback that cannot be reached."""
    path = good.with_name("bad.toml")
    path.write_text(
        good.read_text()
        + f'fallback = [{{ url = "http://127.0.0.1:{closed}/secret?key=hunter2" }}]'
    )
    return path


async def _checked(path: Path, *arguments: str) -> Result:
    return await CliRunner().invoke(check, ["--config", str(path), *arguments])


async def test_an_endpoint_that_is_reached_has_a_line(good: Path, listening: int) -> None:
    """With its place, its address and what came of it."""
    result = await _checked(good, "--connect")
    line = result.stdout.splitlines()[-1].split()
    assert (line[:4], line[-1]) == (
        ["crm", "primary", f"tcp://127.0.0.1:{listening}", "127.0.0.1"],
        "connected",
    )


async def test_where_all_is_well_the_exit_status_is_0(good: Path) -> None:
    """And nothing is on standard error."""
    result = await _checked(good, "--connect")
    assert (result.exit_code, result.stderr) == (0, "")


async def test_an_endpoint_that_is_not_reached_makes_the_exit_status_1(bad: Path) -> None:
    """One sentence says how many."""
    result = await _checked(bad, "--connect")
    assert (result.exit_code, result.stderr) == (
        1,
        f"{bad}: 1 of 2 endpoints cannot be reached.\n",
    )


async def test_a_fault_is_a_sentence_in_its_line(bad: Path) -> None:
    """Next to the endpoint's place."""
    result = await _checked(bad, "--connect")
    (line,) = (one for one in result.stdout.splitlines() if "refused" in one)
    assert line.endswith(
        "the connection was refused: nobody listens there, or a firewall is closed"
    )


@pytest.mark.parametrize("more", [(), ("--json",)])
async def test_no_secret_of_a_url_is_shown(bad: Path, more: tuple[str, ...]) -> None:
    """Origin and place are all that is told of an endpoint."""
    result = await _checked(bad, "--connect", *more)
    assert "hunter2" not in result.output


async def test_programs_get_every_connection(bad: Path) -> None:
    """Good and bad, with the word that the log has for it."""
    verdict = json.loads((await _checked(bad, "--connect", "--json")).stdout)
    found = [(one["place"], one["ok"], one["reason"]) for one in verdict["connections"]]
    assert (verdict["ok"], found) == (
        False,
        [("primary", True, ""), ("fallback-1", False, "connect:refused")],
    )


async def test_without_the_option_nothing_is_connected_to(bad: Path) -> None:
    """The file has no fault, whoever may be down."""
    result = await _checked(bad, "--json")
    assert (result.exit_code, "connections" in json.loads(result.stdout)) == (0, False)


async def test_a_faulty_file_is_not_tried(tmp_path: Path) -> None:
    """First it has to be right."""
    path = tmp_path / "callpost.toml"
    path.write_text("nonsense = 1")
    result = await _checked(path, "--connect", "--json")
    assert "connections" not in json.loads(result.stdout)
