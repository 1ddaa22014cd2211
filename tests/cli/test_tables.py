"""Tables fit the terminal, and nothing in them moves the cursor."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from callpost.cli.tables import Cell, Column, folded, labelled, sentence, table

COLUMNS = (
    Column(title="NAME", least=8),
    Column(title="COUNT", right=True),
    Column(title="HOST", least=8, rank=1),
    Column(title="MORE", rank=2),
)
ROW = ("crm-of-the-north", "1,204", "crm.example.com", "x")
ROWS = st.lists(st.tuples(st.text(), st.text(), st.text(), st.text()), max_size=4)


def told(width: int | None) -> list[str]:
    """The table of one row."""
    return [line.plain for line in table(COLUMNS, [ROW], width)]


def test_with_room_there_is_all_of_it() -> None:
    """Numbers stand to the right, under their heading."""
    assert told(60) == [
        "NAME              COUNT  HOST             MORE",
        "crm-of-the-north  1,204  crm.example.com  x",
    ]


def test_in_a_pipe_there_is_all_of_it() -> None:
    """Whoever reads it has no width."""
    assert told(None) == told(60)


def test_what_may_fold_folds_before_a_column_goes() -> None:
    """The first such column takes the room that is left, the others fold."""
    assert told(40) == [
        "NAME              COUNT  HOST       MORE",
        "crm-of-the-north  1,204  crm.       x",
        "                         example.",
        "                         com",
    ]


def test_what_is_to_be_cut_is_cut_and_not_folded() -> None:
    """A row is one line then."""
    columns = (Column(title="NAME", least=4, cut=True), Column(title="COUNT"))
    lines = table(columns, [("crm-of-the-north", "1")], 12)
    assert [line.plain for line in lines] == ["NAME   COUNT", "crm-…  1"]


def test_a_spare_column_without_a_text_is_left_out() -> None:
    """It says nothing of any row."""
    columns = (Column(title="NAME"), Column(title="MORE", spare=True))
    assert [table(columns, [("a", ""), ("b", text)], None)[0].plain for text in ("", "x")] == [
        "NAME",
        "NAME  MORE",
    ]


def test_the_least_important_column_goes_first() -> None:
    """By rank, not by place."""
    assert told(28)[0] == "NAME         COUNT  HOST"


def test_a_name_is_folded_where_it_has_a_seam() -> None:
    """Never in the middle of a word while there is a seam."""
    assert told(16) == ["NAME       COUNT", "crm-of-    1,204", "the-north"]


ID = "evt_01937b1e5c6f7d3a9b2c4d5e6f708192"
UNBROKEN = (
    Column(title="NAME", least=8),
    Column(title="CALL", least=8, unbroken=True, rank=1),
    Column(title="MORE", rank=2),
)


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (60, ["NAME              CALL", f"crm-of-the-north  {ID}"]),
        (45, ["NAME         CALL", "crm-of-the-  evt_", f"north        {ID[4:]}"]),
        (30, ["NAME", "crm-of-the-north"]),
    ],
)
def test_an_id_is_never_folded_within_a_word(width: int, lines: list[str]) -> None:
    """Behind a seam it may be; else it is left out, and what matters less before it."""
    rows = [("crm-of-the-north", ID, "x" * 30)]
    assert [one.plain for one in table(UNBROKEN, rows, width)] == lines


@given(
    words=st.lists(st.from_regex(r"[a-z]{1,40}(-[a-z]{1,40}){0,3}", fullmatch=True), max_size=4),
    width=st.integers(2, 130),
)
def test_the_words_of_an_id_are_whole_at_every_width(words: list[str], width: int) -> None:
    """In a table; a terminal without room for one has blocks, or no such column."""
    columns = (Column(title="ID", least=4, unbroken=True, rank=1), Column(title="N"))
    lines = [line.plain for line in table(columns, [(word, "") for word in words], width)]
    pieces = {piece for word in words for piece in word.split("-")}
    shown = {piece for line in lines[1:] for piece in line.split("-") if piece}
    assert not shown or shown == pieces


def test_without_room_for_columns_a_row_is_a_block() -> None:
    """A terminal of a few columns still tells everything that matters."""
    assert told(10) == ["NAME", "crm-of-", "the-north", "COUNT", "1,204", ""]


def test_a_label_stands_beside_its_text() -> None:
    """As wide as there is room, the rest beneath."""
    lines = labelled("spool", "45.0 MiB of 8.0 GiB (0 %)", 30)
    assert [line.plain for line in lines] == [
        "spool         45.0 MiB of 8.0",
        "              GiB (0 %)",
    ]


def test_only_the_label_is_bold() -> None:
    """The text has a style of its own, or none."""
    [line] = labelled("paused", Cell("crm", "yellow"), 40)
    assert [(span.start, span.end, span.style) for span in line.spans] == [
        (0, 14, "bold"),
        (14, 17, "yellow"),
    ]
    assert line.style == ""


def test_a_label_stands_above_its_text_where_there_is_no_room_beside() -> None:
    """Two columns of ten are not readable."""
    lines = labelled("spool", "45.0 MiB of 8.0 GiB", 20)
    assert [line.plain for line in lines] == ["spool", "45.0 MiB of 8.0 GiB"]


def test_wide_signs_count_twice() -> None:
    """A name in Japanese fits too."""
    assert folded("日本語の名前", 6) == ["日本語", "の名前"]


@given(rows=ROWS, width=st.integers(2, 130))
def test_no_line_of_a_table_is_wider_than_the_terminal(
    rows: list[tuple[str, str, str, str]], width: int
) -> None:
    """Whatever the texts, a terminal of two columns and more never wraps by itself."""
    assert all(cell_len(line.plain) <= width for line in table(COLUMNS, rows, width))


@given(rows=ROWS, width=st.none() | st.integers(2, 130))
def test_no_control_character_gets_through_a_table(
    rows: list[tuple[str, str, str, str]], width: int | None
) -> None:
    """A caller's name cannot colour the screen or move the cursor."""
    shown = "".join(line.plain for line in table(COLUMNS, rows, width))
    assert not any(unicodedata.category(char) == "Cc" for char in shown)


@example(label="\u2ff0", text="0" * 14, width=28)
@example(label="\u7530" * 7, text="0" * 14, width=28)
@given(label=st.text(max_size=12), text=st.text(), width=st.integers(2, 130))
def test_no_labelled_line_is_wider_than_the_terminal(label: str, text: str, width: int) -> None:
    """Nor is a sentence."""
    lines = [*labelled(label, text, width), *sentence(text, width)]
    assert all(cell_len(line.plain) <= width for line in lines)


@given(text=st.text(), width=st.integers(2, 40))
def test_folding_loses_nothing_but_spaces(text: str, width: int) -> None:
    """Every other sign is there, in its order."""
    shown = "".join(line.plain for line in sentence(Cell(text), width))
    whole = "".join(line.plain for line in sentence(Cell(text), None))
    assert shown.replace(" ", "") == whole.replace(" ", "")


@pytest.mark.parametrize("width", [None, 40])
def test_a_table_without_rows_has_its_headings(width: int | None) -> None:
    """It is a table all the same."""
    assert [line.plain for line in table(COLUMNS, [], width)] == ["NAME  COUNT  HOST  MORE"]
