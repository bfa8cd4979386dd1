"""Hostile slots and characters: every type, within a second each, and never a wrong `correct`.

What hangs outside this thread would be the suite's time limit.
"""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sdrl.verifier import Verifier
from sdrl.verifier.workers import close_pool

MILLION = 1 << 20
# Of processor time. One slot must be judged within a second; on a slow machine ten are still a bound against a hang.
HANG_S = 10.0
# nasty: what a million of is tried; lists: slots with more than one answer; digits, letters: what looks like one and is
# none; tags: broken ones; code: what must not run; bombs: what must not be computed.
DATA = json.loads(Path(__file__).with_name("hostile.json").read_text(encoding="utf-8"))
TAG = {"kind": "tag", "name": "answer"}
KINDS: dict[str, tuple[dict[str, Any], str]] = {
    "number": ({"type": "number"}, "18"),
    "math": ({"type": "math"}, "18"),
    "choice": ({"type": "choice", "options": ["A", "B", "C", "D"]}, "B"),
    "choice with texts": ({"type": "choice", "options": {"A": "Paris", "B": "London"}}, "B"),
    "boolean": ({"type": "boolean"}, "yes"),
    "label": ({"type": "label", "options": ["entailment", "neutral"]}, "neutral"),
    "text": ({"type": "text"}, "Marie Curie"),
    "set": ({"type": "set"}, "red, blue"),
    "set of labels": ({"type": "set", "options": ["red", "blue"]}, "red, blue"),
    "json": ({"type": "json", "fields": {"a": {"type": "number"}}}, '{"a": 18}'),
    "json as it is": ({"type": "json"}, '{"a": 18}'),
}
VERIFIERS = {
    name: Verifier.from_program({"version": 1, "extract": TAG, **program}) for name, (program, _) in KINDS.items()
}
EXTRACTS: dict[str, dict[str, Any]] = {
    "marker": {"kind": "marker", "marker": "####"},
    "marker in words": {"kind": "marker", "marker": "Answer:"},
    "tag": TAG,
    "boxed": {"kind": "boxed"},
    "regex": {"kind": "regex", "pattern": r"Answer:\s*(.*)"},
    "a slow regex elsewhere": {"kind": "regex", "pattern": r"(x+x+)+y"},
    "json": {"kind": "json", "field": "a"},
    "last_number": {"kind": "last_number"},
    "whole": {"kind": "whole"},
}


@pytest.fixture(autouse=True)
def _no_hang() -> Iterator[None]:
    began = time.thread_time()
    yield
    assert time.thread_time() - began < 30 * HANG_S


