"""Which characters of a name nobody sees: names are compared letter by letter, and read by people.

What is shown as a box is seen, such as a letter that came after this Python, or one of private
use: phones know more letters than we do.
"""

import re
import unicodedata
from typing import Final

_SPACES: Final = " \u3000"
# Controls, format characters, half pairs of surrogates, spaces and separators.
_UNSEEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"})
# What else leaves no ink. All but the Braille blank and the null notehead are of Unicode's
# Default_Ignorable_Code_Point (DerivedCoreProperties.txt), which has more than format characters.
_INKLESS: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\ufff8\U0001d159\U000e0000-\U000e0fff]"
)
# Persian, Sinhala and emoji are joined by these (The Unicode Standard, 23.2), and a selector says
# how the character before it looks (23.4). Elsewhere they do nothing that could be seen.
_JOINERS: Final = frozenset("\u200c\u200d")
_SELECTORS: Final = frozenset("\ufe0e\ufe0f")
# A Chinese or Japanese character, or a Mongolian one, and which of its forms it has (23.4).
_FORM: Final = re.compile(
    "[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003fffd][\U000e0100-\U000e01ef]"
    "|[\u1820-\u18aa][\u180b-\u180d\u180f]"
)
# A key of a telephone is written as its sign, a selector and a frame.
_KEYS: Final = frozenset("0123456789#*")
_KEYCAP: Final = "\u20e3"


def unseen(name: str) -> tuple[int, ...]:
    """The places in it, counted from 0, of the characters that cannot be seen."""
    if name.isascii() and name.isprintable():
        return ()
    return tuple(place for place, char in enumerate(name) if not _is_seen(name, place, char))


def has_outer_space(name: str) -> bool:
    """Whether it begins or ends with a space, the only ones that are seen within a name."""
    return name != name.strip(_SPACES)


def _is_seen(name: str, place: int, char: str) -> bool:
    before = name[place - 1] if place else ""
    after = name[place + 1 : place + 2]
    if char in _SELECTORS:
        return _can_be_joined(before) or (before in _KEYS and after == _KEYCAP)
    if char in _JOINERS:
        # Its letter may have a selector of its own.
        joined = name[place - 2 : place - 1] if before in _SELECTORS else before
        return _can_be_joined(joined) and _can_be_joined(after)
    return char in _SPACES or not _is_blank(char) or _FORM.match(before + char) is not None


def _can_be_joined(char: str) -> bool:
    """Whether it is a letter or a picture of a kind that joiners and selectors belong to."""
    return not char.isascii() and char not in _SPACES and not _is_blank(char)


def _is_blank(char: str) -> bool:
    number = ord(char)
    # Unicode, 23.7: no characters, whatever category these code points have.
    is_no_character = number & 0xFFFE == 0xFFFE or 0xFDD0 <= number <= 0xFDEF
    is_unseen = unicodedata.category(char) in _UNSEEN_CATEGORIES or _INKLESS.match(char)
    return is_no_character or bool(is_unseen)
