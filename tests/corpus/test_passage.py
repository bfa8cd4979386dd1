"""Which passages a sample names, where a prompt showed several."""

from __future__ import annotations

import pytest

from sdrl.corpus.passage import named_in


@pytest.mark.parametrize(
    ("passage", "known", "found"),
    [
        (None, {"a"}, []),
        ("a", {"a"}, ["a"]),
        ("a+b", {"a", "b"}, ["a", "b"]),
        ("c+d", {"c+d", "c", "d"}, ["c+d"]),
        ("a+c+d", {"a", "c+d"}, ["a", "c+d"]),
        ("a+gone+b", {"a", "b"}, ["a", "b"]),
        ("gone", {"a"}, []),
    ],
)
def test_the_longest_known_names_are_taken(passage: str | None, known: set[str], found: list[str]) -> None:
    assert named_in(passage, known) == found
