"""GSM8K's own answers in right and wrong forms: every verdict the verifier gives on them, counted by form.

``python -m tests.verifier.gsm8k FOLDER`` reads FOLDER's ``train.jsonl`` and ``test.jsonl`` (not of the project),
prints a table and exits 1 when one verdict is wrong. A form is skipped for an answer that it does not fit (`18.00` is
for whole numbers); a change that would leave the value as it is (the sign of 0) is skipped too.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from sdrl.verifier import Verifier


class Answer(NamedTuple):
    """One problem: the reasoning, its value as a plain decimal, the value of the next problem."""

    reasoning: str
    value: str
    next_value: str

    @property
    def comma(self) -> str:
        return f"{int(self.value):,}" if self.whole else self.value

    @property
    def whole(self) -> bool:
        return "." not in self.value


class Form(NamedTuple):
    """How an answer is written: None where the form does not fit the answer."""

    name: str
    verifier: str
    write: Callable[[Answer], str | None]


def _program(answer_type: str, **extract: Any) -> Verifier:
    return Verifier.from_program({"version": 1, "type": answer_type, "extract": extract})


VERIFIERS: Final = {
    "marker": _program("number", kind="marker", marker="####"),
    "boxed": _program("number", kind="boxed"),
    "tag": _program("number", kind="tag", name="answer"),
    "last": _program("number", kind="last_number"),
    "math": _program("math", kind="boxed"),
}


def _scientific(answer: Answer) -> str | None:
    digits = answer.value.lstrip("-").rstrip("0")
    if not answer.whole or not digits:
        return None
    exponent = len(answer.value.lstrip("-")) - 1
    return f"#### {'-' * answer.value.startswith('-')}{digits[0]}.{digits[1:] or '0'}e{exponent}"


def _signed(answer: Answer) -> str:
    return "#### " + (answer.value.replace("-", "−") if answer.value.startswith("-") else f"+{answer.value}")


RIGHT: Final = (
    Form("#### 1,800", "marker", lambda a: f"#### {a.comma}"),
    Form("##### 1800", "marker", lambda a: f"##### {a.value}"),
    Form("#### **18**", "marker", lambda a: f"#### **{a.value}**"),
    Form("#### $1,800", "marker", lambda a: f"#### ${a.comma}"),
    Form("#### 18.", "marker", lambda a: f"#### {a.value}."),
    Form("#### 18 apples", "marker", lambda a: f"#### {a.value} apples"),
    Form("#### 18.00", "marker", lambda a: f"#### {a.comma}.00" if a.whole else None),
    Form("#### 1.8e1", "marker", _scientific),
    Form("#### +18, #### −18", "marker", _signed),
    Form("#### The answer is 18.", "marker", lambda a: f"#### The answer is {a.comma}."),
    Form("thought, then ####", "marker", lambda a: f"<think>\n#### {a.value}1\n</think>\n#### {a.comma}"),
    Form("a corrected answer", "marker", lambda a: f"#### {a.value}1\nNo, once more.\n#### \\boxed{{{a.value}}}"),
    Form("\\boxed{1800}", "boxed", lambda a: f"Thus $\\boxed{{{a.value}}}$."),
    Form("\\boxed{\\$1{,}800}", "boxed", lambda a: f"\\boxed{{\\${a.comma.replace(',', '{,}')}}}"),
    Form("<answer>1,800</answer>", "tag", lambda a: f"<answer>\n{a.comma}\n</answer>"),
    Form("the last number", "last", lambda a: f"Therefore the answer is {a.comma}."),
    Form("math: \\boxed{1,800}", "math", lambda a: f"\\boxed{{{a.comma}}}"),
    Form(
        "math: 1\\,800 \\text{ dollars}",
        "math",
        lambda a: r"\boxed{" + a.comma.replace(",", r"\,") + r"\text{ dollars}}",
    ),
)


def _swapped(answer: Answer) -> str | None:
    """Two neighbouring digits changed about: a slip of the pen."""
    digits = answer.value
    for at in range(len(digits) - 1):
        one, two = digits[at], digits[at + 1]
        changed = digits[:at] + two + one + digits[at + 2 :]
        if one.isdigit() and two.isdigit() and one != two and float(changed) != float(digits):
            return f"#### {changed}"
    return None


def _negated(answer: Answer) -> str | None:
    sign = "" if answer.value.startswith("-") else "-"
    return f"#### {sign}{answer.value.lstrip('-')}" if float(answer.value) else None


def _european(answer: Answer) -> str | None:
    """A comma behind the first of two or three digits parts no thousands."""
    if len(answer.value) not in (2, 3) or not answer.value.isdigit():
        return None
    return f"<answer>{answer.value[0]},{answer.value[1:]}</answer>"


def _squared(answer: Answer) -> str | None:
    return f"\\boxed{{{answer.value}^2}}" if answer.whole and float(answer.value) not in (0, 1) else None


def _moved(answer: Answer, by: int) -> str:
    whole, point, rest = answer.value.partition(".")
    return f"{int(whole) + by}{point}{rest}"


WRONG: Final = (
    Form("one more", "marker", lambda a: f"#### {_moved(a, 1)}"),
    Form("one less", "marker", lambda a: f"#### {_moved(a, -1)}" if a.whole else None),
    Form("two digits swapped", "marker", _swapped),
    Form("the other sign", "marker", _negated),
    Form("a list of two", "marker", lambda a: f"#### {a.value}, {_moved(a, 1)}"),
    Form("this or that", "marker", lambda a: f"#### {_moved(a, 1)} or {a.value}"),
    Form("a range", "marker", lambda a: f"#### {a.value}-{_moved(a, 1)}"),
    Form("ten times", "marker", lambda a: f"#### {a.value.replace('.', '')}0" if float(a.value) else None),
    Form("a hundredth as per cent", "marker", lambda a: f"#### {a.value}00%" if a.whole and float(a.value) else None),
    Form("denied", "marker", lambda a: f"#### not {a.value}"),
    Form("another problem's", "marker", lambda a: f"#### {a.next_value}" if a.next_value != a.value else None),
    Form("empty", "marker", lambda a: "#### "),
    Form("only thought", "marker", lambda a: f"<think>#### {a.value}</think>"),
    Form("a digit more", "boxed", lambda a: f"\\boxed{{{a.value}1}}"),
    Form("an unclosed box", "boxed", lambda a: f"\\boxed{{{a.value}"),
    Form("an unclosed tag", "tag", lambda a: f"<answer>{a.value}"),
    Form("a comma for the point", "tag", _european),
    Form("math: one more", "math", lambda a: f"\\boxed{{{_moved(a, 1)}}}"),
    Form("math: squared", "math", _squared),
)  # fmt: skip


class Count(NamedTuple):
    """What one form was judged: how often, and where it was judged wrongly."""

    form: Form
    right: bool
    judged: int
    mistakes: list[str]


def answers(texts: list[str]) -> list[Answer]:
    """The problems of GSM8K's answer texts (reasoning, then ``#### VALUE``)."""
    parts = [text.rsplit("####", 1) for text in texts]
    values = [value.strip().replace(",", "") for _, value in parts]
    return [
        Answer(reasoning, value, after)
        for (reasoning, _), value, after in zip(parts, values, values[1:] + values[:1], strict=True)
    ]


