"""What a newcomer reads after each of his mistakes is what was judged: could he mend it at once?

``messages.txt`` holds the texts, ``docs/experiments.md`` the judgements; ``make golden`` writes the texts anew, to be
read in the diff.
"""

from __future__ import annotations

import pytest

from tests.tryout.replay import MESSAGES, Mistake, read_mistakes, replay

PROJECT, MISTAKES = read_mistakes()
GOLDEN = MESSAGES.read_text(encoding="utf-8").split("\n\n")


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda each: each.mistake)
def test_a_mistake_reads_as_it_was_judged(mistake: Mistake) -> None:
    shown = replay(PROJECT, mistake)
    assert "Traceback" not in shown and "internal error" not in shown
    assert shown.rstrip("\n") in [each.rstrip("\n") for each in GOLDEN]


def test_the_texts_are_of_these_mistakes() -> None:
    heads = [text.split("\n", 1)[0].removeprefix("== ") for text in GOLDEN]
    assert heads == [each.mistake for each in MISTAKES]
    assert len(set(heads)) == len(heads) >= 24


def test_every_message_says_what_to_do() -> None:
    assert [text for text in GOLDEN if "  help: " not in text] == []


def test_the_project_without_a_mistake_is_sound() -> None:
    for spec in ("my-task.yaml", "tickets.yaml"):
        shown = replay(PROJECT, Mistake("none", f"validate {spec}"))
        assert "1 spec, 0 errors, 0 warnings" in shown
