"""Hostile completions: each gets a verdict, and never a wrong `correct`. A hang would be the suite's time limit."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sdrl.verifier import Verifier

MILLION = 1 << 20
EXTRACTS: list[dict[str, Any]] = [
    {"kind": "marker", "marker": "####"},
    {"kind": "marker", "marker": "Answer:"},
    {"kind": "tag", "name": "answer"},
    {"kind": "boxed"},
    {"kind": "regex", "pattern": "Answer: (.*)"},
    {"kind": "regex", "pattern": "(a+)+$"},
    {"kind": "json", "field": "a"},
    {"kind": "last_number"},
    {"kind": "whole"},
]
TEXTS = {
    "letters": "a" * MILLION,
    "digits": "9" * MILLION,
    "slot of digits": "#### " + "9" * MILLION,
    "tag of digits": "<answer>" + "9" * MILLION + "</answer>",
    "hashes": "#" * MILLION,
    "markers": "#### " * (MILLION // 5),
    "answers": "Answer: " * (MILLION // 8),
    "open tags": "<answer>" * (MILLION // 8),
    "close tags": "</answer>" * (MILLION // 9),
    "nested tags": "<answer>" * 60_000 + "</answer>" * 60_000,
    "open boxes": r"\boxed{" * (MILLION // 7),
    "nested boxes": r"\boxed{" * 70_000 + "}" * 70_000,
    "braces": "{" * MILLION,
    "closed braces": "{}" * (MILLION // 2),
    "backslashes": "\\" * MILLION,
    "open thoughts": "<think>" * (MILLION // 7),
    "closed thoughts": "</think>" * (MILLION // 8),
    "thoughts": "<think></think>" * (MILLION // 15),
    "json keys": '{"a":' * (MILLION // 5),
    "json strings": '{"a":"' * (MILLION // 6),
    "json list": '{"a":' + "[" * 500_000,
    "spaces": " " * MILLION,
    "lines": "\n" * MILLION,
    "thousands": "1,234" * (MILLION // 5),
    "commas": "1," * (MILLION // 2),
    "points": "1." * (MILLION // 2),
    "signs": "-" * MILLION,
    "fractions": "1/" * (MILLION // 2),
    "exponents": "1e" * (MILLION // 2),
    "dollars": "$" * MILLION,
    "stars": "*" * MILLION,
    "quotes": '"' * MILLION,
    "less than": "<" * MILLION,
    "words": "not A or B " * (MILLION // 11),
    "emoji": "🦆" * (MILLION // 4),
    "combining": "a" + "\u0301" * 200_000,
    "surrogates": "\ud800 Answer: 17 \udfff",
    "nul": "\x00" * 1000 + "Answer: 17",
    "right to left": "\u202e#### 81",
    "long": "#### 17\n" + "x" * (3 * MILLION),
}
PROGRAMS: list[dict[str, Any]] = [
    {"type": "number"},
    {"type": "choice", "options": ["A", "B", "C", "D"]},
    {"type": "boolean"},
    {"type": "label", "options": ["red", "green"]},
    {"type": "text"},
    {"type": "set", "options": ["red", "green"]},
    {"type": "json", "fields": {"a": {"type": "number"}}},
    {"type": "math"},
]
GOLDS = {
    "number": "18",
    "choice": "B",
    "boolean": "yes",
    "label": "red",
    "text": "x",
    "set": "red",
    "json": '{"a": 18}',
}


@pytest.mark.parametrize("extract", EXTRACTS, ids=lambda extract: json.dumps(extract))
def test_no_hostile_completion_is_correct(extract: dict[str, Any]) -> None:
    verifier = Verifier.from_program({"version": 1, "type": "number", "extract": extract})
    verdicts = {name: verifier.judge(text, "18").verdict for name, text in TEXTS.items()}
    assert not [name for name, verdict in verdicts.items() if verdict == "correct"]


def test_a_pattern_that_matches_everywhere_ends_in_an_error_and_not_in_a_hang() -> None:
    verifier = Verifier.from_program({"version": 1, "type": "number", "extract": {"kind": "regex", "pattern": "x*"}})
    found = verifier.judge(TEXTS["letters"], "18")
    assert (found.verdict, found.prediction) == ("error", None)
    assert "deadline" in found.reason


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: str(program["type"]))
def test_no_type_reads_a_value_out_of_noise(program: dict[str, Any]) -> None:
    verifier = Verifier.from_program({"version": 1, "extract": {"kind": "tag", "name": "answer"}, **program})
    gold = GOLDS.get(program["type"], "18")
    for text in TEXTS.values():
        for slot in (text, text[:1_500], text[:15_000]):
            assert verifier.judge(f"<answer>{slot}</answer>", gold).verdict in ("incorrect", "unparsable")


INJECTIONS = (
    "__import__('os').system('touch /tmp/sdrl-injected')",
    "{{7*7}}",
    "{% for x in y %}",
    "eval(compile('1','','eval'))",
    r"\input{/etc/passwd}",
    r"\write18{touch x}",
    "().__class__.__bases__[0].__subclasses__()",
    "18; DROP TABLE answers",
    "lambda: 18",
    "sympify('18')",
    r"\text{__import__('os')}",
    "$(touch x)",
    "`touch x`",
    "%s%s%s%n",
    "18' or '1'='1",
    "exec(chr(49)+chr(56))",
)


@pytest.mark.parametrize("slot", INJECTIONS)
def test_code_is_no_value(slot: str) -> None:
    for program in PROGRAMS:
        verifier = Verifier.from_program({"version": 1, "extract": {"kind": "tag", "name": "answer"}, **program})
        gold = GOLDS.get(program["type"], "19")
        gold = "19" if program["type"] == "number" else gold
        assert verifier.judge(f"<answer>{slot}</answer>", gold).verdict in ("incorrect", "unparsable")


MATH_BOMBS = (
    "9^{9^{9}}",
    "9^9^9^9",
    "10^{999999999}",
    "(10^{9999})^{9999}",
    "999999!",
    "5!!!!",
    "\\int_0^1 x^x dx",
    "(a+b+c+d+e)^{50}",
    "\\sum_{n=1}^{99999} n^{n}",
    "\\prod_{n=1}^{99999} n",
    "x" * 500,
    "(" * 20 + "x" + ")" * 20,
    "\\frac{" * 20 + "1" + "}{2}" * 20,
    "\\sqrt{" * 20 + "2" + "}" * 20,
    "1" * 99 + "^{" + "9" * 6 + "}",
    "\\begin{pmatrix}" + "1 & " * 100 + "1\\end{pmatrix}",
    "\\lim_{x\\to 0} \\frac{\\sin x}{x}",
    "{" * 20,
    "\\",
    "^",
    "_{}",
    "\\frac{}{}",
    "\\boxed",
    "1=2=3=4=5",
    "\\begin{cases}",
)


def test_no_expression_outlives_its_deadline_or_is_correct() -> None:
    verifier = Verifier.from_program({"version": 1, "type": "math", "extract": {"kind": "whole"}})
    found = verifier.judge_many([(bomb, "x+y+z+1", None) for bomb in MATH_BOMBS])
    assert {judgement.verdict for judgement in found} <= {"incorrect", "unparsable", "error"}
    after = verifier.judge(r"\sqrt{4}", "2")
    assert after.verdict == "correct"


@pytest.mark.parametrize("gold", ["9" * MILLION, "x" * MILLION, "\\frac{" * 1000, "nan", "", "\ud800"])
def test_a_hostile_gold_is_an_error_or_met_by_nothing(gold: str) -> None:
    for program in PROGRAMS:
        verifier = Verifier.from_program({"version": 1, "extract": {"kind": "tag", "name": "answer"}, **program})
        assert verifier.judge("<answer>18</answer>", gold).verdict in ("incorrect", "unparsable", "error")
