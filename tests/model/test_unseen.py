"""Which characters of a name nobody sees."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callpost.model.unseen import has_outer_space, unseen

# Unicode, DerivedCoreProperties.txt, Default_Ignorable_Code_Point, but for the two joiners and
# the two selectors that a name may need.
IGNORABLE = (
    *(0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x200B),
    *(0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0x3164),
    *(*range(0xFE00, 0xFE0E), 0xFEFF, 0xFFA0, *range(0xFFF0, 0xFFF9)),
    *(*range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B), *range(0xE0000, 0xE1000)),
)
# Of letters, marks, numbers, punctuation, symbols and private use all but these leave ink.
INKLESS = "".join(map(chr, IGNORABLE)) + "\ufe0e\ufe0f\u2800\U0001d159"
NAMES = {
    "Persian": "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
    "Sinhala": "\u0dc1\u0dca\u200d\u0dbb\u0dd3",
    "Devanagari": "\u0915\u094d\u200d\u0937",
    "Japanese": "\u7530\u4e2d\u3000\u592a\u90ce",
    "Arabic": "\u0645\u062d\u0645\u062f",
    "Hebrew with points": "\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd",
    "decomposed": "Mu\u0308ller",
    "a family": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "a heart": "\u2764\ufe0f",
    "a heart in text": "\u2764\ufe0e",
    "a burning heart": "\u2764\ufe0f\u200d\U0001f525",
    "a key of a telephone": "1\ufe0f\u20e3",
    "a form of a Japanese character": "\u845b\U000e0100\u57ce",
    "a form of a Mongolian letter": "\u182a\u180b",
    "not assigned yet": "\U000323b0\ud7fc",
    "private use": "\ue000\uf8ff",
    "spaces within": "acme  south",
}
BLANK = {
    "Hangul filler": "acme\u3164",
    "halfwidth filler": "acme\uffa0",
    "Jamo filler": "acme\u115f",
    "Braille blank": "acme\u2800",
    "null notehead": "acme\U0001d159",
    "grapheme joiner": "acme\u034f",
    "no-break space": "acme\xa0",
    "em space": "acme\u2003",
    "line separator": "acme\u2028",
    "soft hyphen": "acme\xad",
    "right-to-left mark": "acme\u200f",
    "override": "acme\u202e",
    "tab": "acme\t",
    "half a pair": "acme\ud83d",
    "no character": "acme\uffff",
    "no character either": "acme\ufdd0",
    "zero-width space": "\u0639\u0644\u06cc\u06cc\u200b\u0631",
    "joiner before a digit": "acme\u200d1",
    "joiner behind a digit": "acm1\u200d\u0631",
    "joiner before a digit behind a letter": "\u0639\u0644\u06cc\u06cc\u200d1",
    "joiner at the end": "\u0639\u0644\u06cc\u06cc\u200c",
    "joiner between spaces": "\u7530\u4e2d\u3000\u3000\u200d\u3000",
    "selector behind a letter of ASCII": "acme\ufe0f",
    "selector behind a space": "\u7530\u4e2d\u3000\u3000\ufe0f",
    "selector behind a digit": "acm1\ufe0f1",
    "form of a letter that has none": "\u0639\u0644\u06cc\u06cc\U000e0100",
    "another selector": "\u2764\u2764\u2764\u2764\ufe00",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_names_of_all_peoples_are_seen(name: str) -> None:
    """Also with joiners, where their letters need them."""
    assert not unseen(name)


@pytest.mark.parametrize("name", BLANK.values(), ids=BLANK)
def test_what_makes_another_name_of_what_looks_the_same_is_not_seen(name: str) -> None:
    """Its place is told."""
    assert unseen(name) == (4,)


@pytest.mark.parametrize("name", ["\u200c\u0639", "\ufe0f\u2764"])
def test_a_joiner_and_a_selector_need_what_they_belong_to(name: str) -> None:
    """At the beginning there is nothing."""
    assert unseen(name) == (0,)


def test_of_two_joiners_neither_is_seen() -> None:
    """Each needs a letter on both sides."""
    assert unseen("\u0639\u200c\u200d\u0631") == (1, 2)


def test_of_two_selectors_the_first_is_seen() -> None:
    """The second one has nothing left to say."""
    assert unseen("\u2764\ufe0f\ufe0f") == (2,)


@given(st.sampled_from(IGNORABLE), st.text("\u0639\u0431", min_size=1))
def test_what_unicode_lets_programs_ignore_is_not_seen(number: int, around: str) -> None:
    """Between letters of any people."""
    assert unseen(around + chr(number) + around) == (len(around),)


@given(
    st.text(st.characters(categories=["L", "M", "N", "P", "S", "Co"], exclude_characters=INKLESS))
)
def test_what_leaves_ink_is_seen(text: str) -> None:
    """Whatever stands beside it."""
    assert not unseen(text)


@given(st.text(st.characters()))
def test_nothing_moves_the_cursor_or_is_another_space(text: str) -> None:
    """What is seen of a text has none of these categories, but for the joiners."""
    seen = {char for place, char in enumerate(text) if place not in unseen(text)}
    kinds = {unicodedata.category(char) for char in seen - {*" \u3000\u200c\u200d"}}
    assert kinds.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"})


@given(st.text(st.characters(), max_size=6), st.sampled_from("\u200c\u200d\ufe0e\ufe0f"))
def test_between_letters_of_ascii_nothing_is_joined(text: str, char: str) -> None:
    """Whatever stands farther away."""
    assert len(text) + 1 in unseen(f"{text}a{char}b")


@pytest.mark.parametrize("name", [" acme", "acme ", "\u3000\u7530", "\u7530\u3000", " "])
def test_a_space_at_an_end_is_found(name: str) -> None:
    """Nobody sees that either."""
    assert has_outer_space(name)


@pytest.mark.parametrize("name", ["", "acme south", "\u7530\u4e2d\u3000\u592a\u90ce"])
def test_a_space_within_a_name_is_none_at_an_end(name: str) -> None:
    """Of both kinds."""
    assert not has_outer_space(name)
