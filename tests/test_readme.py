"""The README is true: its commands, its map, its tables and its code hold for this tree."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, get_args

import msgspec
import pytest

import callpost
from callpost.cli import callpost as commands
from callpost.config import Source, parse
from callpost.model.delivery import DeadReason
from callpost.model.event import FIELDS
from callpost.model.report import Report
from callpost.model.signing import key_of, signatures

ROOT: Final = Path(__file__).parent.parent
SOURCE: Final = ROOT / "src" / "callpost"
README: Final = (ROOT / "README.md").read_text()
REFERENCE: Final = Path(callpost.__file__).with_name("callpost.toml").read_text()
# Standard Webhooks, "Signature scheme": the example of its libraries.
SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SIGNED: Final = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}


def blocks(language: str) -> list[str]:
    """The README's blocks of one language, in order; "" are those without one."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    return [text for marked, text in found if marked == language]


def section(title: str) -> str:
    """The text under one heading, up to the next of any depth."""
    found = re.search(rf"^#+ {re.escape(title)}$(.*?)(?=^#+ )", README, re.DOTALL | re.MULTILINE)
    assert found, f"the README has no section {title}"
    return found[1]


def reference_keys() -> Iterator[tuple[str, str]]:
    """Every (section, key) that the reference configuration shows, with or without its #."""
    current = "Top level"
    for line in REFERENCE.splitlines():
        if header := re.fullmatch(r"\[+\w+\]+", line):
            current = f"`{header[0]}`"
        elif key := re.match(r"#?(\w+) = ", line):
            yield current, key[1]


def reference_defaults() -> Iterator[tuple[str, str]]:
    """Every (key, default) of the reference that stands behind a #, but for inline tables."""
    for line in REFERENCE.splitlines():
        if (key := re.fullmatch(r"#(\w+) = (.*)", line)) and not key[2].startswith("{ "):
            yield key[1], key[2]


