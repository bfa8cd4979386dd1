"""docs/scale.md says what plans say: its tables are printed anew and looked for on the page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.compiler import scale

PAGE = (Path(__file__).parents[2] / "docs" / "scale.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("table", [scale.asked, scale.hours, scale.memory])
def test_the_table_on_the_page_is_what_the_plans_say(table: Callable[[], Iterable[str]]) -> None:
    assert "\n".join(table()) in PAGE


def test_the_text_names_the_rates_that_the_tables_use() -> None:
    said = set(re.findall(r"[\d,.]+", PAGE))
    assert {f"{rate:,g}" for rate in (scale.DRAW_BYTES, scale.SERVED, scale.UPDATE_S, scale.IN_FLIGHT)} <= said


def test_a_store_of_the_demo_has_the_size_that_the_formula_gives() -> None:
    """18,624 draws of 1,733 requests left 7,303,168 bytes; bodies and replies are 2,309,485 bytes of text."""
    assert 18_624 * scale.DRAW_BYTES + 2_309_485 == pytest.approx(7_303_168, rel=0.02)


def test_larger_updates_are_fewer() -> None:
    assert -(-1_000_000 * 5 // 256) == 19_532
    assert "19,532" in PAGE
    host = 4 * scale.shape("Qwen/Qwen2.5-7B").parameters * 8 / 1e9
    assert f"{host:.0f} GB for 7B on eight" in PAGE
