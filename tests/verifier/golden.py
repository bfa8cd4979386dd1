"""Keeps the verifier's program and its verdicts stable: one folder of golden files, one set for each answer type.

``python -m tests.verifier.golden`` writes them again; read the diff. ``NAME.json`` is the program that the answer
table below compiles to (version 1: it may gain keys, and none may change its meaning), ``NAME.out.jsonl`` what ``sdrl
verify`` says to ``NAME.in.jsonl``, which is written by hand.
"""

from __future__ import annotations

import json
from pathlib import Path

from sdrl.cli.verify_rows import Batch, judge
from sdrl.compiler.verifier_program import verifier_program
from sdrl.spec.loader import load_spec
from sdrl.verifier import Verifier

FOLDER = Path(__file__).with_name("golden")
ANSWERS = {
    "number": '{type: number, extract: {marker: "####"}, tolerance: {abs: 0.01, rel: 1e-3}}',
    "math": "{type: math, extract: {boxed: true}}",
    "choice": "{type: choice, extract: {tag: answer}, options: [A, B, C, D]}",
    "boolean": '{type: boolean, extract: {marker: "Answer:"}, options: {"true": [yes], "false": [no]}}',
    "label": "{type: label, extract: {tag: label}, options: [entailment, neutral, contradiction], take: only}",
    "text": "{type: text, extract: {whole: true}, ignore_case: false}",
    "set": '{type: set, extract: {regex: "Colours: (.*)"}, options: [red, green, blue], separator: ";"}',
    "json": "{type: json, extract: {json: result}, schema: {type: object, required: [total]}, "
    "fields: {total: {type: number, tolerance: 0.5}, currency: {type: text}}}",
    "program": "{type: program, extract: {tag: sql}, entry_point: sql-sqlite}",
}
SPEC = """sdrl: 1
name: golden
task: {{description: Answer the question., output_format: Write the answer where the verifier looks for it.}}
answer: {answer}
"""


def program_text(name: str) -> str:
    """The program of an answer table, as it stands in a plan's ``verifier.json`` but for the white space."""
    spec = load_spec("golden.yaml", SPEC.format(answer=ANSWERS[name])).require()
    return json.dumps(verifier_program(spec.answer), ensure_ascii=False, indent=1) + "\n"


def verdicts(name: str) -> bytes:
    """What ``sdrl verify`` says to the rows of a type."""
    verifier = Verifier.from_program(json.loads(program_text(name)))
    judged = judge(verifier, Batch(1, (FOLDER / f"{name}.in.jsonl").read_bytes()))
    assert judged.problem is None, judged.problem
    return judged.output


def main() -> None:
    """Write all golden files."""
    for name in ANSWERS:
        (FOLDER / f"{name}.json").write_text(program_text(name), encoding="utf-8")
        if name != "program":  # judging needs an installed entry point
            (FOLDER / f"{name}.out.jsonl").write_bytes(verdicts(name))


if __name__ == "__main__":
    main()
