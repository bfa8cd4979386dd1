"""Where math-verify's verdict is not ours: each pair with its verdict beside the one of the policy.

A row of ``math_verify_wrong.jsonl`` is (prediction, gold, how math-verify is given them, its verdict, ours, why). A row
whose third verdict changes is good news: a release of math-verify mends it, and the row moves to ``cases/``.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sdrl.verifier import Verifier

ROWS = [
    json.loads(line) for line in Path(__file__).with_name("math_verify_wrong.jsonl").read_text("utf-8").splitlines()
]
VERIFIER = Verifier.from_program({"version": 1, "type": "math", "extract": {"kind": "boxed"}})


def by_math_verify(text: str, gold: str, how: str) -> bool:
    """math-verify called directly, as its documentation says."""
    from math_verify import parse, verify

    shown = "{}" if how == "plain" else "${}$"
    read = [parse(shown.format(each), parsing_timeout=None) for each in (gold, text)]
    return bool(verify(*read, timeout_seconds=None))


@pytest.mark.parametrize(("text", "gold", "how", "theirs", "ours", "why"), ROWS, ids=[f"{r[0]} | {r[1]}" for r in ROWS])
def test_our_verdict_beside_math_verifys(text: str, gold: str, how: str, theirs: bool, ours: str, why: str) -> None:
    assert VERIFIER.judge(rf"\boxed{{{text}}}", gold).verdict == ours, why
    assert by_math_verify(text, gold, how) is theirs, f"math-verify has changed its mind: {why}"


def test_each_pinned_verdict_of_math_verify_is_a_wrong_one() -> None:
    assert len(ROWS) >= 50
    assert not [row for row in ROWS if row[3] == (row[4] == "correct")]
