"""`callpost install-service`: puts a service in place, and takes it away again."""

import stat
import sys
from pathlib import Path

import pytest
from asyncclick.testing import CliRunner, Result

from callpost.cli import callpost
from callpost.cli.service_files import fault_of_program

SYSTEMD = Path(__file__).parents[2] / "systemd"
PROGRAM = "/srv/callpost/bin/callpost"


async def service(root: Path, *arguments: str) -> Result:
    """Run the command on a file system of its own."""
    words = ["install-service", "--root", str(root), *arguments]
    return await CliRunner().invoke(callpost, words)


async def installed(root: Path) -> Path:
    """The file system after an installation."""
    result = await service(root, "--program", PROGRAM)
    assert result.exit_code == 0, result.output
    return root


def files_below(root: Path) -> set[str]:
    """Every file, relative to the root."""
    return {
        str(path.relative_to(root))
        for path in root.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }


async def test_everything_is_put_in_place(tmp_path: Path) -> None:
    """What systemd, man and the shells look for, and an example of the configuration."""
    found = {one for one in files_below(await installed(tmp_path)) if "/man1/callpost-" not in one}
    assert found == {
        "etc/callpost/callpost.toml",
        "etc/systemd/system/callpost-control.socket",
        "etc/systemd/system/callpost-datagrams.socket",
        "etc/systemd/system/callpost-events.socket",
        "etc/systemd/system/callpost.service",
        "etc/sysusers.d/callpost.conf",
        "etc/tmpfiles.d/callpost.conf",
        "usr/local/bin/callpost",
        "usr/local/share/bash-completion/completions/callpost",
        "usr/local/share/doc/callpost/notify-reload.conf",
        "usr/local/share/fish/vendor_completions.d/callpost.fish",
        "usr/local/share/man/man1/callpost.1",
        "usr/local/share/zsh/site-functions/_callpost",
    }


async def test_the_units_start_the_program(tmp_path: Path) -> None:
    """And nothing of another installation's."""
    unit = (await installed(tmp_path) / "etc/systemd/system/callpost.service").read_text()
    lines = [line for line in unit.splitlines() if line.startswith("Exec")]
    assert lines == [
        f"ExecStart={PROGRAM} run --config /etc/callpost/callpost.toml",
        f"ExecReload={PROGRAM} reload --config /etc/callpost/callpost.toml",
    ]


async def test_only_owner_and_group_may_read_the_configuration(tmp_path: Path) -> None:
    """It may come to hold secrets; all else is for everybody."""
    root = await installed(tmp_path)
    modes = [
        stat.S_IMODE((root / path).stat().st_mode)
        for path in ("etc/callpost/callpost.toml", "etc/systemd/system/callpost.service")
    ]
    assert modes == [0o640, 0o644]


async def test_a_configuration_is_never_overwritten(tmp_path: Path) -> None:
    """An upgrade runs the command again."""
    root = await installed(tmp_path)
    (root / "etc/callpost/callpost.toml").write_text("# mine\n")
    await installed(tmp_path)
    assert (root / "etc/callpost/callpost.toml").read_text() == "# mine\n"


async def test_an_older_unit_is_replaced(tmp_path: Path) -> None:
    """What an administrator changes stands in drop-ins."""
    unit = await installed(tmp_path) / "etc/systemd/system/callpost.service"
    new = unit.read_text()
    unit.write_text("# of an older version\n")
    result = await service(tmp_path, "--program", PROGRAM)
    assert (f"replace  {unit}" in result.stdout, unit.read_text()) == (True, new)


async def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    """It mentions only the configuration, which it keeps."""
    root = await installed(tmp_path)
    result = await service(root, "--program", PROGRAM)
    assert result.stdout.partition("\n\n")[0] == f"keep     {root}/etc/callpost/callpost.toml"


async def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    """It says what would be."""
    result = await service(tmp_path, "--program", PROGRAM, "--dry-run")
    told = f"would write    {tmp_path}/etc/systemd/system/callpost.service" in result.stdout
    assert (told, files_below(tmp_path)) == (True, set())


