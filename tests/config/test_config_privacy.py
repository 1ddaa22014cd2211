"""`[privacy]`: what operators see of numbers, and whether digits are kept."""

import pytest

from callpost.config import Config, FaultyConfig, Source, parse
from callpost.config.difference import difference
from callpost.model.limits import Privacy


def read(text: str) -> Config:
    """The configuration of one file."""
    return parse([Source("c.toml", text.encode())], secret=lambda _, __: None, environment={})


def test_numbers_are_masked_and_digits_are_kept() -> None:
    """Unless the file says otherwise."""
    assert read("").privacy == Privacy(log_numbers="masked", dtmf="store")


@pytest.mark.parametrize("numbers", ["full", "masked", "none"])
def test_numbers_are_shown_as_the_file_says(numbers: str) -> None:
    """In one of three ways."""
    assert read(f'[privacy]\nlog_numbers = "{numbers}"').privacy.log_numbers == numbers


def test_digits_are_dropped_on_demand() -> None:
    """Before they reach the disk."""
    assert read('[privacy]\ndtmf = "drop"').privacy.dtmf == "drop"


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (
            'log_numbers = "some"',
            "c.toml: privacy.log_numbers: choice: expected one of full | masked | none",
        ),
        ('dtmf = "hide"', "c.toml: privacy.dtmf: choice: expected one of store | drop"),
    ],
)
def test_a_fault_is_named(line: str, fault: str) -> None:
    """By file and key."""
    with pytest.raises(FaultyConfig) as faulty:
        read(f"[privacy]\n{line}")
    assert [str(one) for one in faulty.value.faults] == [fault]


def test_a_key_that_is_not_there_is_offered_another() -> None:
    """The one that was meant."""
    with pytest.raises(FaultyConfig, match='did you mean "log_numbers"'):
        read('[privacy]\nlog_number = "full"')


def test_a_reload_obeys_it_at_once() -> None:
    """Nobody has to restart to have numbers hidden."""
    before, after = read(""), read('[privacy]\nlog_numbers = "none"\ndtmf = "drop"')
    changes = difference(before, after)
    assert (set(changes.settings), changes.needs_restart) == (
        {"privacy.log_numbers", "privacy.dtmf"},
        (),
    )
