"""The terminal app by keys alone: what a person types and presses, and what then stands on the screen and on disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sdrl_tui.app import SdrlApp
from sdrl_tui.keys import keys_text
from sdrl_tui.prompt import Prompt
from sdrl_tui.spec_editor import SpecEditor

from sdrl.authoring.events import Acted, Said
from sdrl.authoring.journal import journal_path, read_lines
from sdrl.authoring.workbench import replay
from sdrl.models.assistant import Reply
from sdrl.spec.diagnostics import SdrlError
from sdrl.spec.edits import Edit
from tests.tui.driving import app_on, screen_text, settle, write
from tests.tui.fakes import ScriptedFakeAssistant

GSM8K = Path("specs/gsm8k.yaml").read_text(encoding="utf-8")
SCRIPT = Path("tests/authoring/scripts/gsm8k.script").read_text(encoding="utf-8")


async def test_a_new_user_authors_a_valid_spec_by_keys_alone(tmp_path: Path) -> None:
    app = app_on(tmp_path)
    typed = [json.loads(line)["text"] if line.startswith('{"event"') else line for line in SCRIPT.splitlines()]
    async with app.run_test(size=(80, 24)) as pilot:
        await write(app, pilot, *typed)
        assert not app.state.issues
        await pilot.press("ctrl+s")
        await settle(app, pilot)
        assert "✓ saved" in screen_text(app)
    assert (tmp_path / "task.yaml").read_text() == app.state.text
    kept = journal_path(tmp_path / "task.yaml")
    again = replay(read_lines(kept.read_text(), "journal"), "journal", str(tmp_path / "task.yaml"))
    assert again.state.text == app.state.text
    assert again.state.turns == app.state.turns


async def test_what_a_crash_left_is_there_again(tmp_path: Path) -> None:
    first = app_on(tmp_path)
    async with first.run_test(size=(80, 24)) as pilot:
        await write(first, pilot, "gsm8k", "A task.")
    again = app_on(tmp_path)
    async with again.run_test(size=(80, 24)) as pilot:
        await settle(again, pilot)
        assert again.state.text == first.state.text
        told = [turn.text for turn in again.state.turns]
        assert told[: len(first.state.turns)] == [turn.text for turn in first.state.turns]
        assert told[-2].startswith("here you are again") and told[-1] == first.state.turns[-1].text
        assert "A task." in screen_text(again)


async def test_typing_in_the_spec_is_checked_and_can_be_undone(tmp_path: Path) -> None:
    app = app_on(tmp_path, GSM8K)
    async with app.run_test(size=(160, 48)) as pilot:
        await pilot.press("f2")
        editor = app.query_one(SpecEditor)
        assert app.focused is editor
        editor.move_cursor(editor.document.end)
        await pilot.press(*"nope")
        await settle(app, pilot)
        assert app.state.text == GSM8K + "nope"
        assert any(issue.is_error for issue in app.state.issues)
        assert "✗ E" in screen_text(app)
        while app.state.text != GSM8K:
            await pilot.press("ctrl+z")
            await settle(app, pilot)
        assert editor.text == GSM8K


async def test_an_issue_is_gone_to_by_enter(tmp_path: Path) -> None:
    app = app_on(tmp_path, GSM8K.replace("type: number", "type: nummer"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f3")
        await settle(app, pilot)
        shown = screen_text(app)
        assert "E205" in shown
        assert "did you mean 'number'?" in shown
        await pilot.press("enter")
        await settle(app, pilot)
        editor = app.query_one(SpecEditor)
        assert app.focused is editor
        line, column = editor.cursor_location
        assert editor.document.get_line(line)[column:] == "nummer"


async def test_a_card_is_shown_and_taken_over_by_a_key(tmp_path: Path) -> None:
    reply = Reply("Cheaper now.", (Edit("set", "budget.usd", 80),), "as you said")
    app = app_on(tmp_path, GSM8K, assistant=ScriptedFakeAssistant(reply))
    async with app.run_test(size=(80, 24)) as pilot:
        await write(app, pilot, "/model fake http://127.0.0.1:9/v1", "make it cheaper")
        shown = screen_text(app)
        assert "- 150" in shown
        assert "+ 80" in shown
        assert app.state.text == GSM8K
        await pilot.press("ctrl+t")
        await settle(app, pilot)
        assert app.state.text == GSM8K.replace("usd: 150", "usd: 80")


async def test_escape_stops_an_answer_and_keeps_what_came(tmp_path: Path) -> None:
    fake = ScriptedFakeAssistant(Reply("It is long", (), ""), waits=True)
    app = app_on(tmp_path, GSM8K, assistant=fake)
    async with app.run_test(size=(80, 24)) as pilot:
        prompt = app.query_one(Prompt)
        prompt.put("/model fake http://127.0.0.1:9/v1")
        await pilot.press("escape", "enter")
        prompt.put("tell me")
        await pilot.press("enter")
        while "It is long" not in app.state.turns[-1].text:
            await pilot.pause(0.02)
        app.draw()
        await pilot.pause()
        assert "answering, escape stops" in screen_text(app)
        await pilot.press("escape")
        await settle(app, pilot)
        assert (app.state.turns[-2].status, app.state.turns[-2].text) == ("stopped", "It is long")
        assert fake.was_cancelled
        assert not app.state.asking


async def test_a_failed_answer_puts_the_question_back(tmp_path: Path) -> None:
    fake = ScriptedFakeAssistant(SdrlError("", "the endpoint refused the key", help="check MY_KEY"))
    app = app_on(tmp_path, GSM8K, assistant=fake)
    async with app.run_test(size=(80, 24)) as pilot:
        await write(app, pilot, "/model fake http://127.0.0.1:9/v1", "tell me")
        assert app.query_one(Prompt).text == "tell me"
        assert "the endpoint refused the key; check MY_KEY" in screen_text(app).replace("\n ", " ")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("/prompt generate", "generate: exactly what is sent"),
        ("/verify so #### 18 => 18", "verdict     correct"),
        ("/plan", "requests"),
        ("/run", "There is no run in"),
        ("/retrieve", "names no local corpus files"),
    ],
)
async def test_each_panel_shows_its_content(tmp_path: Path, line: str, shown: str) -> None:
    text = GSM8K[: GSM8K.index("evaluate:")] + "budget: {usd: 150}\n"
    app = app_on(tmp_path, text, keeps_journal=False)
    async with app.run_test(size=(160, 48)) as pilot:
        await write(app, pilot, line)
        assert shown in screen_text(app)


async def test_the_menu_of_commands_opens_filters_and_completes(tmp_path: Path) -> None:
    app = app_on(tmp_path, GSM8K, keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash", "p", "l")
        await settle(app, pilot)
        assert "/plan" in screen_text(app)
        await pilot.press("tab")
        assert app.query_one(Prompt).text == "/plan"
        await pilot.press("escape")
        await settle(app, pilot)
        assert not app.query_one("#menu").display
        await pilot.press("enter")
        await settle(app, pilot)
        assert app.state.view == "plan"


async def test_enter_sends_and_three_ways_make_a_line(tmp_path: Path) -> None:
    app = app_on(tmp_path, GSM8K, keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("a", "ctrl+j", "b", "shift+enter", "c", "backslash", "enter", "d")
        assert app.query_one(Prompt).text == "a\nb\nc\nd"
        await pilot.press("enter")
        await settle(app, pilot)
        assert app.state.turns[-2].text == "a\nb\nc\nd"
        await pilot.press("up")
        assert app.query_one(Prompt).text == "a\nb\nc\nd"


async def test_leaving_asks_once_where_something_is_not_saved(tmp_path: Path) -> None:
    app = app_on(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await write(app, pilot, "sums")
        await pilot.press("ctrl+q")
        await settle(app, pilot)
        assert "is not saved" in app.state.turns[-1].text
        await pilot.press("ctrl+q")
        await pilot.pause()
        assert not app.is_running


async def test_a_file_changed_outside_is_noticed_and_nothing_is_lost(tmp_path: Path) -> None:
    first = app_on(tmp_path, GSM8K)
    async with first.run_test(size=(80, 24)) as pilot:
        await write(first, pilot, "/set budget.usd 99")
    (tmp_path / "task.yaml").write_text(GSM8K + "seed: 3\n", encoding="utf-8")
    again = app_on(tmp_path)
    async with again.run_test(size=(80, 24)) as pilot:
        await settle(again, pilot)
        assert "usd: 99" in again.state.text
        assert "/reload takes its text" in again.state.turns[-1].text
        await write(again, pilot, "/reload")
        assert again.state.text == GSM8K + "seed: 3\n"


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (160, 48), (200, 60), (20, 6)])
async def test_every_size_shows_the_prompt_and_no_line_is_too_wide(tmp_path: Path, size: tuple[int, int]) -> None:
    app = app_on(tmp_path, GSM8K, keeps_journal=False)
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        lines = screen_text(app).split("\n")
        assert len(lines) == size[1]
        assert max(map(len, lines)) <= size[0]
        assert app.query_one(Prompt).region.height >= 1
        assert app.query_one(Prompt).region.bottom <= size[1]


async def test_after_a_resize_the_line_of_keys_holds_whole_entries(tmp_path: Path) -> None:
    app = app_on(tmp_path, GSM8K, keeps_journal=False)
    async with app.run_test(size=(160, 48)) as pilot:
        await settle(app, pilot)
        for width in (80, 75, 70, 66, 61):
            await pilot.resize_terminal(width, 24)
            await pilot.pause()
            whole = keys_text(app.state, app.keys, app.where, width).plain.rstrip()
            assert screen_text(app).split("\n")[-1] == whole


async def test_without_colour_every_status_still_has_its_sign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = app_on(tmp_path, GSM8K.replace("type: number", "type: nummer"), keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f3")
        await settle(app, pilot)
        assert app.no_color
        assert "✗ E205" in screen_text(app)


def test_the_app_starts_on_nothing_but_a_path(tmp_path: Path) -> None:
    assert SdrlApp(tmp_path / "a.yaml").state.text == ""


async def test_a_click_takes_one_field_of_a_card_over(tmp_path: Path) -> None:
    edits = (Edit("set", "budget.usd", 80), Edit("set", "seed", 3))
    app = app_on(tmp_path, GSM8K, assistant=ScriptedFakeAssistant(Reply("Both.", edits, "")), keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await write(app, pilot, "/model fake http://127.0.0.1:9/v1", "do both")
        lines = screen_text(app).split("\n")
        row = next(at for at, line in enumerate(lines) if "2 seed" in line)
        await pilot.click(offset=(lines[row].index("seed") + 1, row))
        await settle(app, pilot)
        assert "seed: 3" in app.state.text
        assert "usd: 150" in app.state.text
        row, lines = next(
            (at, screen_text(app).split("\n"))
            for at, line in enumerate(screen_text(app).split("\n"))
            if "ctrl+t accepts" in line and "▌" in line
        )
        await pilot.click(offset=(lines[row].index("accepts"), row))
        await settle(app, pilot)
        assert "usd: 80" in app.state.text


async def test_a_tab_is_chosen_by_a_click(tmp_path: Path) -> None:
    app = app_on(tmp_path, GSM8K, keeps_journal=False)
    async with app.run_test(size=(160, 48)) as pilot:
        await pilot.click("#tab-verify")
        await settle(app, pilot)
        assert app.state.view == "verify"
        assert "extract" in screen_text(app)


async def test_samples_are_judged_by_keys(tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "artifacts").mkdir(parents=True)
    rows = [{"id": name, "input": f"What is {name}?", "gold": "2", "solution": "#### 2"} for name in ("one", "two")]
    (run / "artifacts" / "review.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    app = app_on(tmp_path, GSM8K, keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await write(app, pilot, f"/review {run}")
        assert "What is one?" in screen_text(app)
        await pilot.press("y")
        await settle(app, pilot)
        assert "What is two?" in screen_text(app)
        await write(app, pilot, "/judge no output off by one")
        assert "valid among those kept  1 of 2: 50 %" in "\n".join(app.state.panels["review"].lines)
    judged = [json.loads(line) for line in (run / "review.jsonl").read_text().splitlines()[:2]]
    assert [(row["valid"], row["note"]) for row in judged] == [(True, ""), (False, "off by one")]


async def test_the_palette_runs_an_action(tmp_path: Path) -> None:
    app = app_on(tmp_path, GSM8K, keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("ctrl+p", *"problems")
        await pilot.pause(0.3)
        await pilot.press("down", "enter")
        await settle(app, pilot)
        assert app.state.view == "issues"


async def test_what_happens_under_the_palette_is_drawn_when_it_closes(tmp_path: Path) -> None:
    app = app_on(tmp_path, GSM8K, keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("ctrl+p")
        await pilot.pause()
        assert app.screen.is_modal
        app.dispatch(Acted("set", "budget.usd 7"))
        await pilot.pause(0.15)
        await pilot.press("escape")
        await settle(app, pilot)
        assert not app.screen.is_modal
        assert "budget.usd changed" in screen_text(app)


async def test_a_file_changed_outside_while_nothing_was_open_is_taken_over(tmp_path: Path) -> None:
    first = app_on(tmp_path, GSM8K)
    async with first.run_test(size=(80, 24)) as pilot:
        await settle(first, pilot)
    again = app_on(tmp_path, GSM8K + "seed: 3\n")
    async with again.run_test(size=(80, 24)) as pilot:
        await settle(again, pilot)
        assert again.state.text == GSM8K + "seed: 3\n"
        assert not again.state.is_dirty
        await write(again, pilot, "/undo")
        assert again.state.text == GSM8K


async def test_a_journal_that_cannot_be_replayed_is_put_aside(tmp_path: Path) -> None:
    kept = journal_path(tmp_path / "task.yaml")
    kept.parent.mkdir(parents=True)
    kept.write_text('{"event": "said", "text": "a", "digest": "0000000000000000"}\n{"event": "said", "text": "b"}\n')
    app = app_on(tmp_path, GSM8K)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        assert app.state.text == GSM8K
    assert kept.with_suffix(".journal.old").read_text().startswith('{"event": "said", "text": "a"')
    assert kept.read_text().startswith('{"event": "opened"')


async def test_a_second_terminal_on_the_same_spec_leaves_the_journal_alone(tmp_path: Path) -> None:
    first, second = app_on(tmp_path, GSM8K), app_on(tmp_path)
    async with first.run_test(size=(80, 24)) as pilot:
        await settle(first, pilot)
        before = journal_path(tmp_path / "task.yaml").read_text()
        async with second.run_test(size=(80, 24)) as other:
            await write(second, other, "/set budget.usd 7")
        assert journal_path(tmp_path / "task.yaml").read_text() == before


@pytest.mark.parametrize("ending", ["\r\n", "\r"])
async def test_line_endings_stay_as_they_are(tmp_path: Path, ending: str) -> None:
    text = GSM8K.replace("\n", ending)
    (tmp_path / "task.yaml").write_bytes(text.encode())
    app = app_on(tmp_path, keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f2")
        await settle(app, pilot)
        assert app.state.text == text


async def test_mixed_line_endings_are_shown_and_kept(tmp_path: Path) -> None:
    text = GSM8K.replace("\n", "\r\n", 3)
    (tmp_path / "task.yaml").write_bytes(text.encode())
    app = app_on(tmp_path, keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("f2", "x")
        await settle(app, pilot)
        assert app.state.text == text
        await write(app, pilot, "/set budget.usd 7")
        assert app.state.text == text.replace("usd: 150", "usd: 7")


async def test_a_file_that_is_no_text_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "task.yaml").write_bytes(b"\xff\xfe\x00")
    app = app_on(tmp_path, keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
    assert app.return_code == 1


async def test_resizing_while_an_answer_streams_does_no_harm(tmp_path: Path) -> None:
    fake = ScriptedFakeAssistant(Reply("A long answer. " * 50, (), ""), waits=True)
    app = app_on(tmp_path, GSM8K, assistant=fake, keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        app.dispatch(Acted("model", "fake http://127.0.0.1:9/v1"))
        app.dispatch(Said("tell me"))
        for width, height in ((20, 5), (200, 60), (7, 3), (99, 19), (100, 20), (40, 12), (80, 24)):
            await pilot.resize_terminal(width, height)
            app.draw()
            await pilot.pause()
        assert "A long answer." in app.state.turns[-1].text
        await pilot.press("escape")
        await settle(app, pilot)
        assert fake.was_cancelled
        assert max(map(len, screen_text(app).split("\n"))) <= 80


async def test_a_letter_whose_message_is_still_under_way_is_neither_taken_back_nor_left_unsaved(tmp_path: Path) -> None:
    app = app_on(tmp_path, "sdrl: 1\n")
    async with app.run_test() as pilot:
        await settle(app, pilot)
        editor = app.query_one(SpecEditor)
        editor.insert("# x\n", (0, 0))
        app.draw()  # comes due before the editor's message
        assert editor.text == "# x\nsdrl: 1\n"
        app.dispatch(Acted("save"))
        assert (tmp_path / "task.yaml").read_text() == "# x\nsdrl: 1\n"


async def test_what_is_taken_out_of_the_prompt_stays_out_though_the_state_has_not_heard_of_it(tmp_path: Path) -> None:
    app = app_on(tmp_path, "sdrl: 1\n", keeps_journal=False)
    async with app.run_test() as pilot:
        await settle(app, pilot)
        prompt = app.query_one(Prompt)
        prompt.insert("half a sentence")
        await pilot.pause()
        app.hearing.tell_draft()
        assert app.state.draft == "half a sentence"
        prompt.undo()
        app.draw()  # comes due before the prompt's message that it changed
        assert prompt.text == ""


async def test_what_is_typed_before_the_spec_is_open_is_kept_when_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really_open = SdrlApp._open
    monkeypatch.setattr(SdrlApp, "_open", lambda app: None)
    app = app_on(tmp_path, "sdrl: 1\n")
    async with app.run_test() as pilot:
        await pilot.press("h", "i")
        app.hearing.tell_draft()  # its timer comes due
        assert app.state.draft == ""
        really_open(app)
        assert app.state.draft == "hi"
        assert app.query_one(Prompt).text == "hi"
