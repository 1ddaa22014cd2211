"""The outcome table of the contract, its overrides, and a round's verdict."""

import pytest

from callpost.model.endpoint import RetriedWord
from callpost.model.outcome import (
    Delivered,
    Gone,
    LocalFault,
    Outcome,
    Refused,
    Rejected,
    Retry,
    most_hopeful,
    narrowed,
    of_status,
    overridden,
)

TABLE: list[tuple[type[Outcome], tuple[int, ...]]] = [
    (Delivered, (200, 201, 202, 204, 299)),
    (Retry, (408, 425, 429, 500, 502, 503, 504, 599)),
    (Retry, (300, 301, 302, 307, 308, 401, 403, 404, 405, 407, 421)),
    (Refused, (402, 406, 409, 412, 418, 451, 499)),
    (Rejected, (400, 411, 413, 414, 415, 422, 431)),
    (Gone, (410,)),
]


@pytest.mark.parametrize(
    ("status", "kind"), [(status, kind) for kind, codes in TABLE for status in codes]
)
def test_every_status_has_its_outcome(status: int, kind: type[Outcome]) -> None:
    """Each code of the table ends as the table says."""
    assert type(of_status(status, "x")) is kind


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("deliver", Delivered),
        ("retry", Retry),
        ("refuse", Refused),
        ("reject", Rejected),
        ("gone", Gone),
    ],
)
def test_responses_override_the_table(action: str, kind: type[Outcome]) -> None:
    """Each of the five actions can be given to a code."""
    outcome = overridden(of_status(409, "x"), {"409": action})  # type: ignore[dict-item] # every literal in turn
    assert type(outcome) is kind


def test_an_exact_code_beats_a_class() -> None:
    """`"409" = "deliver"` stands beside `"4xx" = "retry"`."""
    outcome = overridden(of_status(409, "x"), {"4xx": "retry", "409": "deliver"})
    assert type(outcome) is Delivered


def test_a_class_covers_its_codes() -> None:
    """`"4xx" = "retry"` turns a rejection into a retry."""
    assert type(overridden(of_status(422, "x"), {"4xx": "retry"})) is Retry


def test_retry_after_survives_an_override() -> None:
    """A retried status keeps the subscriber's wish."""
    outcome = overridden(of_status(503, "x", retry_after_s=7.0), {"503": "retry"})
    assert isinstance(outcome, Retry)
    assert outcome.retry_after_s == 7.0


@pytest.mark.parametrize(
    ("outcome", "retried", "kind"),
    [
        (of_status(503, "x"), {"5xx"}, Retry),
        (of_status(503, "x"), {"ct"}, Rejected),
        (of_status(422, "x"), {"4xx"}, Retry),
        (Retry(reason="x", phase="connect"), {"ct"}, Retry),
        (Retry(reason="x", phase="first-byte"), {"ct"}, Rejected),
        (Retry(reason="x", phase="first-byte"), {"rt"}, Retry),
        (of_status(410, "x"), {"all"}, Retry),
        (of_status(204, "x"), {"ct"}, Delivered),
        (LocalFault("x"), {"rt"}, LocalFault),
    ],
)
def test_rp_says_what_is_retried(
    outcome: Outcome, retried: set[RetriedWord], kind: type[Outcome]
) -> None:
    """What a URL's `rp` names is retried, what it does not name is not."""
    assert type(narrowed(outcome, frozenset(retried))) is kind


def test_without_rp_nothing_changes() -> None:
    """The table stands where a URL says nothing."""
    assert narrowed(Refused("x", 409), None) == Refused("x", 409)


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [
        ([Rejected("a"), Retry(reason="b")], Retry(reason="b")),
        ([Refused("a"), Rejected("b")], Refused("a")),
        ([Gone("a"), Rejected("b")], Rejected("b")),
        ([Retry(reason="a"), Delivered("b")], Delivered("b")),
    ],
)
def test_a_round_is_as_hopeful_as_its_best_attempt(
    outcomes: list[Outcome], verdict: Outcome
) -> None:
    """Retry stands before refused, refused before rejected."""
    assert most_hopeful(outcomes) == verdict
