"""What is a person's own can be seen: where it lies, what is set there, and what is wrong in it."""

from __future__ import annotations

from pathlib import Path

from sdrl_tui.settings import config_folder, settings_file

from tests.tui.driving import app_on, screen_text, settle, write

SPEC = "sdrl: 1\nname: sums\nseed: 3\n"


async def test_the_settings_say_where_keys_themes_memory_and_journal_lie_and_what_is_set(tmp_path: Path) -> None:
    (config_folder() / "themes").mkdir(parents=True)
    (config_folder() / "keys.yaml").write_text("plan: f12\nsave: [ctrl+w, f11]\nsavee: f10\n")
    (config_folder() / "themes" / "mine.yaml").write_text('primary: "#a00000"\npanel: blue\n')
    app = app_on(tmp_path, SPEC)
    async with app.run_test(size=(160, 48)) as pilot:
        await write(app, pilot, "/wider 60", "/theme mine", "/model m http://127.0.0.1:9/v1 MY_KEY", "/settings")
        said = app.state.turns[-1].text.split("\n")
        for name, *words in (
            ("keys", str(config_folder() / "keys.yaml"), "2 changed"),
            ("themes", str(config_folder() / "themes"), "mine"),
            ("kept", str(settings_file()), "theme mine", "the chat takes 60 %", "1 spec opened"),
            ("journal", str(tmp_path / ".sdrl" / "authoring" / "task.yaml.journal")),
            ("model", "m at http://127.0.0.1:9/v1", "its key in MY_KEY"),
        ):
            (line,) = [each for each in said if each.startswith(f"{name} ")]
            assert all(word in line for word in words), line
        assert any("keys.yaml:3:1: there is no action 'savee'" in each for each in said)
        assert any("mine.yaml:2:8: 'blue' is no colour" in each for each in said)


async def test_where_nothing_is_set_it_says_how(tmp_path: Path) -> None:
    app = app_on(tmp_path, SPEC, keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        await pilot.press("f2")
        await write(app, pilot, "/settings")
        shown = screen_text(app)
        assert all(words in shown for words in ("plan: f12", 'primary: "#0178d4"', "none is kept", "/model MODEL"))
