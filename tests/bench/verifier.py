"""Verdicts of the verifier beside the plainest thing that does the same: choices, and mathematics one by one.

``python -m tests.bench.verifier`` alone; part of ``make bench``. Choices are counted in processor time, as one core's.
Mathematics is compared by the clock with math-verify called directly as its documentation says (parse, parse, verify),
pair by pair in turn, each pair once, so that no cache helps either; ours waits for another process on a busy machine.
"""

from __future__ import annotations

import re
import statistics
import sys
import time
from collections.abc import Callable

from sdrl.verifier import Verifier
from tests.bench.figures import Figure

ROUNDS = 60
# What models write for MATH, as (prediction, gold); {n} and {m} make each pair a new one. All need math-verify.
PAIRS = (
    (r"\frac{{\sqrt{{{n}}}}}{{{m}}}", r"\sqrt{{{n}}}/{m}"),
    (r"x^2+{n}x+{m}", r"{m}+{n}x+x^2"),
    (r"(x+{n})(x-{n})", r"x^2-{n}^2"),
    (r"\left({n},{m}\right]", r"({n},{m})"),
    (r"{n},{m}", r"{m},{n}"),
    (r"x={n}\sqrt{{3}}", r"{n}\sqrt{{3}}"),
    (r"{n}\pi", r"{m}\pi"),
    (r"\left({n},\frac{{\pi}}{{{m}}}\right)", r"({n}, \pi/{m})"),
    (r"\begin{{pmatrix}}{n}\\{m}\end{{pmatrix}}", r"\begin{{pmatrix}}{m}\\{n}\end{{pmatrix}}"),
    (r"{n}+{m}i", r"{m}i+{n}"),
)


def _seconds(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    began = clock()
    work()
    return clock() - began


def choices() -> Figure:
    """Choice verdicts a second on one core, beside the shortest regular expression that reads the same."""
    program = {"version": 1, "type": "choice", "extract": {"kind": "tag", "name": "answer"}, "options": list("ABCD")}
    verifier, pattern = Verifier.from_program(program), re.compile(r"<answer>\s*\(?([A-D])\)?\.?\s*</answer>")
    forms = ("{}", "({})", "{}.", " {}\n")
    items = [
        (f"Because {n}.\n<answer>{forms[n % 4].format('ABCD'[n % 4])}</answer>", "ABCD"[n % 3], None)
        for n in range(20_000)
    ]

    def plain() -> None:
        for text, gold, _ in items:
            found = pattern.search(text)
            _ = found is not None and found[1] == gold

    ours = len(items) / min(_seconds(lambda: verifier.judge_many(items), time.process_time) for _ in range(3))
    reference = len(items) / min(_seconds(plain, time.process_time) for _ in range(3))
    return Figure(
        "choice verdicts",
        f"{ours:,.0f}/s",
        f"{reference:,.0f}/s bare regex",
        ours / reference,
        "≥ 100,000/s",
        ours >= 1e5,
    )


def mathematics() -> Figure:
    """The median time of one mathematical verdict, beside math-verify called directly."""
    from math_verify import parse, verify

    verifier = Verifier.from_program({"version": 1, "type": "math", "extract": {"kind": "boxed"}})

    def directly(said: str, gold: str) -> bool:
        return bool(verify(parse(f"${gold}$"), parse(said)))

    ours, theirs = [], []
    for turn in range(-1, ROUNDS):  # the first turn loads libraries and starts a worker
        for said, gold in PAIRS:
            one, two = (text.format(n=2 * turn + 7, m=3 * turn + 11) for text in (said, gold))
            completion = rf"Thus the answer is $\boxed{{{one}}}$."
            ours.append(_seconds(lambda completion=completion, two=two: verifier.judge(completion, two)))
            theirs.append(_seconds(lambda completion=completion, two=two: directly(completion, two)))
    mine, reference = (statistics.median(times[len(PAIRS) :]) * 1000 for times in (ours, theirs))
    ratio = mine / reference
    return Figure(
        "a mathematical verdict",
        f"{mine:.2f} ms",
        f"{reference:.2f} ms math-verify directly",
        ratio,
        "≤ 1.2 x",
        ratio <= 1.2,
    )


def main() -> int:
    """Both figures alone."""
    figures = [choices(), mathematics()]
    for each in figures:
        print(f"{each.what:<24}{each.ours:>14}   {each.reference:<40}{each.ratio:>7.2f}   {each.budget}")
    return 0 if all(each.held for each in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
