"""The house rules: who may import whom, how long files and functions are, a docstring on each."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

SOURCE: Final = Path(__file__).parent.parent / "src" / "callpost"
FILES: Final = sorted(SOURCE.rglob("*.py"))

# A function that waits on nothing and touches nothing may use these of the standard library.
IMPURE: Final = frozenset(
    {"trio", "httpx", "structlog", "sqlite3", "socket", "os", "pathlib", "time", "random"}
    | {"subprocess", "threading", "asyncio"}
)
# The libraries of each medium, beside trio and structlog, which every edge may use.
LIBRARIES: Final = {
    "call_control": {"httpx", "msgspec"},
    "dial": {"idna"},
    "http1": {"httptools", "httpx"},
    "listen": {"h11"},
    "logs": {"msgspec"},
    "metrics": {"prometheus_client"},
    "feed_unix": {"msgspec"},
    "send_http_negotiated": {"h11", "h2"},
    "serve_asgi": {"hypercorn"},
    "spool": set[str](),
}
# What a command may take from the edge: it reads, feeds and listens, it does not deliver.
EDGES_OF_COMMANDS: Final = frozenset(
    {"call_control", "feed_unix", "listen", "logs", "read_config", "receive_unix"}
    # A stopped daemon's spool is read, never written.
    | {"spool.read_only"}
)
LINES_MAX: Final = 300
FUNCTION_LINES_MAX: Final = 40
STANDARD_LIBRARY: Final = frozenset(__import__("sys").stdlib_module_names)


def name_of(path: Path) -> str:
    """The dotted name below `callpost`, such as `edge.spool.write`."""
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imports_of(path: Path) -> Iterator[str]:
    """Every module that the file imports, ours as `callpost.….name`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            if node.module == "callpost":
                yield from (f"callpost.{alias.name}" for alias in node.names)


def ours(path: Path) -> set[str]:
    """What the file imports of callpost, below `callpost.`."""
    return {
        module.removeprefix("callpost.")
        for module in imports_of(path)
        if module.startswith("callpost.") and module != "callpost.__version__"
    }


def foreign(path: Path) -> set[str]:
    """The top-level names of everything else the file imports."""
    return {module.split(".")[0] for module in imports_of(path)} - {"callpost"}


def on_floor(floor: str) -> list[Path]:
    """The files of one floor."""
    return [path for path in FILES if name_of(path).split(".")[0] == floor]


def strangers(path: Path, *allowed: str) -> set[str]:
    """What the file imports of callpost outside of the allowed floors or modules."""
    return {
        module
        for module in ours(path)
        if not any(module == one or module.startswith(f"{one}.") for one in allowed)
    }


@pytest.mark.parametrize("path", on_floor("model"), ids=name_of)
def test_the_model_imports_only_itself_msgspec_and_pure_library(path: Path) -> None:
    """The ground floor stands on nothing that could wait or touch the world."""
    libraries = foreign(path) - STANDARD_LIBRARY - {"msgspec"}
    if name_of(path) == "model.url":
        libraries -= {"idna"}  # host names outside ASCII: a pure table
    if name_of(path) == "model.numbers":
        libraries -= {"phonenumbers"}  # which number is whose country's: pure tables
    assert (strangers(path, "model"), libraries, foreign(path) & IMPURE) == (set(), set(), set())


@pytest.mark.parametrize("path", on_floor("config"), ids=name_of)
def test_the_configuration_has_no_input_or_output(path: Path) -> None:
    """Texts come in, a Config or faults go out."""
    libraries = foreign(path) - STANDARD_LIBRARY - {"msgspec"}
    impure = foreign(path) & IMPURE
    assert (strangers(path, "model", "config"), libraries, impure) == (set(), set(), set())


@pytest.mark.parametrize("path", on_floor("engine"), ids=name_of)
def test_the_engine_sees_the_world_through_ports(path: Path) -> None:
    """No edge, no configuration, no socket, no file, no clock, no chance."""
    libraries = foreign(path) - STANDARD_LIBRARY - {"msgspec", "trio", "structlog"}
    impure = foreign(path) & (IMPURE - {"trio", "structlog"})
    assert (strangers(path, "model", "engine"), libraries, impure) == (set(), set(), set())


@pytest.mark.parametrize("path", on_floor("edge"), ids=name_of)
def test_an_edge_knows_the_model_and_its_own_medium_only(path: Path) -> None:
    """No edge knows another, but that a sender is built on the HTTP exchange."""
    medium = name_of(path).split(".")[1] if "." in name_of(path) else ""
    allowed = {"model", f"edge.{medium}"}
    if medium in {"send_http", "send_http_negotiated"}:
        allowed.add("edge.http1")
    libraries = foreign(path) - STANDARD_LIBRARY - {"msgspec", "trio", "structlog"}
    assert (strangers(path, *allowed), libraries - LIBRARIES.get(medium, set())) == (set(), set())


@pytest.mark.parametrize("path", on_floor("control"), ids=name_of)
def test_the_operators_door_sees_the_house_through_protocols(path: Path) -> None:
    """No engine, no edge, no configuration: what it needs is handed in."""
    libraries = foreign(path) - STANDARD_LIBRARY - {"msgspec", "starlette", "trio"}
    impure = foreign(path) & (IMPURE - {"trio"})
    assert (strangers(path, "model", "control"), libraries, impure) == (set(), set(), set())


@pytest.mark.parametrize("path", on_floor("api"), ids=name_of)
def test_the_dialects_turn_bytes_into_tables_and_back(path: Path) -> None:
    """No configuration, no edge, and no dialect knows another."""
    shared = {"document", "names", "systems", "toml", "translated", "unsaid"}
    own = name_of(path).removeprefix("api.").split(".")[0]
    dialects = "api" if own == "systems" else f"api.{own}"
    allowed = [dialects, *(f"api.{name}" for name in shared)]
    libraries = foreign(path) - STANDARD_LIBRARY - {"msgspec"}
    impure = foreign(path) & IMPURE
    assert (strangers(path, "model", *allowed), libraries, impure) == (set(), set(), set())


@pytest.mark.parametrize("path", on_floor("cli"), ids=name_of)
def test_commands_know_the_daemon_and_the_edges_of_commands(path: Path) -> None:
    """The words an operator types never reach into the engine."""
    edges = {f"edge.{name}" for name in EDGES_OF_COMMANDS}
    found = strangers(
        path, "model", "api", "config", "connecting", "loading", "daemon", "purging", "cli", *edges
    )
    libraries = foreign(path) - STANDARD_LIBRARY - {"msgspec", "trio", "structlog"}
    assert (found, libraries - {"asyncclick", "rich"}) == (set(), set())


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_file_says_what_it_is_for(path: Path) -> None:
    """A module docstring, and a short one."""
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring
    assert len(docstring.splitlines()) <= 20


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_file_is_longer_than_a_sitting(path: Path) -> None:
    """At most 300 lines."""
    assert path.read_text().count("\n") <= LINES_MAX


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_function_is_longer_than_a_screen(path: Path) -> None:
    """At most 40 lines."""
    too_long = [
        f"{node.name} ({node.end_lineno - node.lineno + 1})"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > FUNCTION_LINES_MAX
    ]
    assert not too_long
