"""Everything can be reached: by keys alone, with keys that a terminal swallows, and by mouse."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from sdrl_tui.app import SdrlApp
from sdrl_tui.help import HelpScreen
from sdrl_tui.keys import KeyLine
from sdrl_tui.palette import ActionProvider
from sdrl_tui.prompt import Prompt
from sdrl_tui.spec_editor import SpecEditor
from textual import events
from textual.command import CommandList
from textual.pilot import Pilot
from textual.widgets import OptionList, Static

from sdrl.authoring.actions import ACTIONS, event_of
from sdrl.authoring.events import Acted
from sdrl.authoring.state import PANELS
from sdrl.cli.main import main
from sdrl.models.assistant import Reply
from sdrl.spec.edits import Edit
from tests.tui.driving import app_on, screen_text, settle, write
from tests.tui.fakes import ScriptedFakeAssistant

GSM8K = Path("specs/gsm8k.yaml").read_text(encoding="utf-8")
WRONG = GSM8K.replace("type: number", "type: nummer").replace("usd: 150", "usd: many")
SWALLOWED = {"ctrl+b", "ctrl+o", "ctrl+j", "ctrl+s"}  # by tmux, screen and a terminal's flow control
MOST_S = 60.0


def place(app: SdrlApp, text: str, *, nth: int = 0) -> tuple[int, int]:
    """Where a text stands on the screen: column and line."""
    found = [(line.index(text), at) for at, line in enumerate(screen_text(app).split("\n")) if text in line]
    return found[nth]


async def wait(app: SdrlApp, pilot: Pilot[None], text: str) -> None:
    """Until a text stands on the screen."""
    end = time.monotonic() + MOST_S
    while text not in screen_text(app):
        assert time.monotonic() < end, screen_text(app)
        await pilot.pause(0.01)


def test_every_action_has_an_id_a_help_line_and_its_slash_command() -> None:
    for name, action in ACTIONS.items():
        assert action.id == name and action.title and action.help
        assert event_of(f"/{name}") == Acted(name)


async def test_every_action_is_in_menu_palette_and_help(tmp_path: Path) -> None:
    app = app_on(tmp_path, GSM8K, keeps_journal=False)
    async with app.run_test(size=(160, 48)) as pilot:
        await settle(app, pilot)
        hits = [hit async for hit in ActionProvider(app.screen).discover()]
        assert {str(hit.text) for hit in hits} == {ActionProvider(app.screen)._shown(each) for each in ACTIONS.values()}
        await pilot.press("slash")
        await settle(app, pilot)
        menu = app.query_one("#menu", OptionList)
        assert {str(option.id) for option in menu.options} == set(ACTIONS)
        await pilot.press("f1")
        await settle(app, pilot)
        told = "\n".join(str(part.render()) for part in app.screen.query(Static))
        assert isinstance(app.screen, HelpScreen) and told
        commands = [
            cell for part in app.screen._parts() if not hasattr(part, "plain") for cell in part.columns[0].cells
        ]
        assert {str(cell).split()[0] for cell in commands if str(cell).startswith("/")} >= {
            f"/{name}" for name in ACTIONS
        }


async def test_with_keys_swallowed_all_is_reached_by_command_palette_and_mouse(tmp_path: Path) -> None:
    app = app_on(tmp_path, keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await write(app, pilot, "sums")
        prompt = app.query_one(Prompt)
        prompt.put("one\\")
        await pilot.press("enter", "t", "w", "o")  # a line more without ctrl+j
        assert prompt.text == "one\ntwo"
        prompt.put("")
        await pilot.press(*"/save", "enter")
        await wait(app, pilot, "✓ saved")
        app.dispatch(Acted("set", "seed 3"))
        await wait(app, pilot, "● not saved")
        await pilot.click(offset=place(app, "^s save"))
        await wait(app, pilot, "✓ saved")
        app.dispatch(Acted("set", "seed 4"))
        await pilot.press("ctrl+p", *"save the")
        end = time.monotonic() + MOST_S
        found = app.screen.query_one(CommandList)
        while not found.option_count or "Save the spec" not in str(found.get_option_at_index(0).prompt):
            assert time.monotonic() < end
            await pilot.pause(0.01)
        found.highlighted = 0
        await pilot.press("enter")
        await wait(app, pilot, "✓ saved")
    for action in ACTIONS.values():
        assert not action.keys or event_of(f"/{action.id}") == Acted(action.id)
    assert not SWALLOWED & {key for name in ("help", "palette", "quit", "spec", "issues") for key in ACTIONS[name].keys}


async def test_a_paste_of_five_thousand_lines_is_text_and_sends_nothing(tmp_path: Path) -> None:
    app = app_on(tmp_path, GSM8K, keeps_journal=False)
    text = "".join(f"line {at} of what was copied\n" for at in range(5000))
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        turns = app.state.turns
        app.post_message(events.Paste(text))  # as it comes from a terminal
        await settle(app, pilot)
        assert app.query_one(Prompt).text == text
        assert app.state.turns == turns
        app.hearing.tell_draft()
        assert app.state.draft == text


async def test_up_and_down_walk_the_history_and_keep_what_is_half_written(tmp_path: Path) -> None:
    app = app_on(tmp_path, GSM8K, keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await write(app, pilot, "first", "second")
        prompt = app.query_one(Prompt)
        prompt.put("half")
        seen = []
        for key in ("up", "up", "up", "down", "down", "down"):
            await pilot.press(key)
            seen.append(prompt.text)
        assert seen == ["second", "first", "first", "second", "half", "half"]


async def test_the_menu_tells_arguments_and_a_mistyped_command_its_nearest(tmp_path: Path) -> None:
    app = app_on(tmp_path, GSM8K, keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash", *"accept")
        await settle(app, pilot)
        assert "/accept [CARD] [FIELD…]  Accept a proposed change" in screen_text(app)
        await pilot.press(*" 1")
        await settle(app, pilot)
        assert "/accept [CARD]" in screen_text(app)  # its arguments stay in view while they are written
        app.query_one(Prompt).put("word /plan")
        await settle(app, pilot)
        assert not app.query_one("#menu").display  # at the first column alone
        await write(app, pilot, "/vailidate", "/plna")
        assert "there is no /plna; did you mean /plan?" in app.state.turns[-1].text


async def test_the_next_problem_comes_round_and_they_are_those_of_validate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = app_on(tmp_path, WRONG, keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        issues = app.state.issues
        assert len(issues) > 1
        places = []
        for _ in range(len(issues) + 1):
            await pilot.press("ctrl+n")
            await settle(app, pilot)
            places.append(app.query_one(SpecEditor).cursor_location)
        assert places[0] == places[-1] and len(set(places)) == len(issues)
        assert places[:-1] == [((issue.line or 1) - 1, (issue.column or 1) - 1) for issue in issues]
    assert main(["validate", "--format", "json", str(tmp_path / "task.yaml")]) == 1
    told = json.loads(capsys.readouterr().out)["diagnostics"]
    assert [each["code"] for each in told] == [issue.code for issue in issues]


async def test_every_panel_has_its_own_help_and_escape_leads_back_from_each(tmp_path: Path) -> None:
    app, titles = app_on(tmp_path, "sdrl: 1\nname: sums\n", keeps_journal=False), {}
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        prompt = app.query_one(Prompt)
        for panel in PANELS:
            app.start_action(panel)
            await settle(app, pilot)
            assert app.where == panel and app.focused is not prompt
            assert not [each for each in app.screen.query("*") if each.show_horizontal_scrollbar]
            await pilot.press("f1")
            await pilot.pause()
            assert isinstance(app.screen, HelpScreen)
            titles[panel] = screen_text(app).split("escape closes this")[0].split("│")[-1].strip()
            await pilot.press("escape", "escape")
            assert app.focused is prompt
    assert len(set(titles.values())) == len(PANELS)


async def test_tab_goes_through_what_is_in_view_and_is_caught_nowhere_but_in_the_editor(tmp_path: Path) -> None:
    app = app_on(tmp_path, GSM8K, keeps_journal=False)
    async with app.run_test(size=(160, 48)) as pilot:
        app.start_action("issues")
        await settle(app, pilot)
        await pilot.press("escape")
        prompt, visited = app.query_one(Prompt), list[object]()
        while app.focused is not prompt or not visited:
            assert len(visited) < 10
            await pilot.press("tab")
            assert app.focused is not None and app.focused.region.area > 0
            visited.append(app.focused)
        assert len(set(map(id, visited))) == len(visited) > 2
        await pilot.press("f2", "tab")  # which indents there
        assert isinstance(app.focused, SpecEditor) and app.focused.text != GSM8K
        await pilot.press("shift+tab")
        assert not isinstance(app.focused, SpecEditor)


async def test_a_click_goes_to_a_problem_changes_a_field_and_closes_what_is_open(tmp_path: Path) -> None:
    edits = (Edit("set", "budget.usd", 80),)
    app = app_on(tmp_path, WRONG, assistant=ScriptedFakeAssistant(Reply("So.", edits, "")), keeps_journal=False)
    async with app.run_test(size=(160, 48)) as pilot:
        await pilot.press("f3")
        await settle(app, pilot)
        await pilot.click(offset=place(app, "E205", nth=0))
        await settle(app, pilot)
        assert app.focused is app.query_one(SpecEditor)
        assert app.query_one(SpecEditor).here() == app.state.issues[0]
        await write(app, pilot, "/model fake http://127.0.0.1:9/v1", "cheaper")
        await pilot.click(offset=place(app, "+ 80"))
        assert app.query_one(Prompt).text == "/amend 1 budget.usd 80"
        await pilot.press("f1")
        await settle(app, pilot)
        await pilot.click(offset=(60, 20))
        assert isinstance(app.screen, HelpScreen)  # inside
        await pilot.click(offset=(1, 1))
        assert not isinstance(app.screen, HelpScreen)
        await pilot.hover(offset=place(app, "^p commands"))
        assert app.query_one(KeyLine).tooltip == ACTIONS["palette"].title
        await pilot.hover(offset=(5, 5))
        assert len(app.query("#turn-1")) == 1
        log = app.query_one("#log")
        for at in range(30):
            app.dispatch(Acted("set", f"seed {at}"))
        await settle(app, pilot)
        before = log.scroll_offset.y
        log.post_message(events.MouseScrollUp(log, 5, 5, 0, -1, 0, False, False, False, 5, 5))
        await settle(app, pilot)
        assert log.scroll_offset.y < before


async def test_an_answer_of_an_old_query_never_replaces_a_newer_one(tmp_path: Path) -> None:
    """Passages that take longer come later, unless somebody asked anew meanwhile."""
    import asyncio

    from sdrl.authoring.effects import Estimate, Show
    from sdrl.authoring.events import Event, Shown

    may_end = asyncio.Event()

    class SlowFirst:
        """A fake: the first query waits, the second does not."""

        async def make(self, effect: Show | Estimate) -> Event:
            assert isinstance(effect, Show)
            if effect.argument == "old":
                await may_end.wait()
            return Shown(effect.panel, effect.rev, "retrieve", (f"passages for {effect.argument}",))

        async def close(self) -> None:
            """Nothing to end."""

    app = app_on(tmp_path, GSM8K, keeps_journal=False, making=SlowFirst())
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        app.dispatch(Acted("retrieve", "old"))
        await pilot.pause()
        app.dispatch(Acted("retrieve", "new"))
        await wait(app, pilot, "passages for new") if app.screen.has_class("-side") else await settle(app, pilot)
        may_end.set()
        await settle(app, pilot)
        assert app.state.panels["retrieve"].lines == ("passages for new",)


async def test_of_a_thousand_turns_the_newest_are_mounted(tmp_path: Path) -> None:
    app = app_on(tmp_path, GSM8K, keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        while len(app.state.turns) < 1000:
            app.dispatch(Acted("explain", "E205"))
        await settle(app, pilot)
        assert len(app.state.turns) >= 1000
        assert 0 < len(app.query(".turn")) <= 60
        assert app.query_one(f"#turn-{app.state.turns[-1].id}")


def test_a_new_user_needs_no_more_than_forty_keys_beside_typing() -> None:
    script = Path("tests/authoring/scripts/gsm8k.script").read_text(encoding="utf-8")
    sent = [line for line in script.splitlines() if line.strip()]
    more = sum(json.loads(line)["text"].count("\n") for line in sent if line.startswith('{"event"'))
    assert len(sent) + more <= 40  # Enter for each line, ctrl+j for each line within one


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
async def test_a_command_typed_at_once_from_a_panel_is_whole(tmp_path: Path, size: tuple[int, int]) -> None:
    """All keys lie in the queue before the first of them is handled, as after a paste or on a busy machine."""
    app = app_on(tmp_path, GSM8K, keeps_journal=False)
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        await pilot.press("f10")
        await settle(app, pilot)
        for begin in ((), ("escape",)):
            app.query_one("#lines").focus()
            await settle(app, pilot)
            assert app.where == "samples"
            keys = [*begin, "/", *"diy", "enter"]  # d and y judge a sample where the panel hears them
            for key in keys:
                name = {"/": "slash"}.get(key, key)
                app.post_message(events.Key(name, key if len(key) == 1 else None))
            await settle(app, pilot)
            assert app.state.turns[-2].text == "/diy"
            assert "there is no /diy" in app.state.turns[-1].text
            app.main_screen.add_class("-side")
