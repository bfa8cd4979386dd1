from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from sdrl.corpus import Passage, build_index, open_index, read_passages
from sdrl.corpus.split import count_words
from sdrl.filters import FilterState, apply_filters
from sdrl.spec.model import FilterStep, Source

FOLDER = Path(__file__).parents[2] / "specs" / "passages"


@pytest.fixture(scope="module")
def passages() -> list[Passage]:
    return list(read_passages([Source(files=["everyday.jsonl"])], FOLDER))


def test_the_demo_corpus_is_ninety_short_plain_cc0_texts(passages: list[Passage]) -> None:
    assert len(passages) == len({p.id for p in passages}) == len({p.title for p in passages}) == 90
    assert {p.license for p in passages} == {"CC0-1.0"}
    assert all(60 <= count_words(p.text) <= 110 and p.text.isascii() for p in passages)


def test_no_two_passages_of_the_demo_corpus_are_alike(passages: list[Passage]) -> None:
    samples = [{"id": p.id, "input": p.text} for p in passages]
    assert len(apply_filters([FilterStep(rouge_l=0.35)], samples, FilterState()).kept) == 90
    starts = [" ".join(p.text.split()[:4]) for p in passages]
    assert len(set(starts)) == 90
    assert all(a.title != b.title for a, b in itertools.pairwise(passages))


def test_the_demo_corpus_is_found_by_what_it_is_about(passages: list[Passage], tmp_path: Path) -> None:
    index = open_index(build_index(passages, tmp_path).path)
    assert index.search("loaves and rolls in the bakery")[0].passage.title == "Bakery before dawn"
    assert index.search("bees honey hive")[0].passage.title == "Beehives on the roof"
