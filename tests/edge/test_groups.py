"""Which groups this machine has."""

import grp
import os

import pytest

from callpost.edge.groups import has_group


@pytest.mark.parametrize(
    ("name", "is_there"), [(grp.getgrgid(os.getgid()).gr_name, True), ("no-such-group", False)]
)
def test_a_group_is_there_or_not(name: str, is_there: bool) -> None:  # noqa: FBT001 - a column
    """By its name."""
    assert has_group(name) is is_there
