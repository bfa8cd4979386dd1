"""Long chats and panels by keys: earlier turns, pages, and letters that are never lost to them."""

from __future__ import annotations

from pathlib import Path

import pytest
from sdrl_tui.app import SdrlApp
from sdrl_tui.log import MOST_MOUNTED, Log
from sdrl_tui.prompt import Prompt
from textual.pilot import Pilot
from textual.widgets import OptionList

from sdrl.authoring.events import Acted, Answered, Said, Shown, Told
from sdrl.models.assistant import Reply
from tests.tui.driving import app_on, screen_text, settle, write
from tests.tui.fakes import ScriptedFakeAssistant

SPEC = "sdrl: 1\nname: sums\nseed: 3\n"
SIZE = (80, 24)


async def talk(app: SdrlApp, pilot: Pilot[None], turns: int) -> None:
    """A chat of so many turns, each told apart by its text."""
    while len(app.state.turns) < turns:
        app.dispatch(Acted("set", f"seed {len(app.state.turns)}"))
    await settle(app, pilot)


def mounted(app: SdrlApp) -> list[int]:
    """The numbers of the turns that are there, from above."""
    return [int(str(each.id).removeprefix("turn-")) for each in app.query(".turn")]


async def test_earlier_turns_come_fifty_at_a_time_by_a_click_and_the_place_is_kept(tmp_path: Path) -> None:
    app = app_on(tmp_path, SPEC, keeps_journal=False)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        await talk(app, pilot, 123)
        total = len(app.state.turns)
        left = total - MOST_MOUNTED
        assert mounted(app) == list(range(left + 1, total + 1))
        await pilot.press("ctrl+home")
        await settle(app, pilot)
        lines = screen_text(app).split("\n")
        line = next(at for at, each in enumerate(lines) if f"↑ {left} earlier turns: click or /earlier" in each)
        below = [each[:76].rstrip() for each in lines[line + 2 : 20]]  # without the scrollbar
        assert any(each.strip() for each in below)
        await pilot.click(offset=(lines[line].index("click"), line))
        await settle(app, pilot)
        assert mounted(app) == list(range(left - MOST_MOUNTED + 1, total + 1))
        assert [each[:76].rstrip() for each in screen_text(app).split("\n")[line + 2 : 20]] == below
        await pilot.press("ctrl+home")
        await settle(app, pilot)
        assert f"↑ {left - MOST_MOUNTED} earlier turns" in screen_text(app)


async def test_the_command_shows_them_from_the_end_too_and_says_where_there_are_none(tmp_path: Path) -> None:
    app = app_on(tmp_path, SPEC, keeps_journal=False)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        await write(app, pilot, "/earlier")
        assert "there is nothing earlier" in [*app._notifications][-1].message
        await talk(app, pilot, 70)
        total = len(app.state.turns)
        await write(app, pilot, "/earlier")
        assert mounted(app) == list(range(1, total + 1))
        seam = app.query_one(f"#turn-{total - MOST_MOUNTED + 1}")
        assert app.query_one(Log).region.contains_region(seam.region)
        assert not app.query_one("#earlier").display


async def test_nothing_goes_while_a_person_reads_further_up_and_what_they_send_leads_back(tmp_path: Path) -> None:
    app = app_on(tmp_path, SPEC, keeps_journal=False)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        await talk(app, pilot, 120)
        await write(app, pilot, "/earlier")
        log, before, place = app.query_one(Log), mounted(app), app.query_one(Log).scroll_offset
        app.dispatch(Told("a note that nobody asked for"))
        await settle(app, pilot)
        assert mounted(app) == [*before, app.state.turns[-1].id] and log.scroll_offset == place
        await write(app, pilot, "/set seed 5")
        assert log.is_at_end and "/set seed 5" in screen_text(app)
        await write(app, pilot, "/set seed 6")
        assert len(mounted(app)) == MOST_MOUNTED


async def test_an_answer_stands_before_what_was_said_while_it_came(tmp_path: Path) -> None:
    fake = ScriptedFakeAssistant(Reply("So it is.", (), ""), waits=True)
    app = app_on(tmp_path, SPEC, assistant=fake, keeps_journal=False)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        app.dispatch(Acted("model", "fake http://127.0.0.1:9/v1"))
        app.dispatch(Said("tell me"))
        app.dispatch(Told("a note"))
        app.draw()
        assert app.state.asking and mounted(app)[-1] == app.state.turns[-1].id
        app.dispatch(Answered(app.state.asking, "So it is."))
        app.draw()
        await pilot.pause()
        assert mounted(app) == [turn.id for turn in app.state.turns]
        shown = screen_text(app)
        assert shown.index("So it is.") < shown.index("a note")


