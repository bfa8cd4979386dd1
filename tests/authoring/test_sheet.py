"""Lines that are broken where a panel ends: no word is lost, and what stands out still does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sdrl.authoring.sheet import Piece, Sheet, Style

STYLES: st.SearchStrategy[Style | None] = st.sampled_from([None, "good", "bad", "dim"])
PIECES = st.lists(st.tuples(st.text("ab  \nc", max_size=30), STYLES), max_size=6)


def pieces_of(given_: list[tuple[str, Style | None]]) -> list[Piece]:
    return [text if style is None else (text, style) for text, style in given_]


@given(PIECES, st.integers(1, 40), st.integers(0, 12))
def test_no_letter_is_lost_and_no_line_is_too_wide(
    found: list[tuple[str, Style | None]], columns: int, by: int
) -> None:
    sheet = Sheet(columns)
    sheet.flow(*pieces_of(found), indent=by)
    text = "".join(text for text, _ in found)
    assert "".join("".join(sheet.lines).split()) == "".join(text.split())
    assert all(len(line) <= max(columns, by + 1) for line in sheet.lines)
    assert not any("\n" in line for line in sheet.lines)


@given(PIECES, st.integers(1, 40), st.integers(0, 12))
def test_what_stood_out_still_does(found: list[tuple[str, Style | None]], columns: int, by: int) -> None:
    sheet = Sheet(columns)
    sheet.flow(*pieces_of(found), indent=by)
    marked: dict[str, str] = {}
    for mark in sheet.marks:
        marked[mark.style] = marked.get(mark.style, "") + sheet.lines[mark.line][mark.start : mark.end]
    for style in ("good", "bad", "dim"):
        wanted = "".join(text for text, given_ in found if given_ == style)
        assert "".join(marked.get(style, "").split()) == "".join(wanted.split())


def test_words_are_kept_whole_where_they_have_room() -> None:
    sheet = Sheet(16)
    sheet.flow(("verdict ", "strong"), "correct, as it is 18", indent=8)
    assert sheet.lines == ["verdict correct,", "        as it is", "        18"]
    sheet = Sheet(6)
    sheet.wrapped("one two three\n\nfour", most=3)
    assert sheet.lines == ["one", "two", "three"]
