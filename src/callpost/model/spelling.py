"""Words that somebody has mistyped: what is spelt most like them is offered."""

from collections.abc import Iterable
from difflib import get_close_matches

from callpost.model.terminal import visible


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a sentence that offers what is spelt most like `word`, or nothing.

    Upper and lower case is the least of differences.
    """
    spelt = {one.lower(): one for one in known}
    close = get_close_matches(word.lower(), list(spelt), n=1)
    return f'; did you mean "{visible(spelt[close[0]])}"?' if close else ""
