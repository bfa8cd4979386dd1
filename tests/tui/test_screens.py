"""The screens look as they were last looked at, at 80 by 24 and at 160 by 48; docs/tui.md shows them."""

from __future__ import annotations

import pytest

from tests.tui.screens import PAGE, SIZES, golden, screens, with_screens


@pytest.mark.parametrize(("width", "height"), SIZES)
async def test_the_screens_are_the_kept_ones(width: int, height: int) -> None:
    for name, text in (await screens(width, height)).items():
        assert text + "\n" == golden(name, width).read_text(encoding="utf-8"), (
            f"{name} at {width} by {height} looks otherwise: run 'python -m tests.tui.screens' and look at the diff"
        )


def test_the_page_shows_the_kept_screens() -> None:
    names = ("interview", "card", "issues", "run", "run-done")
    page = PAGE.read_text(encoding="utf-8")
    assert with_screens(page, {name: golden(name, 80).read_text(encoding="utf-8")[:-1] for name in names}) == page
    assert all(f"<!-- screen: {name} -->" in page for name in names)
