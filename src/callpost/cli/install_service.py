"""`callpost install-service`: puts the service in place for systemd, or takes it away.

Configuration and spool belong to the administrator: they are never overwritten and never removed.
"""

import os
import shlex
import sys
from pathlib import Path
from typing import Final, get_args

import asyncclick as click
import trio

from callpost import __version__
from callpost.cli.completion import Shell, script
from callpost.cli.manual import pages
from callpost.cli.paper import say
from callpost.cli.placing import Placing
from callpost.cli.service_files import (
    FOLDERS,
    LINK,
    MANUAL,
    SCRIPTS,
    Placed,
    configuration,
    fault_of_program,
    texts,
    units,
)
from callpost.model.system_error import words_of

# sd_booted(3).
_BOOTED: Final = Path("/run/systemd/system")
_UNITS: Final = (
    *("callpost.service", "callpost-events.socket"),
    *("callpost-datagrams.socket", "callpost-control.socket"),
)
_NEXT: Final = """
Next:
  edit /etc/callpost/callpost.toml   its one subscription is an example
  callpost check
  systemctl enable --now callpost.service
  usermod -aG callpost USER          for each producer, such as asterisk
  usermod -aG callpost-admin USER    for each operator
  callpost status"""
_AFTER_AN_UPGRADE: Final = """
It runs already: `systemctl restart callpost.service` starts what was installed."""
# The administrator's: the configuration, and what was not delivered.
_OWNED: Final = ("etc/callpost", "var/lib/callpost")
_KEPT: Final = """
Kept: /etc/callpost, /var/lib/callpost with what was not delivered, the user callpost and the
groups callpost and callpost-admin. Who wants none of it:
  rm -r /etc/callpost /var/lib/callpost && userdel callpost && groupdel callpost-admin"""
_EXAMPLES: Final = """\b
Examples:
  /opt/callpost/bin/callpost install-service
  callpost install-service --dry-run
  callpost install-service --uninstall
"""


@click.command("install-service", epilog=_EXAMPLES)
@click.option(
    "--root",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("/"),
    metavar="DIR",
    help="Put the files below DIR, as for an image, and run nothing.",
)
@click.option(
    "--program",
    type=click.Path(path_type=Path),
    metavar="PATH",
    show_default="this installation's own",
    help="What the units start.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--uninstall", is_flag=True, help="Remove what was put in place.")
@click.pass_context
async def install_service(
    ctx: click.Context, root: Path, program: Path | None, *, dry_run: bool, uninstall: bool
) -> None:
    """Install callpost as a service of systemd: units, users, folders, an example configuration.

    Manual pages, the completion of bash, zsh and fish and a link in /usr/local/bin come with it.
    It may be repeated, as after an upgrade: what you change belongs into
    `systemctl edit callpost.service`, not into the unit. A configuration that exists is left as
    it is. `--uninstall` keeps the configuration and the spool.

    Exit status: 0 when it was done, 1 when something could not be, 2 for wrong usage.
    """
    here = root == Path("/")
    if here and os.geteuid() and not dry_run:
        raise click.ClickException("Only root can install a service (`--dry-run` shows it).")
    placing = Placing(root, dry_run)
    # In an image, and where systemd does not run, there is nobody to tell.
    told = here and _BOOTED.is_dir()
    try:
        if uninstall:
            await _uninstall(placing, told=told)
        else:
            own = _fit_for_a_service(program)
            await _install(placing, own, _texts(ctx), told=told)
    except OSError as error:
        raise click.ClickException(
            f"{error.filename} cannot be written: {words_of(error)}."
        ) from None


def _fit_for_a_service(program: Path | None) -> Path:
    own = program or Path(sys.prefix) / "bin" / "callpost"
    interpreter = own if program else Path(sys.executable).resolve()
    if (fault := fault_of_program(own, interpreter)) is not None:
        raise click.ClickException(fault)
    return own


def _texts(ctx: click.Context) -> list[Placed]:
    top = ctx.find_root().command
    assert isinstance(top, click.Group), "the program is a group of commands"  # noqa: S101 - as it says
    return list(
        texts(dict(pages(top, __version__)), {one: script(top, one) for one in get_args(Shell)})
    )


async def _install(placing: Placing, program: Path, own_texts: list[Placed], *, told: bool) -> None:
    for placed in (*units(str(program)), *own_texts):
        placing.put(placed)
    placing.put_once(configuration())
    placing.link(LINK, program)
    if told:
        await _run(placing, "systemd-sysusers", "/etc/sysusers.d/callpost.conf")
        await _run(placing, "systemd-tmpfiles", "--create", "/etc/tmpfiles.d/callpost.conf")
        await _run(placing, "systemctl", "daemon-reload")
    if not placing.dry_run:
        say(_AFTER_AN_UPGRADE if told and await _is_running() else _NEXT)


async def _uninstall(placing: Placing, *, told: bool) -> None:
    if told:
        await _run(placing, "systemctl", "disable", "--now", "--quiet", *_UNITS)
    paths = [placing.root / placed.place for placed in units("")]
    paths += [placing.root / place for place in SCRIPTS.values()]
    # Also those of commands that this version no longer has.
    manual = placing.root / MANUAL
    paths += sorted([*manual.glob("callpost.1"), *manual.glob("callpost-*.1")])
    if (link := placing.root / LINK).is_symlink():
        paths.append(link)
    removed = [path for path in paths if placing.remove(path)]
    for folder in FOLDERS:
        placing.remove_empty(folder)
    if told:
        await _run(placing, "systemctl", "daemon-reload")
    if not removed:
        say(f"There is nothing of the service below {placing.root}.")
    if not placing.dry_run:
        _say_what_is_kept(placing.root)


def _say_what_is_kept(root: Path) -> None:
    """Below a root of its own there are no users, and the machine's folders are not meant."""
    kept = [path for path in (root / place for place in _OWNED) if path.exists()]
    if not kept:
        return
    if root == Path("/"):
        say(_KEPT)
        return
    named = " and ".join(map(str, kept))
    say(f"\nKept: {named}. Who wants none of it:\n  rm -r {shlex.join(map(str, kept))}")


async def _run(placing: Placing, *command: str) -> None:
    say(f"{'would run' if placing.dry_run else 'run'}      {' '.join(command)}")
    if placing.dry_run:
        return
    try:
        done = await trio.run_process(command, check=False, capture_stderr=True)
    except OSError as error:
        reason = (error.strerror or "no reason given").lower()
        raise click.ClickException(f"{command[0]} cannot be run: {reason}.") from None
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip() or f"exit status {done.returncode}"
        raise click.ClickException(f"`{' '.join(command)}` failed: {reason}")


async def _is_running() -> bool:
    asked = ["systemctl", "is-active", "--quiet", "callpost.service"]
    return (await trio.run_process(asked, check=False)).returncode == 0
