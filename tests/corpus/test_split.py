from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdrl.corpus.split import count_words, split_markdown, split_plain, split_text

SENTENCE = "The baker counts nine loaves. "


def test_a_short_text_is_one_piece_as_it_stands() -> None:
    assert split_text("  One line.\n  Another  line.\n", 10) == ["One line.\n  Another  line."]
    assert split_text(" \n ", 10) == []


def test_a_long_text_is_cut_at_sentence_borders_into_pieces_of_like_length() -> None:
    pieces = split_text(SENTENCE * 11, 20)
    assert [count_words(piece) for piece in pieces] == [20, 20, 15]
    assert all(piece.startswith("The") and piece.endswith("loaves.") for piece in pieces)


def test_abbreviations_and_initials_end_no_sentence() -> None:
    text = "Dr. A. Berg met Mr. Lund. They spoke. " + "Then she left the room. " * 3
    assert split_text(text, 8)[0] == "Dr. A. Berg met Mr. Lund. They spoke."


def test_a_sentence_longer_than_a_passage_is_cut_between_words() -> None:
    assert split_text("a b c d e f g", 3) == ["a b c", "d e f", "g"]


@settings(deadline=None)
@given(st.text(alphabet='ab .!?\n"A1', max_size=300), st.integers(1, 12))
def test_no_word_is_lost_and_no_piece_is_too_long(text: str, limit: int) -> None:
    pieces = split_text(text, limit)
    assert all(0 < count_words(piece) <= limit for piece in pieces)
    assert [word for piece in pieces for word in piece.split()] == text.split()


def test_paragraphs_of_plain_text_are_joined_up_to_the_limit() -> None:
    text = "one two\n\nthree four\n \nfive six seven\n"
    assert split_plain(text, 4) == ["one two\n\nthree four", "five six seven"]


def test_markdown_passages_carry_their_heading_and_never_run_over_one() -> None:
    text = "---\ntitle: x\n---\nIntro.\n\n# Bees #\nSix hives.\n\n```\n# no heading\n```\n## Honey\nTen jars.\n"
    assert split_markdown(text, 50) == [
        ("", "Intro."),
        ("Bees", "Six hives.\n\n```\n# no heading\n```"),
        ("Honey", "Ten jars."),
    ]


@pytest.mark.parametrize("text", ["# Only a heading", "", "\n\n"])
def test_markdown_without_text_gives_no_passage(text: str) -> None:
    assert split_markdown(text, 50) == []
