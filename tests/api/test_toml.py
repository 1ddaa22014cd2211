"""The writer of configuration tables, against Python's own reader of TOML."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callpost.api.toml import toml_table
from callpost.api.translated import Table

VALUES: st.SearchStrategy[object] = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8"), max_size=40),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
TABLES = st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=8), VALUES, max_size=4)


@given(st.lists(TABLES, min_size=1, max_size=3))
def test_what_is_written_is_read_back(tables: list[Table]) -> None:
    """Every value, every key, several tables one behind the other."""
    text = "".join(toml_table("subscription", table) for table in tables)
    assert tomllib.loads(text) == {"subscription": tables}


def test_a_table_looks_like_those_of_the_reference() -> None:
    """One key a line, lists and tables within it."""
    table: Table = {
        "name": "crm",
        "events": ["newCall", "hangup"],
        "headers": {"X-Menu": "main", "a b": "c"},
        "enabled": False,
        "level": 1,
    }
    assert toml_table("subscription", table).splitlines() == [
        "[[subscription]]",
        'name = "crm"',
        'events = ["newCall", "hangup"]',
        'headers = { X-Menu = "main", "a b" = "c" }',
        "enabled = false",
        "level = 1",
    ]


def test_a_long_list_has_a_line_for_each_of_its_items() -> None:
    """With a comma behind each."""
    text = toml_table("forward", {"to": ["x" * 60, "y" * 60]})
    assert text.splitlines() == [
        "[[forward]]",
        "to = [",
        f'  "{"x" * 60}",',
        f'  "{"y" * 60}",',
        "]",
    ]


def test_what_toml_does_not_have_is_a_mistake_of_ours() -> None:
    """Nothing is written for it."""
    with pytest.raises(TypeError, match="TOML has no NoneType"):
        toml_table("subscription", {"a": None})
