"""The menu over the prompt, by keys and mouse: tab takes, Enter sends what is typed unless an entry was moved to."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest
from sdrl_tui import lists
from sdrl_tui.app import SdrlApp
from sdrl_tui.lists import files_in, latest_runs
from sdrl_tui.menu import Menu
from sdrl_tui.prompt import Prompt
from textual import events
from textual.pilot import Pilot

from sdrl.authoring.document import value_at, written
from tests.tui.driving import app_on, screen_text, settle, write
from tests.tui.test_around import GSM8K, notices

SIZES = ((80, 24), (60, 20))


async def typed(app: SdrlApp, pilot: Pilot[None], text: str) -> None:
    """A line in the prompt, as if typed, with its menu open."""
    app.query_one(Prompt).put(text)
    await settle(app, pilot)


def shown(app: SdrlApp) -> list[str]:
    """The lines of the menu."""
    menu = app.query_one(Menu)
    rows = screen_text(app).split("\n")[menu.region.y : menu.region.bottom]
    return [row[1:].rstrip() for row in rows] if menu.display else []


async def test_tab_takes_a_path_key_by_key_and_then_its_value(tmp_path: Path) -> None:
    app = app_on(tmp_path, GSM8K, keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pilot.press(*"/set bud")
        await settle(app, pilot)
        assert shown(app)[:2] == ["/set PATH VALUE  Set a value of the spec", "budget.            Caps."]
        prompt, seen = app.query_one(Prompt), []
        for _ in range(4):
            await pilot.press("tab")
            await settle(app, pilot)
            seen.append(prompt.text)
        assert seen == ["/set budget.", "/set budget.usd ", "/set budget.usd 150", "/set budget.usd 150"]
        assert "150  as it is now" in shown(app)[1]
        await pilot.press("backspace", "backspace", "backspace", "7", "enter")
        await settle(app, pilot)
        assert app.state.text == GSM8K.replace("usd: 150", "usd: 7")


async def test_keys_that_come_faster_than_the_menu_are_completed_all_the_same(tmp_path: Path) -> None:
    app = app_on(tmp_path, GSM8K, keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        prompt = app.query_one(Prompt)
        prompt.put("/set budget.u")
        await prompt._on_key(events.Key("tab", None))
        assert prompt.menu == ""  # nobody has heard of the text by now
        await settle(app, pilot)
        assert prompt.text == "/set budget.usd "
        assert app.focused is prompt


async def test_enter_sends_what_is_typed_though_the_menu_is_open(tmp_path: Path) -> None:
    app = app_on(tmp_path, GSM8K, keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await typed(app, pilot, "/set budget.usd 1")  # the menu has 150 first
        assert "150" in shown(app)[1]
        await pilot.press("enter")
        await settle(app, pilot)
        assert "usd: 1}" in app.state.text
        assert not app.query_one(Menu).display
        await typed(app, pilot, "/sample")  # /samples begins so, too
        await pilot.press("enter")
        await settle(app, pilot)
        assert app.query_one(Prompt).text == "/sample "


async def test_enter_takes_an_entry_that_was_moved_to_and_sends_with_the_next(tmp_path: Path) -> None:
    app = app_on(tmp_path, GSM8K, keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        prompt = app.query_one(Prompt)
        await typed(app, pilot, "/set answer.type ")
        await pilot.press("down", "down", "up", "enter")
        await settle(app, pilot)
        assert prompt.text == "/set answer.type math"
        assert app.state.text == GSM8K
        await pilot.press("enter")
        await settle(app, pilot)
        assert value_at(written(app.state.text), "answer.type") == "math"
        await typed(app, pilot, "/theme t")
        await pilot.press("down", "x", "backspace", "enter")  # another text since: nothing is moved to
        await settle(app, pilot)
        assert any("there is no theme 't'" in said for said in notices(app))


async def test_escape_closes_the_menu_until_something_else_is_typed(tmp_path: Path) -> None:
    app = app_on(tmp_path, GSM8K, keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await typed(app, pilot, "/set budget.usd ")
        assert shown(app)
        await pilot.press("escape")
        await settle(app, pilot)
        assert not shown(app)
        await pilot.press("1")
        await settle(app, pilot)
        assert shown(app)
        await pilot.press("escape")
        await pilot.press("tab")  # closed by hand: tab goes on to the next part
        await settle(app, pilot)
        assert app.focused is not app.query_one(Prompt)
        assert app.query_one(Prompt).text == "/set budget.usd 1"


async def test_a_click_takes_an_entry_and_leaves_the_keyboard_in_the_prompt(tmp_path: Path) -> None:
    app = app_on(tmp_path, GSM8K, keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        prompt = app.query_one(Prompt)
        await typed(app, pilot, "/set budget.")
        await pilot.click("#menu", offset=(3, 0))  # what is asked for is no entry
        await settle(app, pilot)
        assert prompt.text == "/set budget."
        await pilot.click("#menu", offset=(3, 2))
        await settle(app, pilot)
        assert prompt.text == "/set budget.requests "
        assert app.focused is prompt
        assert app.state.text == GSM8K


async def test_a_line_of_the_history_opens_no_menu_so_that_the_next_key_goes_on(tmp_path: Path) -> None:
    app = app_on(tmp_path, GSM8K, keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await write(app, pilot, "/set budget.usd 7", "/set budget.usd 8")
        prompt, seen = app.query_one(Prompt), []
        for key in ("up", "up", "down"):
            await pilot.press(key)
            await settle(app, pilot)
            seen.append(prompt.text)
        assert seen == ["/set budget.usd 8", "/set budget.usd 7", "/set budget.usd 8"]
        assert not shown(app)
        await pilot.press("tab")  # asks for it
        await settle(app, pilot)
        assert "as it is now" in shown(app)[1]
        assert prompt.text == "/set budget.usd 8"


async def test_a_command_without_completions_tells_what_it_takes_and_keeps_what_is_typed(tmp_path: Path) -> None:
    app = app_on(tmp_path, GSM8K, keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await typed(app, pilot, "/verify so #### 18")
        assert shown(app) == ["/verify [COMPLETION => GOLD]  Try the verifier"]
        await pilot.press("tab")
        await settle(app, pilot)
        assert app.query_one(Prompt).text == "/verify so #### 18"
        assert app.focused is app.query_one(Prompt)


@pytest.mark.parametrize(("width", "height"), SIZES)
async def test_long_entries_are_cropped_and_eight_rows_are_the_most(tmp_path: Path, width: int, height: int) -> None:
    name = "a" * 150 + ".yaml"
    (tmp_path / name).write_text("sdrl: 1\n")
    app = app_on(tmp_path, GSM8K, keeps_journal=False)
    async with app.run_test(size=(width, height)) as pilot:
        await settle(app, pilot)
        for line in ("/set ", "/explain ", "/set task.description ", "/set synthesize.sampling.", f"/open {tmp_path}/"):
            await typed(app, pilot, line)
            rows = shown(app)
            assert 2 <= len(rows) <= 8
            assert all(len(row) < width for row in rows)
            assert line.startswith(("/explain", "/open")) or any("…" in row for row in rows)
            assert not app.query_one(Menu).show_horizontal_scrollbar
        assert f"/open {tmp_path}/"[-6:] in screen_text(app).split("\n")[-3]  # the prompt is still there


async def test_a_hostile_file_name_is_text_and_is_opened_as_it_is(tmp_path: Path) -> None:
    evil = "\x1b[2J[bold]a[ @click=app.quit]\x07.yaml"
    (tmp_path / evil).write_text(GSM8K)
    (tmp_path / "two\nlines.yaml").write_text(GSM8K)
    (tmp_path / os.fsdecode(b"\xff.yaml")).write_text(GSM8K)
    app = app_on(tmp_path, GSM8K, keeps_journal=False)
    async with app.run_test(size=(160, 48)) as pilot:
        await settle(app, pilot)
        await typed(app, pilot, f"/open {tmp_path}/")
        rows = shown(app)
        assert [row.split("  ")[0] for row in rows] == [
            "/open PATH",
            "[2J[bold]a[ @click=app.quit] .yaml",
            "task.yaml",
        ]
        assert not [each for each in screen_text(app) if unicodedata.category(each) == "Cc" and each != "\n"]
        await pilot.press("tab")
        await settle(app, pilot)
        assert app.query_one(Prompt).text == f"/open {tmp_path}/{evil}"
        assert not [each for each in screen_text(app) if unicodedata.category(each) == "Cc" and each != "\n"]
        await pilot.press("enter")
        await settle(app, pilot)
        assert app.state.path == str(tmp_path / evil)


def test_a_folder_is_read_no_further_than_a_bound_and_never_below(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in range(9):
        (tmp_path / f"{at}.yaml").touch()
    (tmp_path / "notes.txt").touch()
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "deep.yaml").touch()
    assert files_in(str(tmp_path))[-2:] == [("8.yaml", ""), ("below/", "folder")]
    assert len(files_in(str(tmp_path))) == 10
    monkeypatch.setattr(lists, "MOST", 4)
    assert len(files_in(str(tmp_path))) == 4
    monkeypatch.setattr(lists, "MOST_LOOKED", 3)
    assert len(files_in(str(tmp_path))) <= 3
    for folder in ("nowhere", "~nobody-of-that-name/", "a\x00b", str(tmp_path / "0.yaml")):
        assert list(files_in(folder)) == []


def test_runs_come_with_the_one_written_last_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert list(latest_runs()) == []
    for name, when in (("old", 1_000), ("new", 90_000), ("mid", 50_000)):
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        (folder / "events.jsonl").touch()
        os.utime(folder / "events.jsonl", (when, when))
    (tmp_path / "runs" / "no-run").mkdir()
    assert [name for name, _ in latest_runs()] == ["new", "mid", "old"]
    assert all(told.endswith("ago") for _, told in latest_runs())


async def test_runs_examples_and_themes_are_those_of_the_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "runs" / "sums"
    folder.mkdir(parents=True)
    (folder / "events.jsonl").touch()
    monkeypatch.chdir(tmp_path)
    app = app_on(tmp_path, GSM8K, keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await typed(app, pilot, "/run s")
        assert shown(app)[1:] == ["sums  just now"]
        await typed(app, pilot, "/example gs")
        assert shown(app)[1].startswith("gsm8k  Grade-school")
        await typed(app, pilot, "/theme textual-d")
        assert shown(app)[1:] == ["textual-dark  now"]
