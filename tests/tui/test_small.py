"""A terminal that is too small says so in one line, and all is there again when it grows."""

from __future__ import annotations

from pathlib import Path

import pytest
from sdrl_tui.help import HelpScreen
from sdrl_tui.prompt import Prompt
from sdrl_tui.small import LEAST_HEIGHT, LEAST_WIDTH

from tests.tui.driving import app_on, screen_text, settle

SPEC = "sdrl: 1\nname: sums\nseed: 3\n"
SMALL = ((LEAST_WIDTH - 1, 24), (80, LEAST_HEIGHT - 1), (1, 1))


def words(shown: str) -> str:
    """What is written, without line ends and margins."""
    return " ".join(shown.split())


@pytest.mark.parametrize("size", SMALL)
async def test_below_forty_by_twelve_there_is_one_line_and_growing_brings_all_back(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    fresh = app_on(tmp_path, SPEC, keeps_journal=False)
    async with fresh.run_test(size=(80, 24)) as pilot:
        await settle(fresh, pilot)
        fresh.query_one(Prompt).put("two words")
        await settle(fresh, pilot)
        wanted = screen_text(fresh)
    app = app_on(tmp_path, SPEC, keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pilot.press(*"two ")
        await pilot.resize_terminal(*size)
        await settle(app, pilot)
        told = f"make the terminal larger (40x12 at least), {size[0]}x{size[1]} now"
        if size[0] * size[1] >= len(told) * 1.2:
            assert words(screen_text(app)) == told
        await pilot.press(*"words")  # not seen, and not lost
        await settle(app, pilot)
        await pilot.resize_terminal(80, 24)
        await settle(app, pilot)
        assert screen_text(app) == wanted


async def test_at_forty_by_twelve_there_is_a_screen(tmp_path: Path) -> None:
    app = app_on(tmp_path, SPEC, keeps_journal=False)
    async with app.run_test(size=(LEAST_WIDTH, LEAST_HEIGHT)) as pilot:
        await settle(app, pilot)
        assert "make the terminal larger" not in screen_text(app)
        assert "write, or / for commands" in screen_text(app)


async def test_a_start_in_a_small_terminal_is_that_of_a_large_one_when_it_grows(tmp_path: Path) -> None:
    shown = []
    for size in ((20, 5), (160, 48)):
        app = app_on(tmp_path, SPEC, keeps_journal=False)
        async with app.run_test(size=size) as pilot:
            await settle(app, pilot)
            await pilot.press("f3")
            await settle(app, pilot)
            await pilot.resize_terminal(160, 48)
            await settle(app, pilot)
            shown.append(screen_text(app))
    assert shown[0] == shown[1]


async def test_the_panel_in_view_and_the_help_over_it_are_there_again(tmp_path: Path) -> None:
    app = app_on(tmp_path, SPEC, keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pilot.press("f3")
        await settle(app, pilot)
        panel, focused = screen_text(app), app.focused
        await pilot.press("f1")
        await settle(app, pilot)
        helped = screen_text(app)
        await pilot.resize_terminal(30, 10)
        await settle(app, pilot)
        assert words(screen_text(app)) == "make the terminal larger (40x12 at least), 30x10 now"
        await pilot.resize_terminal(80, 24)
        await settle(app, pilot)
        assert isinstance(app.screen, HelpScreen) and screen_text(app) == helped
        await pilot.resize_terminal(30, 10)
        await pilot.press("escape")
        await pilot.resize_terminal(80, 24)
        await settle(app, pilot)
        assert screen_text(app) == panel and app.focused is focused
