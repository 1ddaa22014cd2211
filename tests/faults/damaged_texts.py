"""Valid texts, damaged: cut, doubled, swapped, with words where none belong; streams in pieces."""

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import strategies as st


@st.composite
def damaged(draw: st.DrawFn, originals: Sequence[str], words: Sequence[str]) -> str:
    """One of the originals with one to four wounds."""
    text = draw(st.sampled_from(originals))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 40)))
        word = draw(st.sampled_from(["", *words]) | st.text(max_size=5))
        match draw(st.sampled_from(["replace", "insert", "double", "move"])):
            case "replace":
                text = text[:start] + word + text[end:]
            case "insert":
                text = text[:start] + word + text[start:]
            case "double":
                text = text[:end] + text[start:end] + text[end:]
            case _:
                place = draw(st.integers(0, start))
                text = text[:place] + text[start:end] + text[place:start] + text[end:]
    return text


def cut(stream: bytes, at: Sequence[int]) -> list[bytes]:
    """The stream in pieces; none of them is empty."""
    places = sorted({0, len(stream), *(place % (len(stream) + 1) for place in at)})
    return [stream[start:end] for start, end in pairwise(places)]
