"""The table in which the demo ends: what matters is whole, however narrow the terminal."""

import pytest

from callpost.cli.demo.call import KINDS
from callpost.cli.demo.cast import CAST, Subscriber
from callpost.cli.demo.command import told


def subscribers() -> list[Subscriber]:
    """All twelve, each with the whole call."""
    cast = [Subscriber(role) for role in CAST]
    for one in cast:
        one.received += KINDS
    return cast


@pytest.mark.parametrize("width", [40, 60, 72, 80])
def test_what_arrived_is_whole_at_every_width(width: int) -> None:
    """Each on a line with its name; other columns are left out for it."""
    rows = [line.plain.split() for line in told(subscribers(), width)[1:]]
    found = [(row[0], "10 of 10" in " ".join(row)) for row in rows]
    assert found == [(role.name, True) for role in CAST]


@pytest.mark.parametrize(
    ("width", "headings"),
    [
        (40, "SUBSCRIBER RECEIVED IN ORDER"),
        (60, "SUBSCRIBER TRANSPORT RECEIVED IN ORDER RETRIED"),
        (72, "SUBSCRIBER METHOD TRANSPORT RECEIVED IN ORDER RETRIED"),
        (None, "SUBSCRIBER METHOD TRANSPORT RECEIVED IN ORDER RETRIED"),
    ],
)
def test_what_the_name_tells_goes_first(width: int | None, headings: str) -> None:
    """The method, then the transport, then how often it was tried again."""
    assert " ".join(told(subscribers(), width)[0].plain.split()) == headings
