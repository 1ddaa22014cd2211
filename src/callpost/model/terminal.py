"""Text from outside, made safe to show on a terminal.

Whoever reads a log looks at it on one, so its JSON says the same characters by their numbers.
"""

import re
from typing import Final

from callpost.model.unseen import unseen

# C0, DEL and C1 move the cursor and ring bells; bidi controls reorder what is read (Unicode
# TR 36); the line and paragraph separators break lines.
_UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)


def escaped(text: str) -> str:
    r"""`text` with every control character spelled out, such as `\x1b` or `\u202e`."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def visible(word: str) -> str:
    r"""`word` with all spelled out that leaves no ink, such as `\u200b` or `\xa0`, but the space.

    For names that a reader compares letter by letter: so is a joiner that belongs there, and what
    Python cannot tell the shape of. What nobody sees is told by `unseen`.
    """
    hidden = frozenset(unseen(word))
    if not hidden and word.isprintable():
        return word
    return "".join(
        char.encode("unicode_escape").decode()
        if place in hidden or not char.isprintable()
        else char
        for place, char in enumerate(word)
    )


def escaped_json(document: bytes) -> bytes:
    r"""The same JSON, in UTF-8 on one line, with `\u009b` or the like for each such character."""
    if document.isascii() and b"\x7f" not in document:
        return document
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", document.decode()).encode()
