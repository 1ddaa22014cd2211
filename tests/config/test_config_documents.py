"""Texts become documents, and nothing is set in two files."""

from collections.abc import Callable

import pytest

from callpost.config import Config, FaultyConfig, Source, parse

FaultsOf = Callable[..., list[str]]


def test_a_syntax_error_is_shown_with_line_and_column(faults_of: FaultsOf) -> None:
    """The place is what the reader needs first."""
    assert faults_of("[log]\nlevel = \n") == [
        "callpost.toml: syntax: Invalid value (at line 2, column 9)"
    ]


@pytest.mark.parametrize(
    ("text", "table", "place"),
    [
        ("[privacy]\n[privacy]\n", "privacy", "line 2, column 9"),
        ("[a.b]\n[a]\n[a.b]\n", "a.b", "line 3, column 5"),
        ('["a\'b"]\n["a\'b"]', "a'b", "line 2, column 7"),
    ],
)
def test_a_table_that_is_there_twice_is_told_in_plain_words(
    faults_of: FaultsOf, text: str, table: str, place: str
) -> None:
    """By its name and the line of the second one."""
    assert faults_of(text) == [
        f"callpost.toml: syntax: [{table}] is there already: a file has a table once (at {place})"
    ]


def test_a_file_that_is_not_utf8_is_a_fault_with_its_line() -> None:
    """Latin-1 is met in old files and is not guessed."""
    with pytest.raises(FaultyConfig, match=r"^a\.toml: encoding: line 2 is not UTF-8$"):
        parse([Source("a.toml", b"# ok\n# \xe5\n")], secret=lambda _d, _n: None, environment={})


def test_a_byte_order_mark_is_passed_over(parsed: Callable[..., Config]) -> None:
    """Some editors write one."""
    assert parsed("\ufeff[log]\nlevel = 'debug'").log.level == "debug"


def test_a_number_of_too_many_digits_is_a_syntax_fault(faults_of: FaultsOf) -> None:
    """Python's own limit does not become a traceback."""
    assert faults_of(f"a = {'1' * 5000}") == ["callpost.toml: syntax: a number has too many digits"]


def test_deep_nesting_is_a_syntax_fault(faults_of: FaultsOf) -> None:
    """Nor does the limit on recursion."""
    assert faults_of(f"a = {'[' * 5000}") == [
        "callpost.toml: syntax: tables or lists are nested too deeply"
    ]


def test_an_empty_file_is_a_warning_only(parsed: Callable[..., Config]) -> None:
    """Without subscriptions nothing is delivered, which is worth a word."""
    sentence = "no file has one, so nothing is delivered but to what is made over the API"
    assert [str(warning) for warning in parsed("").warnings] == [
        f"callpost.toml: subscription: empty: {sentence}"
    ]


def test_a_key_set_in_two_files_is_a_fault_that_names_both(faults_of: FaultsOf) -> None:
    """Nobody has to guess which one wins."""
    assert faults_of("[log]\nlevel = 'info'", "[log]\nlevel = 'debug'") == [
        "conf.d/1.toml: log.level: duplicate: this key is already set in callpost.toml"
    ]


def test_a_table_may_be_completed_by_another_file(parsed: Callable[..., Config]) -> None:
    """A drop-in sets the keys that the main file leaves alone."""
    log = parsed("[log]\nlevel = 'debug'", "[log]\nformat = 'json'").log
    assert (log.level, log.format) == ("debug", "json")


def test_subscriptions_of_all_files_add_up_in_order(parsed: Callable[..., Config]) -> None:
    """The main file's come first."""
    one, two = (f'[[subscription]]\nname = "{name}"\nurl = "http://h/"' for name in "ba")
    assert [found.name for found in parsed(one, two).subscriptions] == ["b", "a"]


def test_a_name_used_in_two_files_is_a_fault_that_names_the_first(faults_of: FaultsOf) -> None:
    """Names are unique over all files."""
    text = '[[subscription]]\nname = "crm"\nurl = "http://h/"'
    assert faults_of(text, text) == [
        (
            "conf.d/1.toml: subscription.crm.name: duplicate: "
            "this name is already used in callpost.toml"
        )
    ]


def test_a_preset_in_two_files_is_a_fault_that_names_the_first(faults_of: FaultsOf) -> None:
    """Presets are told apart by their names."""
    text = "[preset.popup]\nlevel = 1"
    assert faults_of(text, text) == [
        "conf.d/1.toml: preset.popup: duplicate: this preset is already in callpost.toml"
    ]


def test_all_faults_of_all_files_come_at_once_in_the_order_of_files(faults_of: FaultsOf) -> None:
    """One check shows everything that there is to mend."""
    main = "[[subscription]]\nname = 'A'\n[log]\nlevel = 1"
    places = [fault.split(": ")[:2] for fault in faults_of(main, "x =", "[intake]\ny = 1")]
    assert places == [
        ["callpost.toml", "log.level"],
        ["callpost.toml", "subscription[1].name"],
        ["callpost.toml", "subscription[1].url"],
        ["conf.d/1.toml", "syntax"],
        ["conf.d/2.toml", "intake.y"],
    ]
