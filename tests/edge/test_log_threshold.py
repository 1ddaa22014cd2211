"""What is logged may change while everybody holds a logger."""

import json
from pathlib import Path

import pytest

from callpost.edge.logs import collecting_logs, open_logs
from callpost.model.limits import Log, LogLevel
from conditions import an_attempt


def told(path: Path, before: Log, after: Log) -> list[str]:
    """The events that reach the log after the settings have changed from `before` to `after`."""
    with path.open("wb") as out:
        logs = open_logs(before, out)
        held = logs.log.bind()
        attempted = logs.attempts.attempted
        logs.obey(after)
        held.debug("a.debug")
        held.info("an.info")
        held.error("an.error")
        attempted(an_attempt("delivered"))
        attempted(an_attempt("retry"))
    lines = map(json.loads, path.read_text().splitlines())
    return [str(line.get("outcome", line["event"])) for line in lines]


@pytest.mark.parametrize("before", ["debug", "info", "warning", "error"])
@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (Log(level="debug"), ["a.debug", "an.info", "an.error", "delivered", "retry"]),
        (Log(level="info"), ["an.info", "an.error", "delivered", "retry"]),
        (Log(level="warning"), ["an.error"]),
        (Log(level="error"), ["an.error"]),
        (Log(attempts="failures"), ["an.info", "an.error", "retry"]),
    ],
)
def test_a_change_holds_for_loggers_that_are_held_already(
    tmp_path: Path, before: LogLevel, after: Log, expected: list[str]
) -> None:
    """Up and down, for lines and for attempts."""
    assert told(tmp_path / "log", Log(level=before), after) == expected


def test_the_level_is_known() -> None:
    """For whoever asks what it is."""
    logs = collecting_logs(lambda _: None)
    logs.obey(Log(level="warning"))
    assert logs.level == "warning"


def test_one_log_is_nobody_elses() -> None:
    """Two daemons in one process log at levels of their own."""
    seen: list[str] = []
    quiet = collecting_logs(lambda fields: seen.append(str(fields["event"])))
    loud = collecting_logs(lambda fields: seen.append(str(fields["event"])))
    quiet.obey(Log(level="error"))
    quiet.log.info("not.told")
    loud.log.info("was.told")
    assert seen == ["was.told"]
