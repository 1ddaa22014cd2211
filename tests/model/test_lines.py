"""Lines out of bytes: the same however the bytes arrive, and never more than a line in memory."""

from hypothesis import given
from hypothesis import strategies as st

from callpost.model.lines import LineCutter

MAX_BYTES = 8

pieces = st.lists(
    st.text(alphabet="ab \t\r\n", max_size=12).map(str.encode) | st.just(b"0123456789\n"),
    max_size=12,
)


def cut(*data: bytes) -> list[bytes | None]:
    """All lines of `data`, fed piece by piece, the last one included."""
    cutter = LineCutter(MAX_BYTES)
    return [line for piece in data for line in cutter.feed(piece)] + cutter.end()


@given(pieces)
def test_any_split_gives_the_lines_of_the_whole(data: list[bytes]) -> None:
    """Where the kernel cuts a stream has no influence on its lines."""
    assert cut(*data) == cut(b"".join(data))


@given(pieces)
def test_byte_by_byte_gives_the_lines_of_the_whole(data: list[bytes]) -> None:
    """Not even the smallest pieces change a line."""
    whole = b"".join(data)
    assert cut(*(whole[at : at + 1] for at in range(len(whole)))) == cut(whole)


@given(pieces)
def test_the_lines_are_those_of_the_text(data: list[bytes]) -> None:
    """Each line that is not blank comes out once, in order, or as None where it is too long."""
    whole = b"".join(data)
    lines = [line.removesuffix(b"\r") for line in whole.split(b"\n")]
    expected = [
        line if len(line) <= MAX_BYTES else None
        for line in lines
        if len(line) > MAX_BYTES or line.strip()
    ]
    assert cut(*data) == expected


def test_a_line_comes_out_as_soon_as_its_newline_is_there() -> None:
    """A complete line does not wait for the next one."""
    cutter = LineCutter(MAX_BYTES)
    assert [cutter.feed(b"one\ntw"), cutter.feed(b"o\n")] == [[b"one"], [b"two"]]


def test_a_carriage_return_before_the_newline_is_dropped() -> None:
    """Producers on other systems end their lines with CR LF."""
    assert cut(b"one\r\ntwo\r\n") == [b"one", b"two"]


def test_the_longest_line_may_still_end_with_cr_lf() -> None:
    """The line's end does not count towards its length."""
    assert cut(b"12345678\r", b"\n") == [b"12345678"]


def test_one_byte_more_is_too_long() -> None:
    """The limit is exact."""
    assert cut(b"123456789\n12345678\n") == [None, b"12345678"]


def test_an_overlong_line_is_told_once() -> None:
    """However many pieces it takes to arrive, it is one line and gets one answer."""
    assert cut(*[b"x" * 100] * 50, b"\n", b"next\n") == [None, b"next"]


def test_blank_lines_are_skipped() -> None:
    """A line of spaces, tabs or carriage returns is no event."""
    assert cut(b"\n \t\r\n\r\none\n\n") == [b"one"]


def test_a_last_line_without_newline_counts() -> None:
    """The end of the stream ends its last line as well."""
    assert cut(b"one\ntwo") == [b"one", b"two"]


def test_the_end_of_an_overlong_line_is_told() -> None:
    """A stream that ends in the middle of an overlong line has one more line to answer."""
    assert cut(b"123456789012345") == [None]


def test_an_overlong_line_takes_no_memory() -> None:
    """What arrives of a line that is already too long is dropped at once."""
    cutter = LineCutter(MAX_BYTES)
    for _ in range(100):
        cutter.feed(b"x" * 1_000)
    assert len(cutter._rest) <= MAX_BYTES + 1
