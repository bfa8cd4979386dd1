"""GSM8K's own answers in every right and wrong form of ``gsm8k.py``, where the data is at hand.

Looked for in ``SDRL_DATA``, else in ``../shared/data`` beside the repository; it is not part of the project. The suite
judges the test split; the command of ``gsm8k.py`` judges all. A few lines of our own stay where there is none.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.verifier.gsm8k import RIGHT, VERIFIERS, WRONG, answers, judge_all

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("SDRL_DATA", ROOT.parent / "shared" / "data")) / "gsm8k"
OWN = [
    "9 * 2 = <<9*2=18>>18\n#### 18",
    "It costs $1,200 + $1,800 = $3,000.\n#### 3,000",
    "5 - 7 = -2\n#### -2",
    "7 / 2 = 3.5\n#### 3.5",
    "4 - 4 = 0\n#### 0",
    "12 * 101,010 = 1,212,120\n#### 1,212,120",
]
FILES = [None, *sorted(FOLDER.glob("test.jsonl"))]


def texts(file: Path | None) -> list[str]:
    if file is None:
        return OWN
    return [json.loads(line)["answer"] for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name if file else "own")
def test_every_right_form_is_met_and_no_wrong_one(file: Path | None) -> None:
    counts = list(judge_all(answers(texts(file))))
    assert not [mistake for count in counts for mistake in count.mistakes]
    assert all(count.judged for count in counts)
    assert len(RIGHT) >= 10 and len(WRONG) >= 10


def test_the_values_are_what_the_data_says() -> None:
    read = answers(OWN)
    assert [answer.value for answer in read] == ["18", "3000", "-2", "3.5", "0", "1212120"]
    assert [VERIFIERS["marker"].extract(text).prediction for text in OWN] == [answer.value for answer in read]
