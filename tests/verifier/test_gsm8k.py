"""GSM8K's own answers, reformatted in ten ways, where the data is at hand (it is not part of the project).

Looked for in ``SDRL_DATA``, else in ``../shared/data`` beside the repository; without it one case stays, over a few
lines of our own.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sdrl.verifier import Verifier

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = [Path(os.environ["SDRL_DATA"])] if "SDRL_DATA" in os.environ else [ROOT.parent / "shared" / "data"]
FILES = [file for folder in FOLDERS for file in sorted(folder.glob("gsm8k/*.jsonl"))]
OWN = ["9 * 2 = <<9*2=18>>18\n#### 18", "It costs $1,200 + $1,800 = $3,000.\n#### 3,000", "5 - 7 = -2\n#### -2"]
VERIFIER = Verifier.from_program({"version": 1, "type": "number", "extract": {"kind": "marker", "marker": "####"}})
FORMS = (
    "#### {n}",
    "##### {n}",
    "#### **{n}**",
    "#### ${comma}",
    "#### {n}.",
    "#### {n} dollars",
    "#### {n}.00",
    "#### The answer is {comma}.",
    "<think>#### 1234567</think>#### {comma}",
    "#### 7654321\nNo, once more.\n#### \\boxed{{{n}}}",
)


def answers(file: Path | None) -> list[str]:
    if file is None:
        return OWN
    return [json.loads(line)["answer"] for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("file", [None, *FILES], ids=lambda file: file.name if file else "own")
def test_every_answer_is_met_in_ten_forms_and_no_neighbour_is(file: Path | None) -> None:
    wrong: list[str] = []
    for answer in answers(file):
        gold = VERIFIER.extract(answer).prediction
        assert gold is not None, answer
        reasoning = answer.rsplit("####", 1)[0]
        comma = f"{int(gold):,}" if "." not in gold else gold
        for form in FORMS:
            if ".00" in form and "." in gold:
                continue
            slot = form.format(n=gold, comma=comma)
            if VERIFIER.judge(reasoning + slot, gold).verdict != "correct":
                wrong.append(f"{slot!r} against {gold}")
            if VERIFIER.judge(reasoning + slot, f"{gold}1").verdict != "incorrect":
                wrong.append(f"{slot!r} against {gold}1")
    assert not wrong
