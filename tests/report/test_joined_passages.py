"""A sample whose prompt showed several passages: its card and the table of passages know each of them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from sdrl.report.data import retrieval
from sdrl.report.run_data import RunData
from sdrl.report.samples import gallery
from sdrl.verifier import Verifier
from tests.report.fixture_run import VERIFIER

FOUND = [
    {"passage": {"id": name, "text": f"Text {name}.", "source": f"Book {name}", "license": "CC0-1.0"}, "score": score}
    for name, score in (("a", 1.0), ("b", 2.0), ("c", 3.0))
]
WRITTEN = {"id": "s", "input": "1 + 1?", "gold": "2", "options": None, "parent": None, "passage": "a+b", "votes": {}}


def run() -> RunData:
    """A run with one voted sample of two passages."""
    rows: dict[str, list[dict[str, Any]]] = {"retrieve": FOUND, "vote": [WRITTEN]}
    known = SimpleNamespace(
        rows=lambda stage: rows.get(stage, []),
        dropped=lambda stage: [],
        in_rounds=lambda kind: [],
        truth=list,
        verifier=Verifier.from_program(VERIFIER),
        plan={"verifier": VERIFIER},
    )
    return cast("RunData", known)


def test_the_table_counts_the_sample_for_each_of_its_passages() -> None:
    found = retrieval(run())
    assert found is not None
    assert found["used"] == 2
    assert [each["kept"] for each in found["thirds"]] == [1, 1, 0]


def test_the_card_shows_both_texts_and_whose_they_are() -> None:
    [card] = gallery(run()).samples
    said = str(card)
    for word in ("Text a.", "Text b.", "Book a; Book b", "CC0-1.0"):
        assert word in said
    assert said.count("CC0-1.0") == 1
