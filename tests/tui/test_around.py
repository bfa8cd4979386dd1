"""Around a spec: start, tour, help, own keys, colours, copying, an editor, a file changed outside."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from sdrl_tui.app import SdrlApp
from sdrl_tui.help import HelpScreen, TourScreen
from sdrl_tui.palette import ActionProvider
from sdrl_tui.prompt import Prompt
from sdrl_tui.settings import Settings

from sdrl.authoring.drawing import copied
from sdrl.authoring.state import Panel, State, Turn
from sdrl.models.assistant import Reply
from sdrl.spec.edits import Edit
from tests.tui.driving import app_on, screen_text, settle, write
from tests.tui.fakes import ScriptedFakeAssistant

GSM8K = Path("specs/gsm8k.yaml").read_text(encoding="utf-8")


def notices(app: SdrlApp) -> list[str]:
    return [each.message for each in app._notifications]


async def test_a_new_spec_begins_with_three_ways_and_an_example_opens_by_its_name(tmp_path: Path) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        shown = screen_text(app)
        assert all(words in shown for words in ("Answer questions", "Open an example", "Let a model help"))
        await write(app, pilot, "/example gsm8k")
        assert "Grade-school mathematics" in app.state.text
        assert app.state.turns and "task.yaml" in screen_text(app)


async def test_the_tour_comes_once_and_escape_ends_it(tmp_path: Path, own_folders: Path) -> None:
    kept = own_folders / "state" / "sdrl" / "app.json"
    kept.unlink()
    app = app_on(tmp_path, GSM8K, tours=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        assert isinstance(app.screen, TourScreen)
        steps = 1
        while steps < 10:
            await pilot.press("enter")
            if not isinstance(app.screen, TourScreen):
                break
            steps += 1
        assert steps <= 5
        assert json.loads(kept.read_text())["has_toured"] is True
        await write(app, pilot, "/tour")
        assert isinstance(app.screen, TourScreen)
        await pilot.press("escape")
        assert not isinstance(app.screen, TourScreen)
    again = app_on(tmp_path, tours=True)
    async with again.run_test(size=(80, 24)) as pilot:
        await settle(again, pilot)
        assert not isinstance(again.screen, TourScreen)


async def test_help_is_about_where_the_keyboard_is(tmp_path: Path) -> None:
    app = app_on(tmp_path, GSM8K)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        titles = []
        for key in ("f1", "f5", "f6"):
            if key != "f1":
                await pilot.press(key)
                await settle(app, pilot)
                await pilot.press("f1")
            else:
                await pilot.press(key)
            await pilot.pause()
            assert isinstance(app.screen, HelpScreen)
            titles.append(screen_text(app).split("escape closes this")[0].split("│")[-1].strip())
            await pilot.press("escape")
            assert not isinstance(app.screen, HelpScreen)
        assert len(set(titles)) == 3 and titles[0] == "The chat"


async def test_own_keys_work_and_are_what_key_line_help_and_palette_say(tmp_path: Path, own_folders: Path) -> None:
    folder = own_folders / "config" / "sdrl"
    folder.mkdir(parents=True)
    (folder / "keys.yaml").write_text("plan: f12\nsavee: f11\n", encoding="utf-8")
    app = app_on(tmp_path, GSM8K)
    async with app.run_test(size=(160, 48)) as pilot:
        await settle(app, pilot)
        assert notices(app)[0].startswith(
            f"{folder / 'keys.yaml'}:2:1: there is no action 'savee'; did you mean 'save'?"
        )
        assert "f12 plan" in screen_text(app)
        await pilot.press("f6")
        assert app.state.view != "plan"
        await pilot.press("f12")
        await settle(app, pilot)
        assert app.state.view == "plan"
        await write(app, pilot, "/help plan")
        assert "keys: f12" in screen_text(app)
        offered = [str(hit.text) async for hit in ActionProvider(app.screen).discover()]
        assert [each for each in offered if "/plan" in each] == ["Show the plan  /plan  f12"]


async def test_colours_are_kept_for_the_next_start(tmp_path: Path) -> None:
    for name in ("textual-light", "ansi-dark", "textual-dark"):
        app = app_on(tmp_path, GSM8K)
        async with app.run_test(size=(80, 24)) as pilot:
            await write(app, pilot, f"/theme {name}")
            assert app.theme == name
            assert "task.yaml" in screen_text(app)
        assert Settings.read().theme == name
        again = app_on(tmp_path)
        async with again.run_test(size=(80, 24)) as pilot:
            await settle(again, pilot)
            assert again.theme == name
    last = app_on(tmp_path)
    async with last.run_test(size=(80, 24)) as pilot:
        await write(last, pilot, "/theme textual-drak")
        assert "did you mean 'textual-dark'?" in notices(last)[-1]


async def test_what_is_copied_is_said_with_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    app = app_on(tmp_path, GSM8K)
    async with app.run_test(size=(80, 24)) as pilot:
        await write(app, pilot, "/copy spec")
        said = notices(app)[-1]
        kept = Path(said.rsplit(" in ", 1)[1])
        assert f"{len(GSM8K):,} characters" in said
        assert kept.read_text(encoding="utf-8") == GSM8K
        await write(app, pilot, "/copy nonsense")
        assert "/copy takes spec" in notices(app)[-1]


def test_what_can_be_copied_by_name() -> None:
    turns = (
        Turn(1, "assistant", "Write this:\n```yaml\nseed: 3\n```\nand this:\n```\nseed: 4\n```\n"),
        Turn(2, "note", "said"),
    )
    state = State(text=GSM8K, turns=turns, panels={"plan": Panel("plan", ("a", "b"))}, view="plan")
    assert copied(state, "spec") == GSM8K
    assert copied(state, "message") == "said"
    assert copied(state, "code") == "seed: 4\n"
    assert copied(state, "panel") == copied(state, "plan") == "a\nb"
    assert copied(state, "name") == "gsm8k"
    assert copied(state, "answer.extract") == '{"marker": "####"}'
    assert copied(state, "run") == "" and copied(state, "nope") is None


async def test_a_field_of_a_card_is_changed_before_it_is_taken(tmp_path: Path) -> None:
    reply = Reply("Cheaper now.", (Edit("set", "budget.usd", 80), Edit("set", "seed", 5)), "as you said")
    app = app_on(tmp_path, GSM8K, assistant=ScriptedFakeAssistant(reply))
    async with app.run_test(size=(80, 24)) as pilot:
        await write(app, pilot, "/model fake http://127.0.0.1:9/v1", "make it cheaper")
        await pilot.press("ctrl+e")
        prompt = app.query_one(Prompt)
        assert prompt.text == "/amend 1 budget.usd 80"
        await write(app, pilot, "/amend 1 budget.usd 95")
        assert app.state.text == GSM8K
        await write(app, pilot, "/accept 1 budget.usd")
        assert app.state.text == GSM8K.replace("usd: 150", "usd: 95")
        assert app.state.open_card is not None  # the other field still waits


async def test_another_editor_changes_the_spec_as_one_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A headless app cannot be suspended, so that here the suspension is a fake."""
    from contextlib import nullcontext

    app = app_on(tmp_path, GSM8K)
    script = tmp_path / "editor.py"
    script.write_text(
        "import pathlib, sys\nf = pathlib.Path(sys.argv[1])\nf.write_text(f.read_text() + 'seed: 9\\n')\n"
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        monkeypatch.setenv("EDITOR", "nano '")
        await pilot.press("f4")
        assert "EDITOR" in notices(app)[-1]
        monkeypatch.setenv("EDITOR", f"{sys.executable} {script}")
        await pilot.press("f4")
        assert "cannot be handed to an editor" in notices(app)[-1]
        monkeypatch.setattr(app, "suspend", nullcontext)
        await pilot.press("f4")
        await settle(app, pilot)
        assert app.state.text == GSM8K + "seed: 9\n"
        await write(app, pilot, "/undo")
        assert app.state.text == GSM8K
        monkeypatch.setenv("EDITOR", "no-such-editor")
        await pilot.press("f4")
        assert "nothing was changed" in notices(app)[-1]


async def test_a_file_changed_outside_can_be_compared_and_one_s_own_text_kept(tmp_path: Path) -> None:
    app = app_on(tmp_path, GSM8K)
    async with app.run_test(size=(80, 24)) as pilot:
        await write(app, pilot, "/set budget.usd 99")
        (tmp_path / "task.yaml").write_text(GSM8K + "seed: 3\n", encoding="utf-8")
        app._look_around()
        await settle(app, pilot)
        assert "/diff compares" in app.state.turns[-1].text
        await write(app, pilot, "/diff")
        said = app.state.turns[-1].text
        assert "-seed: 3" in said and "+budget: {usd: 99}" in said
        await write(app, pilot, "/keep", "/save")
    assert (tmp_path / "task.yaml").read_text(encoding="utf-8") == GSM8K.replace("usd: 150", "usd: 99")


def test_settings_that_are_damaged_cost_the_memory_and_no_start(own_folders: Path) -> None:
    file = own_folders / "state" / "sdrl" / "app.json"
    for text in ("", "[]", '{"recent": [1]}', '{"recent": 5}', "\x00"):
        file.write_text(text)
        assert Settings.read() == Settings()
    kept = Settings("nord", True)
    kept.opened(own_folders / "a.yaml")
    assert Settings.read() == kept and kept.recent[0][0].endswith("a.yaml")
