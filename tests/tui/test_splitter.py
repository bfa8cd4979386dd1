"""The line between chat and panel: by mouse, by keys, by command; kept for the next start."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from sdrl_tui.app import SdrlApp
from sdrl_tui.body import AROUND, HALF, LEAST_WIDTH, STEP, Splitter
from sdrl_tui.settings import MOST_SHARE, Settings
from textual.events import MouseMove
from textual.pilot import Pilot

from tests.tui.driving import app_on, screen_text, settle, write
from tests.tui.test_terminal import started

WIDE = (160, 48)
LOOKS = 3_000
GSM8K = Path("specs/gsm8k.yaml").read_text(encoding="utf-8")
PRESS, DRAG, LET_GO = (0, "M"), (32, "M"), (0, "m")  # as xterm numbers them


def mouse(what: tuple[int, str], column: int) -> bytes:
    """What a terminal sends for it on its tenth line; columns count from 1."""
    return f"\x1b[<{what[0]};{column};10{what[1]}".encode()


def widths(app: SdrlApp) -> tuple[int, int]:
    """Columns of chat and side."""
    return app.query_one("#chat").size.width, app.query_one("#side").size.width


async def drag(app: SdrlApp, pilot: Pilot[None], column: int, *, button: int = 1) -> None:
    """The line, by its middle, to a column."""
    line = app.query_one(Splitter)
    await pilot.mouse_down(line, offset=(0, 10))
    await pilot._post_mouse_events([MouseMove], offset=(column, 12), button=button)
    await settle(app, pilot)
    await pilot.mouse_up(offset=(column, 12))
    await settle(app, pilot)


async def test_the_line_is_where_it_is_dragged_to_and_at_the_next_start_too(tmp_path: Path) -> None:
    app = app_on(tmp_path, "sdrl: 1\n", keeps_journal=False)
    async with app.run_test(size=WIDE) as pilot:
        await settle(app, pilot)
        assert abs(widths(app)[0] - widths(app)[1]) <= 1
        for column in (40, 80, 111):
            await drag(app, pilot, column)
            found = widths(app)
            assert abs(found[0] - column) <= 1 and sum(found) == WIDE[0] - 1
            assert app.query_one(Splitter).region.x == found[0]
            await pilot.hover(offset=(20, 20))  # the button is not held any more
            assert widths(app) == found
    again = app_on(tmp_path, keeps_journal=False)
    async with again.run_test(size=WIDE) as pilot:
        await settle(again, pilot)
        assert widths(again) == found


async def test_neither_side_can_be_dragged_away(tmp_path: Path) -> None:
    app = app_on(tmp_path, "sdrl: 1\n", keeps_journal=False)
    async with app.run_test(size=(110, 30)) as pilot:
        await settle(app, pilot)
        for column in (0, 109):
            await drag(app, pilot, column)
            assert min(widths(app)) >= LEAST_WIDTH
            assert sum(widths(app)) == 109
            assert app.query_one(Splitter).region.x == widths(app)[0]
        assert app.settings.share == MOST_SHARE


async def test_two_clicks_on_the_line_give_half_each(tmp_path: Path) -> None:
    app = app_on(tmp_path, "sdrl: 1\n", keeps_journal=False)
    async with app.run_test(size=WIDE) as pilot:
        await settle(app, pilot)
        await drag(app, pilot, 50)
        assert app.settings.share != HALF
        await pilot.double_click(Splitter)
        await settle(app, pilot)
        assert (app.settings.share, Settings.read().share) == (HALF, HALF)
        assert abs(widths(app)[0] - widths(app)[1]) <= 1


async def test_a_button_that_is_let_go_outside_ends_the_dragging(tmp_path: Path) -> None:
    app = app_on(tmp_path, "sdrl: 1\n", keeps_journal=False)
    async with app.run_test(size=WIDE) as pilot:
        await settle(app, pilot)
        await pilot.mouse_down(Splitter, offset=(0, 10))
        assert app.mouse_captured is app.query_one(Splitter)
        await pilot.hover(offset=(30, 12))
        assert app.mouse_captured is None
        assert abs(widths(app)[0] - widths(app)[1]) <= 1


async def test_keys_and_commands_do_what_the_mouse_does(tmp_path: Path) -> None:
    app = app_on(tmp_path, "sdrl: 1\n", keeps_journal=False)
    async with app.run_test(size=WIDE) as pilot:
        await settle(app, pilot)
        before = widths(app)[0]
        await pilot.press("alt+right")
        await settle(app, pilot)
        assert (app.settings.share, widths(app)[0] - before) == (HALF + STEP, round((WIDE[0] - 1) * STEP / 100))
        await pilot.press("alt+left", "alt+left")
        await settle(app, pilot)
        assert app.settings.share == HALF - STEP
        await write(app, pilot, "/wider 62")
        assert (app.settings.share, Settings.read().share) == (62, 62)
        await write(app, pilot, "/narrower much")
        assert app.settings.share == 62
        assert "is no part of the room" in " ".join(each.message for each in app._notifications)


async def test_a_narrow_terminal_has_no_line_and_says_where_there_is_one(tmp_path: Path) -> None:
    app = app_on(tmp_path, "sdrl: 1\n", keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        assert not app.query_one(Splitter).is_on_screen
        assert widths(app)[0] == 80
        await write(app, pilot, "/wider 70")
        assert "the chat takes 70 %" in " ".join(each.message for each in app._notifications)
        assert widths(app)[0] == 80
        await pilot.resize_terminal(*WIDE)
        await settle(app, pilot)
        assert widths(app) == (111, 48)


async def test_a_panel_is_made_for_the_room_it_has(tmp_path: Path) -> None:
    app = app_on(tmp_path, GSM8K, keeps_journal=False)
    async with app.run_test(size=WIDE) as pilot:
        await settle(app, pilot)
        await pilot.press("f6")
        await settle(app, pilot)
        for size in ((60, 20), (80, 24), (120, 40), (200, 60)):
            await pilot.resize_terminal(*size)
            await settle(app, pilot)
            room = (size[0] if size[0] < 100 else app.query_one("#side").size.width) - AROUND
            for _ in range(LOOKS):
                if app.state.columns == room:  # it is told after a pause
                    break
                await pilot.pause(0.02)
            await settle(app, pilot)
            panel = app.state.panels["plan"]
            widest = max(map(len, panel.lines))
            assert room * 2 // 3 < widest <= room == app.state.columns
            top = [line.rstrip() for line in screen_text(app).split("\n")][2:14]
            assert all(any(line in each for each in top) for line in panel.lines[:8])  # whole: no line is broken again


@pytest.mark.parametrize("kept", ["much", -4, 1000, None, 1e400])
def test_a_part_that_is_none_costs_no_start(own_folders: Path, kept: object) -> None:
    (own_folders / "state" / "sdrl" / "app.json").write_text(json.dumps({"theme": "nord", "share": kept}))
    assert 100 - MOST_SHARE <= Settings.read().share <= MOST_SHARE


def test_in_a_real_terminal_it_is_dragged_by_the_mouse(tmp_path: Path, own_folders: Path) -> None:
    with started([sys.executable, "-m", "sdrl_tui", "mine.yaml"], tmp_path, size=WIDE) as terminal:
        terminal.read_until(b"What shall the spec be called?")
        terminal.seen = b""
        terminal.type(mouse(PRESS, 80))
        terminal.read_until("█".encode())  # the line stands out while it is held
        for what, column in ((DRAG, 70), (DRAG, 61), (LET_GO, 61)):
            terminal.type(mouse(what, column))
        kept = own_folders / "state" / "sdrl" / "app.json"
        terminal.read_while(lambda: "share" not in kept.read_text())
        terminal.type(b"\x11")  # ctrl+q
        terminal.read_while(lambda: terminal.process.poll() is None)
        assert terminal.process.returncode == 0
    assert json.loads(kept.read_text())["share"] == 60.5 * 100 / (WIDE[0] - 1)
