"""Manual pages in roff (man(7)), made from the same texts as `--help`.

Pure. What a command's help says under "Exit status:" and behind it as examples stands in
sections of its own; everything else is true of all commands and stands here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from inspect import cleandoc
from typing import Final

import asyncclick as click

# Roff reads these as something else than what they are (groff_char(7)).
_ESCAPES: Final = str.maketrans(
    {
        "\\": r"\e",
        "-": r"\-",
        "'": r"\(aq",
        "`": r"\(ga",
        "^": r"\(ha",
        "~": r"\(ti",
        '"': r"\(dq",
    }
)
_CODE: Final = re.compile(r"`([^`]+)`")
_EXIT_STATUS: Final = re.compile(r"Exit status: (.*)", re.DOTALL)
# Click's mark of a paragraph whose lines stay as they are.
_AS_IT_IS: Final = "\b"
_USUAL_STATUS: Final = "0 when it was done, 1 when what was asked for failed, 2 for wrong usage."
_FILES: Final = (
    ("/etc/callpost/callpost.toml", "The configuration, with conf.d/*.toml beside it."),
    ("/run/callpost/control.sock", "The control socket, for members of the group callpost-admin."),
    ("/run/callpost-intake/events.sock", "The producers' socket, for members of callpost."),
    ("/var/lib/callpost", "The spool."),
)
_ENVIRONMENT: Final = (
    ("CALLPOST_CONFIG", "The configuration file, where --config does not name one."),
    ("CONFIGURATION_DIRECTORY", "The directory of callpost.toml, as systemd sets it."),
    ("STATE_DIRECTORY", "The spool's directory, as systemd sets it."),
    ("RUNTIME_DIRECTORY", "The sockets' directory, as systemd sets it."),
    ("NO_COLOR", "If set to anything, no colours are used."),
)


def pages(root: click.Group, version: str) -> Iterator[tuple[str, str]]:
    """(file name, roff) of the program's page and of each command's."""
    ctx = click.Context(root, info_name=root.name, **root.context_settings)
    names = [name for name in root.list_commands(ctx) if not root.commands[name].hidden]
    titles = [f"{root.name}-{name}" for name in names]
    for title, name in zip(titles, names, strict=True):
        command = root.commands[name]
        inner = click.Context(command, info_name=name, parent=ctx)
        others = [str(root.name), *(one for one in titles if one != title)]
        yield f"{title}.1", _page(title, command, inner, others, {}, version)
    headings: Mapping[str, Sequence[str]] = getattr(root, "headings", {})
    grouped = {
        heading: [root.commands[name] for name in inside] for heading, inside in headings.items()
    }
    yield f"{root.name}.1", _page(str(root.name), root, ctx, titles, grouped, version)


def _page(
    title: str,
    command: click.Command,
    ctx: click.Context,
    others: Sequence[str],
    headings: Mapping[str, Sequence[click.Command]],
    version: str,
) -> str:
    description, status = _description(command)
    usage = " ".join(command.collect_usage_pieces(ctx))
    sections = [
        ("SYNOPSIS", [f"\\fB{_text(ctx.command_path)}\\fR {_text(usage)}"]),
        ("DESCRIPTION", _paragraphs(description)),
        ("COMMANDS", list(_commands(headings, str(command.name)))),
        ("OPTIONS", list(_options(command, ctx))),
        ("EXIT STATUS", [_prose(status or _USUAL_STATUS)]),
        ("EXAMPLES", list(_examples(command))),
        ("FILES", _definitions(_FILES)),
        ("ENVIRONMENT", _definitions(_ENVIRONMENT)),
        ("SEE ALSO", [", ".join(f"\\fB{_text(one)}\\fR(1)" for one in others)]),
    ]
    head = [
        f'.TH "{_text(title.upper())}" 1 "" "callpost {_text(version)}" "callpost manual"',
        # What is typed must not be hyphenated or stretched.
        ".nh",
        ".ad l",
        ".SH NAME",
        f"{_text(title)} \\- {_prose(_summary(command))}",
    ]
    body = [line for name, lines in sections if lines for line in (f".SH {name}", *lines)]
    return "\n".join([*head, *body, ""])


def _summary(command: click.Command) -> str:
    """The help's first sentence, as a name's line has it: no capital, no full stop."""
    first = " ".join(cleandoc(command.help or "").partition("\n\n")[0].split())
    first = first.partition(". ")[0].removesuffix(".")
    return first[:1].lower() + first[1:]


def _description(command: click.Command) -> tuple[list[str], str]:
    """The help's paragraphs without the exit status, and the exit status."""
    paragraphs, status = [], ""
    for paragraph in cleandoc(command.help or "").split("\n\n"):
        if found := _EXIT_STATUS.search(paragraph.replace("Exit status:\n", "Exit status: ")):
            status = found[1]
            paragraph = paragraph.partition("Exit status:")[0]  # noqa: PLW2901 - the rest of it
        if paragraph.strip():
            paragraphs.append(paragraph)
    return paragraphs, status


def _paragraphs(paragraphs: Sequence[str]) -> list[str]:
    lines: list[str] = []
    for paragraph in paragraphs:
        lines += [".PP", *_block(paragraph)]
    return lines


def _block(paragraph: str) -> list[str]:
    if not paragraph.lstrip(" \n").startswith(_AS_IT_IS):
        return [_prose(paragraph)]
    kept = paragraph.lstrip(" \n" + _AS_IT_IS).splitlines()
    return [".nf", *map(_line, kept), ".fi"]


def _commands(headings: Mapping[str, Sequence[click.Command]], program: str) -> Iterator[str]:
    for heading, commands in headings.items():
        shown = [one for one in commands if not one.hidden]
        if shown:
            yield f".SS {_text(heading)}"
        for one in shown:
            yield from (".TP", f"\\fB{_text(f'{program}-{one.name}')}\\fR(1)")
            yield _prose(_summary(one))


def _options(command: click.Command, ctx: click.Context) -> Iterator[str]:
    for param in command.get_params(ctx):
        record = param.get_help_record(ctx)
        if record is not None:
            names, meaning = record
            yield from (".TP", f"\\fB{_text(names)}\\fR", _prose(meaning))


def _examples(command: click.Command) -> Iterator[str]:
    """What stands behind the help: `Example: …`, or lines under a heading."""
    text = cleandoc(command.epilog or "").lstrip(_AS_IT_IS + "\n")
    heading, mark, rest = text.partition(":")
    if not mark:
        return
    if not heading.startswith("Example"):
        yield _prose(heading + ":")
    examples = cleandoc("\n" + rest.lstrip(" ").removeprefix("\n"))
    yield from (".PP", ".nf", ".RS 4", *map(_line, examples.strip("\n").splitlines()), ".RE", ".fi")


def _definitions(pairs: Sequence[tuple[str, str]]) -> list[str]:
    lines: list[str] = []
    for word, text in pairs:
        lines += (".TP", f"\\fB{_text(word)}\\fR", _prose(text))
    return lines


def _prose(text: str) -> str:
    """One logical line; what is between backquotes is bold."""
    pieces = _CODE.split(" ".join(text.split()))
    marked = [
        f"\\fB{_text(piece)}\\fR" if number % 2 else _text(piece)
        for number, piece in enumerate(pieces)
    ]
    return _guarded("".join(marked))


def _line(text: str) -> str:
    return _guarded(_text(text))


def _text(text: str) -> str:
    return text.translate(_ESCAPES)


def _guarded(line: str) -> str:
    """A line that begins with a full stop would be a request."""
    return f"\\&{line}" if line.startswith((".", "'")) else line