async def test_another_spec_begins_with_its_newest_turns(tmp_path: Path) -> None:
    app = app_on(tmp_path, SPEC)
    (tmp_path / "other.yaml").write_text(SPEC)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        await talk(app, pilot, 130)
        await write(app, pilot, "/earlier", f"/open {tmp_path / 'other.yaml'}")
        assert mounted(app) == [turn.id for turn in app.state.turns]
        await talk(app, pilot, 70)
        await write(app, pilot, f"/open {tmp_path / 'task.yaml'}")
        assert len(mounted(app)) == MOST_MOUNTED


async def test_a_chat_that_is_all_in_view_stays_where_it_is(tmp_path: Path) -> None:
    app = app_on(tmp_path, SPEC, keeps_journal=False)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        before = screen_text(app)
        for key in ("pageup", "ctrl+home", "pagedown", "ctrl+end"):
            await pilot.press(key)
            await settle(app, pilot)
            assert screen_text(app) == before


async def test_pages_scroll_the_chat_while_the_prompt_s_text_is_in_view(tmp_path: Path) -> None:
    app = app_on(tmp_path, SPEC, keeps_journal=False)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        await talk(app, pilot, 60)
        log, prompt = app.query_one(Log), app.query_one(Prompt)
        places = [log.scroll_offset.y]
        await pilot.press(*"a j")
        for key in ("pageup", "pageup", "ctrl+home", "pagedown", "ctrl+end"):
            await pilot.press(key)
            await settle(app, pilot)
            places.append(log.scroll_offset.y)
        end, one, two, home, down, again = places
        assert end > one > two > home == 0 < down < end == again
        assert prompt.text == "a j" and app.focused is prompt
        prompt.put("\n".join("abcdefghij"))  # more than is in view: the keys are its own again
        await settle(app, pilot)
        await pilot.press("pageup")
        await settle(app, pilot)
        assert log.scroll_offset.y == log.max_scroll_y and prompt.cursor_location[0] < 9


async def test_a_panel_is_read_as_by_a_pager_and_the_panel_s_own_keys_go_before(tmp_path: Path) -> None:
    app = app_on(tmp_path, SPEC, keeps_journal=False)
    long = tuple(f"line {at}" for at in range(200))
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        await write(app, pilot, "/retrieve")
        app.dispatch(Shown("retrieve", app.state.rev, "retrieve", long))
        await settle(app, pilot)
        lines = app.query_one("#lines")
        places = []
        for key in ("j", "j", "k", "space", "G", "pageup", "g"):
            await pilot.press(key)
            await settle(app, pilot)
            places.append(lines.scroll_offset.y)
        assert places[:3] == [1, 2, 1]
        assert places[3] > 10 and places[4] == lines.max_scroll_y > places[5] > places[6] == 0
        assert app.query_one(Prompt).text == ""
        await pilot.press("slash")
        assert app.query_one(Prompt).text == "/"


async def test_g_in_the_samples_is_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app, heard = app_on(tmp_path, SPEC, keeps_journal=False), list[object]()
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        await write(app, pilot, "/samples")
        lines = app.query_one("#lines")
        app.query_one("#content").styles.height = 100
        await settle(app, pilot)
        await pilot.press("j", "j")
        await settle(app, pilot)
        assert lines.scroll_offset.y == 2
        monkeypatch.setattr(app, "dispatch", heard.append)
        await pilot.press("g", "y")
        assert heard == [Acted("samples", "go"), Acted("sample", "yes")]
        assert lines.scroll_offset.y == 2


async def test_issues_are_gone_through_by_letters_too(tmp_path: Path) -> None:
    app = app_on(tmp_path, SPEC + "a: 1\nb: 2\nc: 3\n", keeps_journal=False)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        await pilot.press("f3")
        await settle(app, pilot)
        issues, at = app.query_one("#issues", OptionList), list[int | None]()
        for key in ("j", "j", "k", "G", "g"):
            await pilot.press(key)
            at.append(issues.highlighted)
        assert at == [1, 2, 1, len(app.state.issues) - 1, 0] and len(app.state.issues) >= 3


async def test_the_help_scrolls_and_judges_nothing_behind_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app, heard = app_on(tmp_path, SPEC, keeps_journal=False), list[object]()
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        await write(app, pilot, "/samples")
        await pilot.press("f1")
        await settle(app, pilot)
        monkeypatch.setattr(app, "dispatch", heard.append)
        await pilot.press("y", "G")
        await settle(app, pilot)
        found = app.screen.query_one("#help")
        assert found.scroll_offset.y == found.max_scroll_y > 0 and not heard


async def test_a_letter_typed_after_a_click_into_the_chat_is_a_letter(tmp_path: Path) -> None:
    app = app_on(tmp_path, SPEC, keeps_journal=False)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        app.dispatch(Said("what now?"))
        await settle(app, pilot)
        await pilot.click("#log")
        assert app.focused is app.query_one(Log)
        await pilot.press(*"jkgG j")
        assert app.query_one(Prompt).text == "jkgG j"
