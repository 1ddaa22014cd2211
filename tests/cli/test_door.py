"""How a command finds the daemon, and what it says where there is none."""

import os
import pwd
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import trio
from asyncclick.testing import CliRunner, Result

from callpost.cli import callpost
from callpost.cli.door import NoDaemon, control_path
from operators_door import Reply, a_door

LIVE = (
    ["status"],
    ["status", "crm"],
    ["subscriptions"],
    ["top", "--once"],
    ["tail"],
    ["reload"],
    ["pause", "crm"],
    ["resume", "crm"],
    ["test", "crm"],
    ["log-level"],
)


async def run(*arguments: str) -> Result:
    """Run a command in this process."""
    with trio.fail_after(20):
        return await CliRunner().invoke(callpost, list(arguments))


def nothing(path: Path) -> None:
    """There is no socket."""
    assert not path.exists()


def a_file(path: Path) -> None:
    """Somebody's file is there."""
    path.write_text("not a socket")


def a_stale_socket(path: Path) -> None:
    """Left by a daemon that was killed."""
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))


def a_socket_for_datagrams(path: Path) -> None:
    """The producers' other door, say."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.bind(str(path))


@pytest.mark.parametrize("command", LIVE, ids=" ".join)
@pytest.mark.parametrize("prepare", [nothing, a_file, a_stale_socket, a_socket_for_datagrams])
async def test_without_a_daemon_a_command_says_why(
    command: list[str], prepare: Callable[[Path], None], tmp_path: Path
) -> None:
    """One sentence that names the socket, and exit status 1."""
    prepare(tmp_path / "control.sock")
    result = await run(*command, "--control", str(tmp_path / "control.sock"))
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert result.stderr.startswith(f"Error: {tmp_path}/control.sock: ")


async def test_a_missing_socket_may_be_elsewhere(tmp_path: Path) -> None:
    """The two likely causes are told."""
    result = await run("status", "--control", str(tmp_path / "control.sock"))
    assert result.stderr == (
        f"Error: {tmp_path}/control.sock: there is no control socket; callpost is not running, or"
        " its socket is elsewhere (--config or --control says where).\n"
    )


async def test_a_socket_of_another_program_is_told(tmp_path: Path) -> None:
    """What answers there is not callpost."""
    async with a_door(tmp_path / "control.sock") as door:
        door.replies["GET /v1/status"] = Reply(raw=b"220 mail.example.com ESMTP\r\n")
        result = await door.run("status")
    assert (result.exit_code, "does not speak as callpost does" in result.stderr) == (1, True)


# What is imported late is imported before: the other user may not read this installation.
AS_NOBODY = """
import os, sys
import anyio._backends._trio, httpcore, httpx
import callpost.cli.status, callpost.edge.call_control
from callpost.__main__ import main
os.setgroups([]); os.setgid({group}); os.setuid({user})
sys.argv = ["callpost", "status", "--control", {path!r}]
main()
"""


@pytest.fixture
def of_the_group_only() -> Iterator[Path]:
    """A control socket that root and root's group may use, where everybody can see it."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    with TemporaryDirectory() as directory, socket.socket(socket.AF_UNIX) as door:
        Path(directory).chmod(0o755)
        path = Path(directory) / "control.sock"
        door.bind(str(path))
        path.chmod(0o660)
        door.listen()
        yield path


async def test_a_socket_that_is_not_ours_names_the_group(of_the_group_only: Path) -> None:
    """Whoever is not an operator learns who is."""
    nobody = pwd.getpwnam("nobody")
    path = str(of_the_group_only)
    code = AS_NOBODY.format(group=nobody.pw_gid, user=nobody.pw_uid, path=path)
    with trio.fail_after(30):
        run = await trio.run_process([sys.executable, "-c", code], check=False, capture_stderr=True)
    told = run.stderr.decode()
    assert (run.returncode, told.count("\n"), "in the group root" in told) == (1, 1, True)


@pytest.mark.parametrize(
    ("text", "socket_path"),
    [
        ('runtime_directory = "/run/x"\n', "/run/x/control.sock"),
        ('runtime_directory = "/run/x"\n[control]\nsocket = "c.sock"\n', "/run/x/c.sock"),
        ('[control]\nsocket = "/run/y/c.sock"\n', "/run/y/c.sock"),
        ('runtime_directory = "/run/x"\nnonsense = 1\n[[subscription]]\n', "/run/x/control.sock"),
    ],
)
def test_the_configuration_says_where_the_socket_is(
    text: str, socket_path: str, tmp_path: Path
) -> None:
    """Also where something else in it is faulty, for that is when one looks."""
    config = tmp_path / "callpost.toml"
    config.write_text(text)
    assert control_path(config, None) == Path(socket_path)


def test_a_drop_in_may_say_where_the_socket_is(tmp_path: Path) -> None:
    """It belongs to the configuration."""
    (tmp_path / "callpost.toml").write_text("")
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "a.toml").write_text('runtime_directory = "/run/z"\n')
    assert control_path(tmp_path / "callpost.toml", None) == Path("/run/z/control.sock")


def test_the_command_line_wins(tmp_path: Path) -> None:
    """Then no configuration is read."""
    assert control_path(tmp_path / "nowhere.toml", Path("/x.sock")) == Path("/x.sock")


def test_a_socket_that_is_turned_off_is_told(tmp_path: Path) -> None:
    """There is no daemon to be found there."""
    config = tmp_path / "callpost.toml"
    config.write_text('[control]\nsocket = ""\n')
    with pytest.raises(NoDaemon, match=r"control\.socket is turned off there"):
        control_path(config, None)


def test_a_configuration_that_cannot_be_read_is_the_likely_cause(tmp_path: Path) -> None:
    """Where the socket is not in the usual place either."""
    config = tmp_path / "callpost.toml"
    with pytest.raises(NoDaemon, match="no such file or directory"):
        control_path(config, None)


def test_a_broken_file_is_the_likely_cause(tmp_path: Path) -> None:
    """With the place of the fault."""
    config = tmp_path / "callpost.toml"
    config.write_text("runtime_directory = \n")
    with pytest.raises(NoDaemon, match="syntax"):
        control_path(config, None)
