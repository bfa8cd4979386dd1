"""The screens look as they were last looked at, at 80 by 24 and at 160 by 48; docs/tui.md shows them."""

from __future__ import annotations

import re

import pytest

from tests.tui.panel_screens import COMPARED, panel_screens
from tests.tui.screens import PAGE, SIZES, golden, of_size, screens, with_screens


@pytest.mark.parametrize(("width", "height"), SIZES)
async def test_the_screens_are_the_kept_ones(width: int, height: int) -> None:
    panels = await panel_screens(width, height)
    for name, text in {**await screens(width, height), **{name: panels[name] for name in COMPARED}}.items():
        assert text + "\n" == golden(name, width).read_text(encoding="utf-8"), (
            f"{name} at {width} by {height} looks otherwise: run 'python -m tests.tui.screens' and look at the diff"
        )
    for text in panels.values():
        assert max(map(len, text.split("\n"))) <= width


def test_the_page_shows_every_panel_at_both_sizes_and_the_kept_screens_as_they_are() -> None:
    page = PAGE.read_text(encoding="utf-8")
    names = re.findall(r"<!-- screen: (\S+) -->", page)
    panels = ("spec", "issues", "prompt", "verify", "plan", "retrieve", "samples", "run", "run-done", "review")
    assert {of_size(name, width) for name in panels for width, _ in SIZES} <= set(names)
    kept = {
        of_size(*path.stem.rsplit("-", 1)[:1], int(path.stem.rsplit("-", 1)[1])): path
        for path in golden("x", 80).parent.iterdir()
    }
    shown = {name: kept[name].read_text(encoding="utf-8")[:-1] for name in names if name in kept}
    assert with_screens(page, shown) == page
