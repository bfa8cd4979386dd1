"""The evaluation sets of the shipped specs: rows as the data sets have them become the right golds.

The hub is played by rows with the columns that each data set documents; the specs' own sets are read as they ship.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sdrl.compiler import hub
from sdrl.compiler.compile import Compiled, compile_spec
from sdrl.spec.locate import specs_dir
from sdrl.verifier import Verifier
from tests.compiler.golden import is_embedded, shipped

COMMIT = "0123456789abcdef0123456789abcdef01234567"
QUESTION = {
    "Question": "Which?\n",
    "Correct Answer": " right ",
    "Incorrect Answer 1": "no",
    "Incorrect Answer 2": "nope",
}
ROWS: dict[str, list[tuple[dict[str, Any], str]]] = {  # spec -> rows with the gold that must come out
    "gsm8k": [({"question": "1 + 1,799?", "answer": "It is <<1+1799=1800>>1,800.\n#### 1,800"}, "1,800")],
    "math": [({"problem": "Half?", "solution": r"So $x=\boxed{\frac{1}{2}}$.", "type": "Algebra"}, r"\frac{1}{2}")],
    "logiqa": [
        ({"context": "c", "query": "q", "options": ["w", "x", "y", "z"], "correct_option": n}, "ABCD"[n])
        for n in range(4)
    ],
    "medqa": [
        ({"question": "q", "answer_idx": "C", "answer": "t", "options": {"A": "r", "B": "s", "C": "t", "D": "u"}}, "C")
    ],
    "mednli": [
        ({"sentence1": "p", "sentence2": "h", "gold_label": label}, label)
        for label in ("entailment", "neutral", "contradiction")
    ],
    "cqa": [({"contract": "c", "question": "q?", "answer": answer}, answer) for answer in ("Yes", "No")],
    "cfa": [({"query": "Read … Q: q CHOICES: A: x,B: y,C: z. Answer:", "answer": "B"}, "B")],
}


def pinned(monkeypatch: pytest.MonkeyPatch, name: str, rows: list[dict[str, Any]]) -> Compiled:
    def stream(*_: object) -> Iterator[dict[str, Any]]:
        yield from rows

    monkeypatch.setattr(hub, "resolve_revision", lambda *_: COMMIT)
    monkeypatch.setattr(hub, "stream_rows", stream)
    return compile_spec(specs_dir() / f"{name}.yaml", pin=True)


def frozen(compiled: Compiled) -> list[dict[str, Any]]:
    assert compiled.plan is not None, compiled.diagnostics
    assert compiled.plan.pending == ()
    return [json.loads(line) for line in compiled.files["data/evaluate-test.jsonl"].splitlines()]


@pytest.mark.parametrize("name", ROWS)
def test_rows_of_a_papers_data_set_get_their_golds(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    rows = frozen(pinned(monkeypatch, name, [row for row, _ in ROWS[name]]))
    assert [row["gold"] for row in rows] == [gold for _, gold in ROWS[name]]


def test_gpqa_deals_letters_by_the_seed_and_the_gold_is_the_letter_of_the_right_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [{**QUESTION, "Incorrect Answer 3": f"never {n}"} for n in range(60)]
    first, again = (frozen(pinned(monkeypatch, "gpqa", rows)) for _ in range(2))
    assert first == again
    assert all(row["options"][row["gold"]] == " right " for row in first)
    texts = [sorted(row["options"].values()) for row in first]
    assert texts == [sorted([" right ", "no", "nope", f"never {n}"]) for n in range(60)]
    assert min(Counter(row["gold"] for row in first).values()) >= 6 and len({row["gold"] for row in first}) == 4


@pytest.mark.parametrize("path", [path for path in shipped() if path.stem not in (*ROWS, "gpqa")], ids=lambda p: p.stem)
def test_an_own_spec_waits_for_nothing_but_its_model(path: Path) -> None:
    compiled = compile_spec(path)
    assert compiled.plan is not None, compiled.diagnostics
    wanted = () if is_embedded(compiled) else ("models.base: hub model Qwen/Qwen2.5-7B@main",)
    assert compiled.plan.pending == wanted
    assert sum(item.rows for item in compiled.plan.evaluations) >= 20


@pytest.mark.parametrize("path", shipped(), ids=lambda path: path.stem)
def test_a_shipped_gold_is_judged_right_by_its_own_verifier(path: Path) -> None:
    """A completion in the demo's form, with the gold in the slot."""
    compiled = compile_spec(path)
    assert compiled.plan is not None
    verifier = Verifier.from_program(compiled.plan.verifier)
    golds = [
        (json.loads(line), item.name)
        for item in compiled.plan.evaluations
        for line in compiled.files.get(item.file, b"").splitlines()
    ]
    wrap = {"tag": "<{0}>{1}</{0}>", "marker": "{0} {1}"}[compiled.plan.verifier["extract"]["kind"]] if golds else ""
    place = compiled.plan.verifier["extract"].get("name") or compiled.plan.verifier["extract"].get("marker")
    wrong = [
        row["id"]
        for row, _ in golds
        if verifier.judge(wrap.format(place, row["gold"]), row["gold"], row.get("options")).verdict != "correct"
    ]
    assert wrong == []


def test_every_answer_type_has_a_spec() -> None:
    from sdrl.verifier.program import TYPES

    types = {compile_spec(path).require().verifier["type"] for path in shipped()}
    assert types == set(TYPES)


def test_invoices_say_what_their_records_say() -> None:
    rows = [json.loads(line) for line in (specs_dir() / "data" / "invoices.jsonl").read_text("utf-8").splitlines()]
    for row in rows:
        record, text = row["record"], row["text"]
        assert all(record[name] in text for name in ("number", "seller", "buyer"))
        assert f"{record['total']:,.2f}" in text
        assert {"EUR": "€", "GBP": "£", "USD": "$"}[record["currency"]] in text
        assert record["paid"] == any(word in text for word in ("Paid in full", "settled", "paid already"))
        year, month, day = map(int, record["date"].split("-"))
        assert str(year) in text and str(day) in text and 1 <= month <= 12
