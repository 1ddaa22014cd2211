"""`callpost subscribe` and `callpost unsubscribe`: subscriptions that no file has.

They are made over the control socket, and so trusted: they may deliver to any network that the
configuration allows.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import asyncclick as click
import trio

from callpost.cli.door import Refusal, control_option, opened
from callpost.cli.names import Listed, complete_made, unknown
from callpost.cli.options import config_option, json_option
from callpost.cli.paper import say, say_json
from callpost.cli.wanted import Document, of_file, of_settings
from callpost.model.vocabulary import KINDS, METHODS

if TYPE_CHECKING:
    from callpost.edge.call_control import Control

_EXAMPLES: Final = """\b
Examples:
  callpost subscribe crm --url https://crm.example.com/calls --event newCall --event hangup
  callpost subscribe --url tcp://10.0.0.9:4010 --set ack=true --set 'caller=["+45*"]'
  callpost subscribe crm.toml
  jq -n '{url:"https://crm.example.com/", auth:{type:"bearer",token:env.TOKEN}}' |
    callpost subscribe -
"""
_SUBSCRIPTIONS: Final = "/v1/subscriptions"
_NOT_FOUND: Final = 404


@click.command(epilog=_EXAMPLES)
@click.argument("name_or_file", required=False, default="", metavar="[NAME | FILE | -]")
@click.option("--url", default="", metavar="URL", help="Where it goes: http, https, tcp, udp.")
@click.option("--method", type=click.Choice(METHODS), help="How.  [default: POSTJSON]")
@click.option(
    "--event",
    "events",
    type=click.Choice(KINDS),
    multiple=True,
    help="Only such events; may be given several times.",
)
@click.option("--customer", default="", metavar="ID", help="Only the calls of CUSTOMER.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Any other key of a subscription, its value as in TOML; may be given several times.",
)
@config_option
@control_option
@json_option
async def subscribe(  # noqa: PLR0913 - each is an option that an operator types
    name_or_file: str,
    config: Path,
    control: Path | None,
    *,
    url: str,
    method: str | None,
    events: tuple[str, ...],
    customer: str,
    settings: tuple[str, ...],
    as_json: bool,
) -> None:
    """Make a subscription that stands in no file: with --url, or as FILE has it.

    With --url the argument is a NAME to begin with: the one that is given is
    api.NAME.xxxxxxxx and stays. Without --url it is a FILE in TOML or JSON with one subscription
    or several, "-" is standard input; secrets belong there, for a command line is seen by
    everybody on the machine. It is in force when the command ends, and is kept until
    `callpost unsubscribe`. What a file may have and this may not: `credential:`, other files,
    a proxy, presets of your own, unverified TLS.

    Exit status: 0 when it was made, 1 when it was not, and then every fault is told, or when the
    daemon is not running, 2 for wrong usage. Of several the first that is refused ends it; those
    before it are made, and are told.
    """
    given: Document = {"method": method, "events": list(events) or None, "customer": customer}
    if url:
        said = {"name": name_or_file, "url": url, **given}
        wanted = {key: value for key, value in said.items() if value}
        more = of_settings(settings)
        if twice := [key for key in wanted if key in more]:
            raise click.UsageError(f"{twice[0]} is said twice; leave it out of --set.")
        documents = [wanted | more]
    elif not name_or_file:
        raise click.UsageError("Either --url or a FILE says what to subscribe.")
    elif any(given.values()) or settings:
        raise click.UsageError("Without --url everything stands in FILE.")
    else:
        documents = await trio.to_thread.run_sync(of_file, name_or_file)
    await _make(documents, config, control, as_json=as_json)


@click.command(epilog="Example: callpost unsubscribe api.crm.3f9a0c51")
@click.argument("names", nargs=-1, required=True, shell_complete=complete_made)
@config_option
@control_option
@json_option
async def unsubscribe(
    names: tuple[str, ...], config: Path, control: Path | None, *, as_json: bool
) -> None:
    """Take subscriptions away that were made by `callpost subscribe` or over callpost's API.

    What is in hand is finished; what is pending becomes dead letters (`subscription_removed`).
    One that stands in a file is taken away there, and one that was made over the API of a dialect
    (telecomx, voipnow, ...) is taken away over that; but where it is left out, it goes here, too,
    with all items that it was made of.

    Exit status: 0 when all are gone, 1 when a name is unknown (then nothing is changed), when
    one cannot be taken away here, or the daemon is not running, 2 for wrong usage.
    """
    gone = list(dict.fromkeys(names))
    async with opened(config, control) as daemon:
        listed = await daemon.get("/v1/states", Listed)
        if fault := await _fault(daemon, gone, listed.names()):
            changed = " Nothing was changed." if len(gone) > 1 else ""
            raise click.ClickException(fault + changed)
        pending = {one.name: one.pending for one in listed.subscriptions}
        for name in gone:
            await _take_away(daemon, name)
            if not as_json:
                left = pending.get(name)
                say(f"{name} is gone{f', {left:,} pending are dead letters' if left else ''}")
    if as_json:
        say_json({"unsubscribed": gone})


async def _make(
    documents: Sequence[Document], config: Path, control: Path | None, *, as_json: bool
) -> None:
    made: list[Document] = []
    try:
        async with opened(config, control) as daemon:
            for document in documents:
                made.append(await daemon.post(_SUBSCRIPTIONS, Document, document))
                if not as_json:
                    # It is there, whatever becomes of the next one.
                    say(f"{made[-1]['name']} is {made[-1]['state']}")
    except Refusal as refusal:
        which = f"Subscription {len(made) + 1} of {len(documents)}: "
        which = which if len(documents) > 1 else ""
        if made and as_json:
            say_json({"subscriptions": made})
        raise Refusal(which + refusal.message, refusal.status) from None
    if as_json:
        say_json({"subscriptions": made})


async def _fault(daemon: "Control", names: Sequence[str], known: Sequence[str]) -> str:
    """Why these cannot be taken away here, "" where they can."""
    # Whoever has asked `opened` has it loaded.
    from callpost.edge.call_control import ControlRefused  # noqa: PLC0415 - see above

    for name in names:
        try:
            document = await daemon.get(_path(name), Document)
        except ControlRefused as refused:
            if refused.status != _NOT_FOUND:
                raise
            return unknown([name], [one for one in known if one != name])
        match document.get("origin"), document.get("state"):
            case ("api", _):
                pass
            case ("file", _):
                return f"{name!r} stands in the configuration file; change it there."
            case (_, "left_out"):
                pass
            case (origin, _):
                return f"{name!r} was made over {origin}; change it there."
    return ""


async def _take_away(daemon: "Control", name: str) -> None:
    # Whoever has asked `opened` has it loaded.
    from callpost.edge.call_control import ControlRefused  # noqa: PLC0415 - see above

    try:
        await daemon.delete(_path(name))
    except ControlRefused as refused:
        # It was there: where two are made of the same items, with one goes the other.
        if refused.status != _NOT_FOUND:
            raise


def _path(name: str) -> str:
    return f"{_SUBSCRIPTIONS}/{quote(name, safe='')}"
