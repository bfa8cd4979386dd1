"""What is proposed for the ways in which people write down an output format; each is tried with the real verifier."""

from __future__ import annotations

import pytest

from sdrl.authoring.propose import propose

YES_NO = {"true": ["yes"], "false": ["no"]}


@pytest.mark.parametrize(
    ("output_format", "answer"),
    [
        (
            "Think step by step and write the final answer as a number after ####.",
            {"type": "number", "extract": {"marker": "####"}},
        ),
        (
            "Answer yes or no after a short reason; the last line is Answer: <yes or no>",
            {"type": "boolean", "extract": {"marker": "Answer:"}, "options": YES_NO},
        ),
        (
            'A short reason, then "Verdict: spam", "Verdict: ham" or "Verdict: other"; one of spam, ham or other.',
            {"type": "label", "extract": {"marker": "Verdict:"}, "options": ["spam", "ham", "other"]},
        ),
        ("Work it out. Total: <number>", {"type": "number", "extract": {"marker": "Total:"}}),
        ("Give the number only.", {"type": "number", "extract": {"last_number": True}}),
        ("Answer yes or no.", {"type": "boolean", "extract": {"whole": True}, "options": YES_NO}),
        (
            "Explain, then one of spam or ham in <answer></answer>.",
            {"type": "label", "extract": {"tag": "answer"}, "options": ["spam", "ham"]},
        ),
    ],
)
def test_a_format_is_read_as_it_was_meant(output_format: str, answer: dict[str, object]) -> None:
    proposal = propose(output_format)
    assert proposal.answer == answer
    assert proposal.works, proposal.why


def test_an_example_is_no_mark() -> None:
    assert propose("Give the number only. Example: 18").answer["extract"] == {"last_number": True}


def test_what_a_person_says_of_the_answer_is_no_mark() -> None:
    proposal = propose("Write one word and nothing else.", said="a label: spam or ham")
    assert proposal.answer == {"type": "label", "extract": {"whole": True}, "options": ["spam", "ham"]}


def test_an_instruction_that_gives_an_answer_itself_does_not_work() -> None:
    proposal = propose("Answer yes or no after a short reason; the last line is Answer: yes or Answer: no.")
    assert proposal.answer["extract"] == {"marker": "Answer:"}
    assert not proposal.works
    assert proposal.why[-1].startswith("✗ the instruction itself counts as right for no")
