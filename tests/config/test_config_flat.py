"""Tables without presets, for those who tell a configuration to others."""

from callpost.config import Source
from callpost.config.flat import flat


def tables(*texts: str) -> tuple[dict[str, object], ...]:
    """The subscriptions of these files."""
    return flat(
        [Source(str(number), text.encode()) for number, text in enumerate(texts)]
    ).subscriptions


def test_a_built_in_preset_is_filled_in() -> None:
    """Lists as TOML has them, and the name of the preset is gone."""
    [table] = tables('[[subscription]]\nname = "a"\nurl = "http://x"\npreset = "zammad"\n')
    assert (table["events"], table["vocabulary"], "preset" in table) == (
        ["newCall", "answer", "hangup"],
        "zammad",
        False,
    )


def test_a_preset_of_ones_own_is_filled_in() -> None:
    """From whatever file."""
    [table] = tables(
        '[[subscription]]\nname = "a"\nurl = "http://x"\npreset = "p"\n',
        '[preset.p]\nmethod = "GET2"\n',
    )
    assert table["method"] == "GET2"


def test_its_own_keys_win_over_the_preset_and_that_over_delivery() -> None:
    """In the order in which the configuration has it."""
    [table] = tables(
        "[delivery]\nconcurrency = 1\ntimeout_s = 1\nconnect_timeout_s = 0.1\n"
        "[preset.p]\nconcurrency = 2\ntimeout_s = 2\n"
        '[[subscription]]\nname = "a"\nurl = "http://x"\npreset = "p"\nconcurrency = 3\n'
    )
    assert [table[key] for key in ("concurrency", "timeout_s", "connect_timeout_s")] == [3, 2, 0.1]


def test_a_secret_stays_the_name_of_a_credential() -> None:
    """Nothing is looked up."""
    [table] = tables('[[subscription]]\nname = "a"\nurl = "http://x"\nsecrets = ["credential:s"]\n')
    assert table["secrets"] == ["credential:s"]


def test_forward_rules_are_told_as_they_are() -> None:
    """Of all files."""
    rule = '[[forward]]\nnumber = "1"\nto = ["2"]\n'
    sources = [Source("a", rule.encode()), Source("b", rule.replace("1", "3").encode())]
    assert [one["number"] for one in flat(sources).forwards] == ["1", "3"]