def judge_all(problems: list[Answer]) -> Iterator[Count]:
    """Every form of every answer, judged."""
    for right, forms in ((True, RIGHT), (False, WRONG)):
        for form in forms:
            written = [(form.write(answer), answer) for answer in problems]
            # Numbers after the answer would be another answer to the extractor of the last number.
            items = [(answer.reasoning + text, answer.value, None) for text, answer in written if text is not None]
            found = VERIFIERS[form.verifier].judge_many(items)
            mistakes = [
                f"{item[0][len(item[0]) - 60 :]!r} against {item[1]}: {judgement.verdict}"
                for item, judgement in zip(items, found, strict=True)
                if (judgement.verdict == "correct") is not right or judgement.verdict == "error"
            ]
            yield Count(form, right, len(items), mistakes)


def read(folder: Path) -> list[str]:
    """The answer texts of a folder with GSM8K's files."""
    files = [folder / name for name in ("train.jsonl", "test.jsonl")]
    return [json.loads(line)["answer"] for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def main(folder: str) -> int:
    """Judge, print the table; 1 when a verdict was wrong."""
    say, problems = sys.stdout.write, answers(read(Path(folder)))
    began, wrong, judged = time.perf_counter(), 0, 0
    say(f"{len(problems):,} answers\n")
    for count in judge_all(problems):
        wrong, judged = wrong + len(count.mistakes), judged + count.judged
        kind = "right" if count.right else "wrong"
        say(f"{kind}  {count.form.name:<32}{count.judged:>7,} judged {len(count.mistakes):>5} mistakes\n")
        for mistake in count.mistakes[:5]:
            say(f"       {mistake}\n")
    say(f"{judged:,} verdicts, {wrong} mistakes, {time.perf_counter() - began:.1f} s\n")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
