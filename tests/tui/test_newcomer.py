"""What somebody who knows nothing does first (docs/tryout-terminal.md): each mistake leads on, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from sdrl_tui.help import TourScreen
from sdrl_tui.palette import ActionProvider
from sdrl_tui.panel_process import InProcess, InThread
from sdrl_tui.prompt import Prompt
from textual.events import Key, Paste

from sdrl.authoring.effects import Examine
from sdrl.authoring.events import Examined
from sdrl.authoring.journal import journal_path
from tests.tui.driving import app_on, screen_text, settle, write
from tests.tui.test_around import GSM8K, notices


async def test_a_command_chosen_from_the_menu_runs(tmp_path: Path) -> None:
    app = app_on(tmp_path, GSM8K)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pilot.press("slash", "u", "n", "d", "o")
        await settle(app, pilot)
        await pilot.press("enter")
        await settle(app, pilot)
        assert app.state.turns[-1].text == "nothing to undo"
        await pilot.press("slash", "e", "x", "a", "m")
        await settle(app, pilot)
        await pilot.click("#menu", offset=(5, 0))
        await settle(app, pilot)
        assert "word-problems" in app.state.turns[-1].text
        assert app.focused is app.query_one(Prompt)


async def test_typing_after_a_click_into_the_chat_goes_to_the_prompt(tmp_path: Path) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pilot.click("#log", offset=(5, 3))
        assert app.focused is not app.query_one(Prompt)
        await pilot.press("s", "u", "m", "s", "enter")
        await settle(app, pilot)
        assert "name: sums" in app.state.text


async def test_a_slash_in_a_panel_begins_a_command(tmp_path: Path) -> None:
    app = app_on(tmp_path, GSM8K)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pilot.press("f6")
        await settle(app, pilot)
        await pilot.press("x", "slash")
        assert app.query_one(Prompt).text == "/"
        assert app.where == "chat"


async def test_help_leaves_the_panel_in_view(tmp_path: Path) -> None:
    app = app_on(tmp_path, GSM8K)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pilot.press("f6")
        await settle(app, pilot)
        await pilot.press("f1")
        await pilot.press("escape")
        await settle(app, pilot)
        assert app.where == "plan"


async def test_nothing_written_is_left_at_once(tmp_path: Path) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pilot.press("ctrl+q")
        await pilot.pause()
        assert not app.is_running


async def test_who_comes_back_is_told_where_they_were(tmp_path: Path) -> None:
    first = app_on(tmp_path)
    async with first.run_test(size=(80, 24)) as pilot:
        await write(first, pilot, "sums")
        await pilot.press("ctrl+q", "ctrl+q")
        await pilot.pause()
        assert not first.is_running
    again = app_on(tmp_path)
    async with again.run_test(size=(80, 24)) as pilot:
        await settle(again, pilot)
        shown = screen_text(again)
        assert "here you are again" in shown and "/quit" not in shown
        assert again.state.turns[-1].text.startswith("What is the task?")
        await pilot.press("ctrl+q")
        await settle(again, pilot)
        assert again.is_running  # it asks anew


async def test_a_spec_saved_under_another_name_takes_its_journal_along(tmp_path: Path) -> None:
    app = app_on(tmp_path)
    other = tmp_path / "sums.yaml"
    async with app.run_test(size=(80, 24)) as pilot:
        await write(app, pilot, "sums", f"/save {tmp_path / 'sums'}", "Adding numbers.")
        assert other.exists() and app.settings.recent[0][0] == str(other)
        assert journal_path(other).exists() and not journal_path(tmp_path / "task.yaml").exists()
    again = app_on(tmp_path)
    async with again.run_test(size=(80, 24)) as pilot:
        await settle(again, pilot)
        assert again.state.is_new
        await write(again, pilot, f"/open {other}")
        assert "Adding numbers." in again.state.text
        assert any(turn.text == "Adding numbers." for turn in again.state.turns)


async def test_a_journal_of_another_time_is_kept_when_a_spec_takes_its_name(tmp_path: Path) -> None:
    kept = journal_path(tmp_path / "sums.yaml")
    kept.parent.mkdir(parents=True)
    kept.write_text('{"event": "said", "text": "older"}\n', encoding="utf-8")
    app = app_on(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await write(app, pilot, "sums", f"/save {tmp_path / 'sums.yaml'}")
        assert "older" in kept.with_suffix(".journal.old").read_text(encoding="utf-8")
        assert "older" not in kept.read_text(encoding="utf-8")
        assert any("kept as sums.yaml.journal.old" in each for each in notices(app))


async def test_a_path_that_is_not_there_is_told_in_the_chat_and_counted(tmp_path: Path) -> None:
    app = app_on(tmp_path, GSM8K, examine_s=0.0, keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await write(app, pilot, "/set corpus [{files: [nowhere/*.txt]}]")
        shown = screen_text(app)
        assert "E542" in shown and "✗ 1 error" in shown
        await write(app, pilot, "/issues")
        assert "matches no file" in screen_text(app)


async def test_the_process_of_the_panels_examines_as_a_thread_does(tmp_path: Path) -> None:
    asked = Examine(3, str(tmp_path / "task.yaml"), GSM8K.replace("corpus:", "corpus:\n  - {files: [nowhere/*.txt]}"))
    making = InProcess()
    try:
        made = await making.make(asked)
    finally:
        await making.close()
    assert made == await InThread().make(asked)
    assert isinstance(made, Examined) and any(issue.code == "E542" for issue in made.issues)


async def test_the_palette_finds_what_a_person_calls_it(tmp_path: Path) -> None:
    app = app_on(tmp_path, GSM8K, keeps_journal=False)
    async with app.run_test(size=(80, 24)):
        provider = ActionProvider(app.screen)
        for word, command in (("cost", "/plan"), ("exit", "/quit"), ("verifier", "/verify")):
            hits = [hit async for hit in provider.search(word)]
            best = max(hits, key=lambda hit: hit.score)
            assert command in str(best.match_display)


async def test_many_pasted_lines_are_told_of_and_shown_short(tmp_path: Path) -> None:
    app = app_on(tmp_path, GSM8K, keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        app.post_message(Paste("line\n" * 3000))
        await settle(app, pilot)
        assert any("3,001 lines pasted" in each for each in notices(app))
        await pilot.press("ctrl+z")
        assert app.query_one(Prompt).text == ""
        await write(app, pilot, "line\n" * 3000)
        assert "3,000 lines" in screen_text(app)


@pytest.mark.parametrize(
    ("name", "said"),
    [("folder", "is a folder"), ("nowhere/task.yaml", "there is no folder"), ("notes.txt", "end it in .yaml")],
)
async def test_a_path_that_is_none_is_refused_with_a_fix_and_makes_nothing(
    tmp_path: Path, name: str, said: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "notes.txt").write_text("hello", encoding="utf-8")
    app = app_on(tmp_path, GSM8K)
    async with app.run_test(size=(80, 24)) as pilot:
        await write(app, pilot, f"/open {tmp_path / name}")
        assert any(said in each for each in notices(app))
        assert app.state.path == str(tmp_path / "task.yaml")
    assert not (tmp_path / "nowhere").exists()


async def test_writing_while_the_tour_is_up_goes_to_the_prompt(tmp_path: Path, own_folders: Path) -> None:
    (own_folders / "state" / "sdrl" / "app.json").unlink()
    app = app_on(tmp_path, tours=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        assert isinstance(app.screen, TourScreen)
        for key in "sort them":  # all at once, as a terminal gives them that was busy
            app.post_message(Key(key, key))
        app.post_message(Key("enter", None))
        await settle(app, pilot)
        assert not isinstance(app.screen, TourScreen)
        assert app.query_one(Prompt).text == ""
        assert [each.text for each in app.state.turns if each.role == "you"] == ["sort them"]


async def test_a_paste_while_the_tour_is_up_goes_to_the_prompt(tmp_path: Path, own_folders: Path) -> None:
    (own_folders / "state" / "sdrl" / "app.json").unlink()
    app = app_on(tmp_path, tours=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        app.post_message(Paste("sort them\nby department"))
        await settle(app, pilot)
        assert not isinstance(app.screen, TourScreen)
        assert app.query_one(Prompt).text == "sort them\nby department"


@pytest.mark.parametrize(("width", "is_told"), [(80, True), (120, False)])
async def test_leaving_unsaved_from_a_panel_is_asked_where_one_looks(tmp_path: Path, width: int, is_told: bool) -> None:
    app = app_on(tmp_path, GSM8K)
    async with app.run_test(size=(width, 24)) as pilot:
        await settle(app, pilot)
        await write(app, pilot, "/set budget.usd 5")
        await pilot.press("f6")
        await settle(app, pilot)
        await pilot.press("ctrl+q")
        await settle(app, pilot)
        assert app.is_running
        assert any("is not saved" in each for each in notices(app)) is is_told
        assert "task.yaml is not saved" in app.state.turns[-1].text
