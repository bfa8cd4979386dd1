from __future__ import annotations

import random

import pytest

from sdrl.embedded.problems import (
    FAMILIES,
    HELD_OUT,
    INSTRUCTOR,
    OOD,
    TEMPLATES,
    Problem,
    easier,
    harder,
    made_up_name,
    made_up_noun,
    mistakes,
    names_in,
    nouns_in,
    read_problem,
    write_problem,
)
from sdrl.embedded.problems.reader import match_sentence

PASSAGE = (
    "Ligaments connect bones to other bones, and tendons connect muscles to bones. In 1846 the surgeon Robert Liston "
    "used ether. This process has various stages; the patients and nurses wrote reports about loans and polynomials."
)


def draw(seed: int, family: str = INSTRUCTOR, **more: object) -> Problem:
    rng = random.Random(seed)
    nouns = [made_up_noun(rng) for _ in range(3)] if seed % 2 else nouns_in(PASSAGE)
    names = [made_up_name(rng) for _ in range(4)] if seed % 3 == 0 else []
    options: dict[str, object] = {"n_steps": 1 + seed % 6, "distractor": seed % 4 == 0, **more}
    return write_problem(rng, family=family, nouns=nouns, names=names, **options)  # type: ignore[arg-type]


def test_two_thousand_problems_are_read_back_with_the_same_operations_and_answer() -> None:
    for seed in range(2000):
        problem = draw(seed)
        again = read_problem(problem.text)
        assert again is not None, problem.text
        assert (again.answer, again.operations, again.steps) == (problem.answer, problem.operations, problem.steps)
        assert again.template_ids == problem.template_ids
        assert again.distractor == problem.distractor


def test_counts_stay_small_and_divisions_are_exact() -> None:
    for seed in range(1000):
        for family in FAMILIES:
            problem = draw(seed, family)
            count = problem.start
            assert problem.n_steps == 1 + seed % 6
            for (op, number), line in zip(problem.operations, problem.steps, strict=True):
                left, right = line.split("=")
                assert left == f"{count}{op}{number}"
                assert op != "/" or count % number == 0
                count = int(right)
                assert 1 <= count <= 200
            assert count == problem.answer


def test_the_instructor_cannot_read_or_write_sentences_of_the_test_families() -> None:
    for seed in range(500):
        for family in (HELD_OUT, OOD):
            problem = draw(seed, family)
            assert read_problem(problem.text) is None, problem.text
            assert read_problem(problem.text, family) is not None
            assert all(name.startswith(family) for name in problem.template_ids)


def test_no_sentence_of_one_family_can_be_read_as_a_sentence_of_another() -> None:
    for seed in range(600):
        for family in FAMILIES:
            for sentence in draw(seed, family, distractor=True).sentences:
                for other in FAMILIES:
                    found = match_sentence(sentence.text, other)
                    assert (found is not None) == (other == family), (sentence.text, found)


def test_no_two_templates_share_a_text_or_an_id() -> None:
    assert len({t.text for t in TEMPLATES}) == len(TEMPLATES)
    assert len({t.id for t in TEMPLATES}) == len(TEMPLATES)


def test_a_harder_problem_has_one_step_more_and_reads_back() -> None:
    for seed in range(500):
        problem = draw(seed)
        more = harder(problem.text, random.Random(seed))
        assert more is not None and more.text != problem.text
        assert more.n_steps == min(problem.n_steps + 1, 6)
        again = read_problem(more.text)
        assert again is not None and again.answer == more.answer


def test_an_easier_problem_has_one_step_fewer_and_reads_back() -> None:
    for seed in range(500):
        problem = draw(seed)
        less = easier(problem.text, random.Random(seed))
        assert less is not None
        again = read_problem(less.text)
        assert again is not None and again.answer == less.answer
        assert less.n_steps == max(problem.n_steps - 1, 1)


@pytest.mark.parametrize("how", ["missing", "two_ways"])
def test_an_ambiguous_problem_has_several_readings_that_survive_reading_back(how: str) -> None:
    several = 0
    for seed in range(300):
        problem = draw(seed, ambiguous=how)
        again = read_problem(problem.text)
        assert again is not None, problem.text
        assert again.readings == problem.readings
        assert problem.answer == problem.readings[0]
        several += problem.ambiguous
    assert several > 270  # a later division may bring two readings together


def test_mistakes_are_plausible_and_never_the_truth() -> None:
    for seed in range(300):
        problem = draw(seed)
        wrong = mistakes(problem)
        assert len(wrong) >= 3
        assert problem.answer not in wrong
        assert len(set(wrong)) == len(wrong)


@pytest.mark.parametrize("text", ["", "Hello.", "Ana has 3 coins.", "How many?", "Ana has 3 coins. How many are blue?"])
def test_text_outside_the_language_reads_as_none(text: str) -> None:
    assert read_problem(text) is None
    assert harder(text, random.Random(0)) is None
    assert easier(text, random.Random(0)) is None


def test_plural_nouns_are_found_in_a_passage() -> None:
    found = nouns_in(PASSAGE)
    assert found[0] == "bones"
    assert {"muscles", "tendons", "patients", "loans", "polynomials"} <= set(found)
    assert not {"process", "various", "has", "this"} & set(found)
    assert names_in(PASSAGE) == ["Robert", "Liston"]
    assert nouns_in("") == [] and names_in("") == []


def test_the_same_seed_writes_the_same_problem() -> None:
    assert draw(5).text == draw(5).text
    assert draw(5).text != draw(11).text


def test_a_wrong_step_count_is_refused() -> None:
    with pytest.raises(ValueError, match=r"must be 1\.\.6"):
        write_problem(random.Random(0), family=INSTRUCTOR, n_steps=7)
