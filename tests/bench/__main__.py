"""``make bench``: the budgets of the design, each measured beside a reference in the same run; prints both figures.

Never part of the test suite. Machines are noisy, so the ratio is what counts; the last column says whether the budget
held here. Exit 1 when one did not.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.figures import Figure
from tests.bench.hostile import hostile_files
from tests.bench.start_up import reading, start_up
from tests.bench.verifier import choices, mathematics
from tests.bench.verify import verify_rates


def rate(work: Callable[[], int]) -> float:
    """Items a second, the best of three."""
    best = 0.0
    for _ in range(3):
        began = time.perf_counter()
        count = work()
        best = max(best, count / (time.perf_counter() - began))
    return best


def verdicts() -> Figure:
    """Numeric verdicts a second on one core, beside the shortest regular expression that reads the same."""
    import re

    from sdrl.verifier import Verifier

    program = {"version": 1, "type": "number", "extract": {"kind": "marker", "marker": "####"}, "take": "last"}
    program |= {"tolerance": {"abs": "1e-6", "rel": "0"}, "options": None, "ignore_case": True, "separator": None}
    verifier = Verifier.from_program(program)
    items = [(f"12 + {n} = {12 + n}\n#### {12 + n}", str(12 + n), None) for n in range(20_000)]
    pattern = re.compile(r"####\s*(-?[\d.,]+)\s*$")

    def plain() -> int:
        for text, gold, _ in items:
            found = pattern.search(text)
            _ = found is not None and float(found[1]) == float(gold)
        return len(items)

    ours = rate(lambda: len(verifier.judge_many(items)))
    reference = rate(plain)
    return Figure(
        "numeric verdicts",
        f"{ours:,.0f}/s",
        f"{reference:,.0f}/s bare regex",
        ours / reference,
        "≥ 100,000/s",
        ours >= 1e5,
    )


def passages() -> list[Figure]:
    """Indexing 20,000 passages beside Tantivy called by hand, and the time of a search for 100."""
    import random

    import tantivy

    from sdrl.corpus import Passage, build_index, open_index

    words = [f"word{n}" for n in range(20_000)]
    luck = random.Random(1)
    weights = [1 / (n + 1) for n in range(len(words))]
    texts = [" ".join(luck.choices(words, weights, k=100)) for _ in range(20_000)]

    def by_hand() -> int:
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("id", stored=True, tokenizer_name="raw")
        builder.add_text_field("text", stored=True, tokenizer_name="en_stem")
        with tempfile.TemporaryDirectory() as folder:
            index = tantivy.Index(builder.build(), path=folder)
            writer = index.writer(heap_size=128_000_000, num_threads=1)
            for number, text in enumerate(texts):
                writer.add_document(tantivy.Document(id=str(number), text=text))
            writer.commit()
            writer.wait_merging_threads()
        return len(texts)

    with tempfile.TemporaryDirectory() as store:
        turns = iter(range(9))

        def through_sdrl() -> int:
            turn = next(turns)  # another id makes another index: an equal one would only be found again
            build_index((Passage(f"{turn}-{n}", text) for n, text in enumerate(texts)), Path(store))
            return len(texts)

        ours, reference = rate(through_sdrl), rate(by_hand)
        index = open_index(next((Path(store) / "indexes").iterdir()))
        times = []
        for n in range(200):
            began = time.perf_counter()
            index.search_keywords([f"word{n * 7}", f"word{n * 3 + 1}"], 100)
            times.append((time.perf_counter() - began) * 1000)
    p95 = sorted(times)[int(len(times) * 0.95)]
    return [
        Figure(
            "passages indexed",
            f"{ours:,.0f}/s",
            f"{reference:,.0f}/s Tantivy by hand",
            ours / reference,
            "≥ 20,000/s",
            ours >= 2e4,
        ),
        Figure("search, top 100, p95", f"{p95:.1f} ms", "", 0.0, "≤ 10 ms", p95 <= 10),
    ]


def main() -> int:
    """Measure, print the table, say whether every budget held."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    figures = [
        *start_up(),
        reading(),
        hostile_files(),
        verdicts(),
        choices(),
        mathematics(),
        *verify_rates(),
        *passages(),
    ]
    print(f"{'what':<24}{'sdrl':>14}   {'reference':<40}{'ratio':>7}   {'budget':<14}held")
    for each in figures:
        ratio = f"{each.ratio:.2f}" if each.ratio else ""
        held = "yes" if each.held else "NO"
        print(f"{each.what:<24}{each.ours:>14}   {each.reference:<40}{ratio:>7}   {each.budget:<14}{held}")
    return 0 if all(each.held for each in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