async def test_uninstalling_keeps_the_configuration_alone(tmp_path: Path) -> None:
    """And says where it is and how to remove it: below the root, and no users of the machine."""
    result = await service(await installed(tmp_path), "--uninstall")
    kept = (
        f"Kept: {tmp_path}/etc/callpost. Who wants none of it:\n  rm -r {tmp_path}/etc/callpost\n"
    )
    assert (result.stdout.partition("\n\n")[2], files_below(tmp_path)) == (
        kept,
        {"etc/callpost/callpost.toml"},
    )


async def test_where_nothing_is_installed_nothing_is_uninstalled(tmp_path: Path) -> None:
    """It says so, and advises to remove nothing."""
    result = await service(tmp_path, "--uninstall")
    assert (result.stdout, result.exit_code) == (
        f"There is nothing of the service below {tmp_path}.\n",
        0,
    )


async def test_the_way_to_remove_the_rest_can_be_pasted(tmp_path: Path) -> None:
    """Also where a name has a space."""
    result = await service(await installed(tmp_path / "an image"), "--uninstall")
    assert result.stdout.splitlines()[-1] == f"  rm -r '{tmp_path}/an image/etc/callpost'"


async def test_a_program_of_another_s_is_not_removed(tmp_path: Path) -> None:
    """/usr/local/bin/callpost may be somebody's own script."""
    own = tmp_path / "usr/local/bin/callpost"
    own.parent.mkdir(parents=True)
    own.write_text("#!/bin/sh\n")
    await service(await installed(tmp_path), "--uninstall")
    assert own.read_text() == "#!/bin/sh\n"


async def test_what_cannot_be_written_is_told_in_one_sentence(tmp_path: Path) -> None:
    """A file stands where a directory should be."""
    (tmp_path / "etc").write_text("")
    result = await service(tmp_path, "--program", PROGRAM)
    assert (result.exit_code, result.stderr) == (
        1,
        f"Error: {tmp_path}/etc/systemd/system cannot be written: not a directory.\n",
    )


@pytest.mark.parametrize("hidden", ["/root", "/home", "/run/user", "/tmp", "/var/tmp"])
def test_a_program_that_the_service_cannot_see_is_refused(hidden: str) -> None:
    """ProtectHome= and PrivateTmp= hide these from the daemon."""
    program = Path(hidden, "callpost")
    assert fault_of_program(program, Path("/usr/bin/python3")) == (
        f"{program} lies below {hidden}, which a service does not see: install callpost elsewhere,"
        " for example into a virtual environment at /opt/callpost."
    )


def test_an_interpreter_that_the_service_cannot_see_is_refused() -> None:
    """A virtual environment at a good place may stand on one in somebody's home."""
    interpreter = Path("/home", "python")
    fault = fault_of_program(Path("/opt/callpost/bin/callpost"), interpreter)
    assert fault is not None
    assert fault.startswith(f"{interpreter} lies below /home")


@pytest.mark.parametrize("program", ["/opt/call post/bin/callpost", "callpost", "/opt/%n"])
def test_a_program_that_would_need_quotes_is_refused(program: str) -> None:
    """In a unit spaces end a word, and % begins a specifier."""
    fault = fault_of_program(Path(program), Path("/usr/bin/python3"))
    assert fault == f"{program!r} cannot stand in a unit: it needs a plain absolute path."


def test_a_program_at_a_good_place_is_taken() -> None:
    """The usual one."""
    program = Path("/opt/callpost/bin/callpost")
    assert fault_of_program(program, Path("/usr/bin/python3.11")) is None


async def test_a_refusal_writes_nothing(tmp_path: Path) -> None:
    """One sentence, exit status 1."""
    result = await service(tmp_path, "--program", "callpost")
    assert (result.exit_code, result.stderr.count("\n"), files_below(tmp_path)) == (1, 1, set())


def test_the_files_come_with_the_package() -> None:
    """The folder `systemd/` shows what is packaged: links, so that there is one text of each."""
    packaged = Path(sys.modules["callpost"].__path__[0]) / "systemd"
    shown = {path.name: path for path in SYSTEMD.iterdir() if not path.is_dir()}
    texts = {name: path.read_text() for name, path in shown.items()}
    assert all(path.is_symlink() for path in shown.values())
    assert texts == {path.name: path.read_text() for path in packaged.iterdir()}