@pytest.mark.parametrize("name", EXTRACTS)
def test_a_million_of_any_character_ends_and_is_no_answer(name: str) -> None:
    verifier = Verifier.from_program({"version": 1, "type": "number", "extract": EXTRACTS[name]})
    for piece in DATA["nasty"]:
        text = piece * (MILLION // len(piece))
        began = time.thread_time()
        verdict = verifier.judge(text, "18").verdict
        assert verdict in ("incorrect", "unparsable"), piece
        assert time.thread_time() - began < HANG_S, piece


@pytest.mark.parametrize("name", KINDS)
def test_no_type_is_slow_on_a_slot_as_long_as_it_reads(name: str) -> None:
    verifier, gold = VERIFIERS[name], KINDS[name][1]
    for piece in DATA["nasty"]:
        for size in (40, 1_990, 19_000):
            completion = f"<answer>{piece * (size // len(piece))}</answer>"
            began = time.thread_time()
            assert verifier.judge(completion, gold).verdict in ("incorrect", "unparsable", "error"), piece
            assert time.thread_time() - began < HANG_S, piece


@pytest.mark.parametrize("name", DATA["lists"])
def test_every_option_in_the_slot_is_no_answer(name: str) -> None:
    for slot in DATA["lists"][name]:
        for take in (f"<answer>{slot}</answer>", f"so\n<answer>\n{slot}\n</answer>\nI am sure."):
            assert VERIFIERS[name].judge(take, KINDS[name][1]).verdict in ("incorrect", "unparsable"), slot


@pytest.mark.parametrize("row", DATA["digits"])
def test_digits_of_another_script_are_no_number(row: str) -> None:
    for value in (18, 7, 20):
        slot = "".join(row[int(digit)] for digit in str(value))
        for name in ("number", "math"):
            assert VERIFIERS[name].judge(f"<answer>{slot}</answer>", str(value)).verdict == "unparsable", slot
    mixed = f"<answer>1{row[8]}</answer>"
    assert VERIFIERS["number"].judge(mixed, "18").verdict != "correct"
    assert VERIFIERS["number"].judge(mixed, "1").verdict != "correct"
    assert VERIFIERS["math"].judge(mixed, "1").verdict != "correct"


@pytest.mark.parametrize("letter", DATA["letters"])
def test_a_look_alike_letter_is_no_option(letter: str) -> None:
    for sign in DATA["letters"][letter]:
        for form in ("{}", "({})", "{}.", "The answer is {}.", "Option {}", "**{}**", "{} because", "{}\u0301"):
            found = VERIFIERS["choice"].judge(f"<answer>{form.format(sign)}</answer>", letter)
            assert found.verdict == "unparsable", (sign, form)


MARKS = ("\u0300", "\u0301", "\u0327", "\u0338", "\u20dd", "\u20e0")


@pytest.mark.parametrize("mark", MARKS)
def test_a_combining_mark_makes_another_letter(mark: str) -> None:
    assert VERIFIERS["choice"].judge(f"<answer>B{mark}</answer>", "B").verdict == "unparsable"
    assert VERIFIERS["label"].judge(f"<answer>neutral{mark}</answer>", "neutral").verdict == "unparsable"
    assert VERIFIERS["boolean"].judge(f"<answer>yes{mark}</answer>", "yes").verdict == "unparsable"
    assert VERIFIERS["text"].judge(f"<answer>Marie Curie{mark}</answer>", "Marie Curie").verdict == "incorrect"
    assert VERIFIERS["number"].judge(f"<answer>18{mark}</answer>", "18").verdict != "correct"
    assert VERIFIERS["math"].judge(f"<answer>18{mark}</answer>", "18").verdict != "correct"


INVISIBLE = ("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u200e", "\u200f", "\u202a", "\u202e", "\u2066")


@pytest.mark.parametrize("sign", INVISIBLE)
def test_an_invisible_character_neither_hides_a_value_nor_makes_one(sign: str) -> None:
    for name in ("number", "math", "choice", "boolean", "label", "text"):
        gold = KINDS[name][1]
        assert VERIFIERS[name].judge(f"<answer>{sign}{gold}{sign}</answer>", gold).verdict == "correct", name
        assert VERIFIERS[name].judge(f"<answer>{sign}</answer>", gold).verdict == "unparsable", name
    assert VERIFIERS["number"].judge(f"<answer>{sign}81</answer>", "18").verdict == "incorrect"
    assert VERIFIERS["number"].judge(f"<answer>1{sign}8</answer>", "1").verdict != "correct"
    assert VERIFIERS["choice"].judge(f"<answer>A{sign}B</answer>", "B").verdict != "correct"


@pytest.mark.parametrize("completion", DATA["tags"])
def test_a_tag_that_is_not_whole_is_none(completion: str) -> None:
    assert VERIFIERS["number"].judge(completion, "18").verdict in ("incorrect", "unparsable")


@pytest.mark.parametrize("code", DATA["code"])
def test_nothing_in_a_slot_is_run(code: str, tmp_path: Any) -> None:
    target = tmp_path / "made"
    slot = code.format(target) if "{}" in code else code
    for name, (_, gold) in KINDS.items():
        for completion in (f"<answer>{slot}</answer>", f"<answer>${slot}$</answer>"):
            assert VERIFIERS[name].judge(completion, gold).verdict != "correct", name
            assert VERIFIERS[name].judge(f"<answer>{gold}</answer>", slot).verdict != "correct", name
    assert not target.exists()


@pytest.mark.parametrize(
    "word", ["nan", "NaN", "-nan", "inf", "-inf", "Infinity", "∞", "1e999", "9e400", "1" + "0" * 500]
)
def test_what_is_no_number_equals_nothing_and_not_itself(word: str) -> None:
    for gold in (word, "18", "0", "inf", "nan"):
        assert VERIFIERS["number"].judge(f"<answer>{word}</answer>", gold).verdict != "correct"
    for gold in ("18", "0"):
        assert VERIFIERS["math"].judge(f"<answer>{word}</answer>", gold).verdict != "correct"


def test_a_bomb_ends_within_its_second_and_a_right_answer_after_it_is_read() -> None:
    verifier = VERIFIERS["math"]
    close_pool()
    before = workers_s()
    verdicts = [verifier.judge(f"<answer>{bomb}</answer>", "x^2+y^2+1").verdict for bomb in DATA["bombs"]]
    assert "correct" not in verdicts
    assert verifier.judge("<answer>\\sqrt{324}</answer>", "18").verdict == "correct"
    close_pool()
    assert workers_s() - before < len(DATA["bombs"]) * HANG_S


def workers_s() -> float:
    """Processor time of all math workers that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
