"""`[calls]`: how long a call may be silent."""

from collections.abc import Callable

import pytest

from callpost.config import Config

FaultsOf = Callable[..., list[str]]
Parsed = Callable[..., Config]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 21_600.0),
        ('end_after = "0"', 0.0),
        ('end_after = "0s"', 0.0),
        ('end_after="90m"', 5400),
    ],
)
def test_the_patience_is_kept(parsed: Parsed, text: str, seconds: float) -> None:
    """Six hours unless set; nothing needs no unit."""
    assert parsed(f"[calls]\n{text}").end_after_s == seconds


@pytest.mark.parametrize(
    ("value", "code"), [("31d", "range"), ("6", "duration"), ("-1h", "duration")]
)
def test_a_patience_that_is_none_is_a_fault(faults_of: FaultsOf, value: str, code: str) -> None:
    """A number without a unit, or more than a month."""
    [fault] = faults_of(f'[calls]\nend_after = "{value}"')
    assert fault.startswith(f"callpost.toml: calls.end_after: {code}: ")