def logged_events() -> set[str]:
    """Every name that is logged anywhere in the source."""
    levels = {"debug", "info", "warning", "error", "exception"}
    return {
        node.args[0].value
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in levels
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def mapped_files() -> set[str]:
    """The files of the map, as paths below `src/callpost`."""
    tree = next(block for block in blocks("") if block.startswith("src/callpost/"))
    folders: list[str] = []
    files = set()
    for line in tree.splitlines()[1:]:
        depth = (len(line) - len(line.lstrip())) // 2
        name = line.split()[0]
        folders = folders[: depth - 1]
        if name.endswith("/"):
            folders.append(name)
        else:
            files.add("".join(folders) + name)
    return files


def test_the_first_command_ends_in_the_demo() -> None:
    """The first block of shell commands sets everything up and shows the demo."""
    assert blocks("sh")[0].splitlines()[-1] == ".venv/bin/callpost demo"


def test_the_second_command_passes_the_tests() -> None:
    """The second block of shell commands sets everything up and runs the suite."""
    assert blocks("sh")[1].splitlines()[-1] == ".venv/bin/pytest"


def test_both_commands_install_exact_versions() -> None:
    """Neither installs anything but what the constraints name, for the build as well."""
    wanted = "PIP_CONSTRAINT=.ci/constraints.txt PIP_BUILD_CONSTRAINT=.ci/constraints.txt"
    assert [wanted in block for block in blocks("sh")] == [True, True]


def test_ci_has_the_commands_from_the_readme_only() -> None:
    """`.ci/run` takes both blocks out of the README and has no second text of them."""
    script = (ROOT / ".ci" / "run").read_text()
    taken = re.findall(r"\$\(readme_command (\d)\)", script)
    assert (sorted(taken), "bin/pytest" in script, "callpost demo" in script) == (
        ["1", "2"],
        False,
        False,
    )


@pytest.mark.parametrize(("title", "key"), sorted(set(reference_keys())))
def test_every_key_of_the_configuration_is_explained(title: str, key: str) -> None:
    """Each key of the reference stands in the table of its own section."""
    heading = f"{title}: the defaults of every subscription" if title == "`[delivery]`" else title
    first_cells = [row.split("|")[1] for row in section(heading).splitlines() if "|" in row]
    assert any(f"`{key}`" in cell for cell in first_cells)


@pytest.mark.parametrize(("key", "default"), sorted(set(reference_defaults())))
def test_every_default_shown_is_the_references(key: str, default: str) -> None:
    """Where a key's row shows a default, it is what the reference configuration shows."""
    configuration = README.partition("\n## Configuration\n")[2].partition("\n### Filters")[0]
    rows = [row.split("|")[1:3] for row in configuration.splitlines() if row.startswith("| `")]
    shown = {cell.strip() for keys, cell in rows if f"`{key}`" in keys}
    assert shown & {f"`{default}`", ""}


def test_every_field_of_the_event_is_explained() -> None:
    """Each field stands in the table of the event, with its level."""
    rows = [row.split("|")[1:3] for row in section("The event").splitlines() if "|" in row]
    missing = [
        field.name
        for field in FIELDS
        if not any(
            f"`{field.name}`" in names and level.strip() == str(field.level)
            for names, level in rows
        )
    ]
    assert not missing


def test_every_line_of_the_log_is_explained() -> None:
    """Each name that is logged stands in the table of the log, and no other does."""
    table = set(re.findall(r"`(\w+\.\w+)`", section("Logs")))
    # The log itself says when lines of it are missing; nobody calls it for that.
    assert table == logged_events() | {"log.dropped"}


def test_every_reason_of_a_dead_letter_is_explained() -> None:
    """Each reason stands in the table of dead letters, and no other does."""
    rows = [row.split("|")[1] for row in section("Dead letters").splitlines() if "| `" in row]
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == set(get_args(DeadReason))


def test_the_delivery_report_shown_has_every_field() -> None:
    """What is shown is a report, with all the fields that one can have."""
    shown = next(line for line in README.splitlines() if line.startswith('{"type":"delivery.'))
    report = msgspec.json.decode(shown, type=Report)
    assert msgspec.json.encode(report).decode() == shown
    assert set(msgspec.json.decode(shown)) == set(Report.__struct_encode_fields__)


def test_every_command_is_explained() -> None:
    """Each command stands in the table of exit statuses, and no other does."""
    cells = re.findall(
        r"^\| (`callpost [^|]*) \|", section("Commands and exit statuses"), re.MULTILINE
    )
    table = set(re.findall(r"`(?:callpost )?([\w-]+)`", " ".join(cells)))
    assert table == set(commands.commands)


def test_the_map_is_the_tree() -> None:
    """Each source file is in the map, and nothing else is."""
    files = {str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*") if path.is_file()}
    wanted = {name for name in files if "__pycache__" not in name}
    packages = {name for name in wanted if name.endswith("/__init__.py")}
    assert mapped_files() == wanted - packages


@pytest.mark.parametrize("text", blocks("toml"))
def test_the_recipes_are_faultless(text: str) -> None:
    """Each piece of configuration passes as it stands, once its credentials are there."""
    config = parse(
        [Source("README.md", text.encode())],
        secret=lambda _directory, _name: SECRET,
        environment={},
    )
    assert config.subscriptions or config.api.tokens or config.tenancy.customers


def test_the_readers_check_of_signatures_is_right() -> None:
    """The README's Python accepts the example of Standard Webhooks."""
    code = next(block for block in blocks("python") if "def is_ours" in block)
    names: dict[str, object] = {}
    exec(code, names)  # noqa: S102 - the README's own code is what is tested
    is_ours = names["is_ours"]
    assert callable(is_ours)
    assert is_ours(SECRET, SIGNED, b'{"test": 2432232314}', 1614265330.0)


def test_the_readers_check_of_signatures_refuses_what_was_changed() -> None:
    """The README's Python refuses other content under the same signature."""
    code = next(block for block in blocks("python") if "def is_ours" in block)
    names: dict[str, object] = {}
    exec(code, names)  # noqa: S102 - the README's own code is what is tested
    is_ours = names["is_ours"]
    assert callable(is_ours)
    assert not is_ours(SECRET, SIGNED, b'{"test": 2432232315}', 1614265330.0)


def test_the_examples_of_json_are_json() -> None:
    """Each line that is shown as JSON can be read."""
    lines = [line for block in blocks("json") for line in block.splitlines()]
    assert all(msgspec.json.decode(line) for line in lines)


def test_the_envelope_shown_is_signed_as_the_text_says() -> None:
    """The envelope's timestamp is `time` in whole seconds, its content the JSON shown before."""
    event = next(line for line in README.splitlines() if line.startswith('{"event":"newCall"'))
    envelope = next(line for line in README.splitlines() if line.startswith('{"id":"evt_'))
    shown = msgspec.json.decode(envelope)
    signature = signatures(
        [key_of(SECRET)],
        message_id=shown["id"],
        timestamp=1795283360,  # 2026-11-21T17:49:20Z
        content=event.encode(),
    )
    assert signature == shown["signature"]


def test_every_link_within_the_readme_leads_somewhere() -> None:
    """Each `#anchor` is the heading of a section."""
    headings = re.findall(r"^#+ (.*)$", README, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) <= anchors
