"""Themes of a person's own: offered, told of where a line is wrong, remembered, and legible whatever they say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sdrl_tui.app import SdrlApp
from sdrl_tui.settings import Settings

from tests.tui.driving import app_on, settle, write
from tests.tui.test_colours import contrast, written_in

SPEC = "sdrl: 1\nname: sums\nseed: 3\n"
SIZE = (80, 24)


@pytest.fixture
def folder(own_folders: Path) -> Path:
    made = own_folders / "config" / "sdrl" / "themes"
    made.mkdir(parents=True)
    return made


def notices(app: SdrlApp) -> list[str]:
    return [each.message for each in app._notifications]


async def test_a_theme_of_ones_own_is_offered_chosen_and_there_at_the_next_start_s_first_paint(
    tmp_path: Path, folder: Path
) -> None:
    (folder / "mine.yaml").write_text('primary: "#a00000"\nbackground: "#101820"\n')
    app = app_on(tmp_path, SPEC, keeps_journal=False)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        assert "mine" in app.available_themes and app.theme != "mine"
        await write(app, pilot, "/theme mine")
        assert (app.theme, app.screen.styles.background.hex) == ("mine", "#101820")
    assert Settings.read().colours == {"primary": "#a00000", "background": "#101820"}
    again = app_on(tmp_path, keeps_journal=False)
    assert again.theme == "mine"  # no file was read yet
    async with again.run_test(size=SIZE) as pilot:
        await settle(again, pilot)
        (folder / "mine.yaml").write_text('primary: "#a00000"\nbackground: "#202020"\n')
        await write(again, pilot, "/theme mine")  # as it is now
        assert again.screen.styles.background.hex == "#202020"
        assert Settings.read().colours["background"] == "#202020"
        await write(again, pilot, "/theme nord")
    assert (Settings.read().theme, Settings.read().colours) == ("nord", {})


async def test_a_wrong_line_is_told_with_its_place_and_costs_no_start(tmp_path: Path, folder: Path) -> None:
    (folder / "mine.yaml").write_text('primary: "#a00000"\npanel: blue\n')
    (folder / "nord.yaml").write_text('primary: "#a00000"\n')
    (folder / "of mine.yaml").write_text('primary: "#a00000"\n')
    (folder / "bytes.yaml").write_bytes(b"\xff\xfe")
    (folder / "gone.yaml").symlink_to(folder / "nowhere")
    app = app_on(tmp_path, SPEC, keeps_journal=False)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        said = notices(app)
        assert f"{folder / 'mine.yaml'}:2:8: 'blue' is no colour; write it as panel: \"#0178d4\"" in said
        assert (
            f"{folder / 'nord.yaml'}:1:1: 'nord' is the name of a theme that is there already; call the file mine.yaml"
            in said
        )
        assert f"{folder / 'of mine.yaml'}:1:1: 'of mine' is no name; call the file mine.yaml" in said
        assert f"{folder / 'bytes.yaml'}:1:1: this is no text; write it in UTF-8" in said
        assert f"{folder / 'gone.yaml'}:1:1: No such file or directory" in said
        assert "mine" in app.available_themes and "bytes" not in app.available_themes
        await write(app, pilot, "/theme mine")
        assert app.theme == "mine"


async def test_a_theme_whose_text_is_as_its_ground_can_be_read(tmp_path: Path, folder: Path) -> None:
    same = "\n".join(f'{name}: "#777777"' for name in ("foreground", "background", "surface", "panel", "accent"))
    (folder / "grey.yaml").write_text(f'primary: "#777777"\n{same}\n')
    app = app_on(tmp_path, SPEC, keeps_journal=False)
    async with app.run_test(size=(160, 48)) as pilot:
        await write(app, pilot, "/theme grey")
        await pilot.press("f3")
        await settle(app, pilot)
        found = written_in(app)
        assert app.theme == "grey" and len(found) > 3
        assert not {pair: text for pair, text in found.items() if contrast(*pair) < 4.5}


@pytest.mark.parametrize("kept", [{"primary": "$a"}, [["a", 1]], {"primary": "#000", "x": "}"}, {}])
async def test_kept_colours_that_are_none_cost_no_start(tmp_path: Path, own_folders: Path, kept: object) -> None:
    (own_folders / "state" / "sdrl" / "app.json").write_text(json.dumps({"theme": "mine", "colours": kept}))
    app = app_on(tmp_path, SPEC, keeps_journal=False)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        assert app.theme == "textual-dark"
