"""The house rules: who may import whom, how long files and functions are, a docstring on each."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

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
    "send_httpx": {"h2", "httpcore", "httpx"},
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


@cache
def tree_of(path: Path) -> ast.Module:
    """Its syntax."""
    return ast.parse(path.read_text())


def imports_of(path: Path) -> Iterator[str]:
    """Every module that the file imports, ours as `callpost.….name`."""
    for node in ast.walk(tree_of(path)):
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


def foreign_to(path: Path, *pure: str) -> set[str]:
    """What the file imports beside the standard library, msgspec and what is `pure` here."""
    return foreign(path) - STANDARD_LIBRARY - {"msgspec", *pure}


def impure(path: Path, *granted: str) -> set[str]:
    """What of the file's imports waits or touches the world, without what is granted."""
    return foreign(path) & (IMPURE - set(granted))


def offenders(faults: Iterator[tuple[Path, set[str]]]) -> dict[str, list[str]]:
    """The files that break a rule, and by what."""
    return {name_of(path): sorted(what) for path, what in faults if what}


def test_the_model_imports_only_itself_msgspec_and_pure_library() -> None:
    """The ground floor stands on nothing that could wait or touch the world."""
    # Host names outside ASCII, and which number is whose country's: pure tables.
    tables = {"model.url": "idna", "model.numbers": "phonenumbers"}
    assert not offenders(
        (
            path,
            strangers(path, "model")
            | foreign_to(path, tables.get(name_of(path), ""))
            | impure(path),
        )
        for path in on_floor("model")
    )


def test_the_configuration_has_no_input_or_output() -> None:
    """Texts come in, a Config or faults go out."""
    assert not offenders(
        (path, strangers(path, "model", "config") | foreign_to(path) | impure(path))
        for path in on_floor("config")
    )


def test_the_engine_sees_the_world_through_ports() -> None:
    """No edge, no configuration, no socket, no file, no clock, no chance."""
    granted = ("trio", "structlog")
    assert not offenders(
        (
            path,
            strangers(path, "model", "engine")
            | foreign_to(path, *granted)
            | impure(path, *granted),
        )
        for path in on_floor("engine")
    )


def floors_of_an_edge(medium: str) -> set[str]:
    """Where the files of a medium may import from."""
    allowed = {"model", f"edge.{medium}"}
    if medium in {"send_http", "send_http_negotiated", "send_httpx"}:
        allowed.add("edge.http1")
    if medium == "send_httpx":
        # The way there, through proxies and TLS, is the same.
        allowed.add("edge.send_http_negotiated")
    return allowed


def test_an_edge_knows_the_model_and_its_own_medium_only() -> None:
    """No edge knows another, but that a sender is built on the HTTP exchange."""
    media = {path: f"{name_of(path)}.".split(".")[1] for path in on_floor("edge")}
    assert not offenders(
        (
            path,
            strangers(path, *floors_of_an_edge(medium))
            | (foreign_to(path, "trio", "structlog") - LIBRARIES.get(medium, set())),
        )
        for path, medium in media.items()
    )


def test_what_every_site_is_made_of_knows_the_model_only() -> None:
    """Neither what operators may ask for, nor what clients may."""
    granted = ("structlog", "trio")
    assert not offenders(
        (
            path,
            strangers(path, "model", "web")
            | foreign_to(path, "starlette", *granted)
            | impure(path, *granted),
        )
        for path in on_floor("web")
    )


def test_the_operators_door_sees_the_house_through_protocols() -> None:
    """No engine, no edge, no configuration: what it needs is handed in."""
    assert not offenders(
        (
            path,
            strangers(path, "model", "web", "control")
            | foreign_to(path, "starlette", "trio")
            | impure(path, "trio"),
        )
        for path in on_floor("control")
    )


def floors_of_a_dialect(path: Path) -> set[str]:
    """Where this file of the API may import from."""
    shared = {
        "document",
        "drawing",
        "making",
        "names",
        "ports",
        "systems",
        "toml",
        "translated",
        "unsaid",
    }
    own = name_of(path).removeprefix("api.").split(".")[0]
    # These two are the tables of all dialects.
    dialects = "api" if own in {"drawn", "systems"} else f"api.{own}"
    return {"model", "web", dialects, *(f"api.{name}" for name in shared | {"whose"})}


def test_no_dialect_of_the_api_knows_another() -> None:
    """And none the engine, an edge or the configuration: what it needs is handed in."""
    assert not offenders(
        (
            path,
            strangers(path, *floors_of_a_dialect(path))
            | foreign_to(path, "starlette", "trio")
            | impure(path, "trio"),
        )
        for path in on_floor("api")
    )


def test_commands_know_the_daemon_and_the_edges_of_commands() -> None:
    """The words an operator types never reach into the engine."""
    floors = {"model", "api", "config", "connecting", "loading", "daemon", "purging", "cli"}
    floors |= {f"edge.{name}" for name in EDGES_OF_COMMANDS}
    assert not offenders(
        (
            path,
            strangers(path, *floors) | foreign_to(path, "trio", "structlog", "asyncclick", "rich"),
        )
        for path in on_floor("cli")
    )


def test_every_file_says_what_it_is_for() -> None:
    """A module docstring, and a short one."""
    docstrings = {path: ast.get_docstring(tree_of(path)) or "" for path in FILES}
    assert [
        name_of(path) for path, text in docstrings.items() if not 1 <= len(text.splitlines()) <= 20
    ] == []


def test_no_file_is_longer_than_a_sitting() -> None:
    """At most 300 lines."""
    lines = {name_of(path): path.read_text().count("\n") for path in FILES}
    assert {name: count for name, count in lines.items() if count > LINES_MAX} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    """At most 40 lines."""
    assert not offenders(
        (
            path,
            {
                f"{node.name} ({node.end_lineno - node.lineno + 1})"
                for node in ast.walk(tree_of(path))
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
                and node.end_lineno is not None
                and node.end_lineno - node.lineno + 1 > FUNCTION_LINES_MAX
            },
        )
        for path in FILES
    )
