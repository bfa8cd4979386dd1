"""Text can be read: in both default themes at least 4.5 to 1 as WCAG 2 counts it, and with sixteen colours too."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from rich.color import ColorSystem
from rich.color_triplet import ColorTriplet
from rich.style import Style
from sdrl_tui.app import SdrlApp
from sdrl_tui.legible import raised
from textual.color import Color

from sdrl.authoring.events import Acted
from sdrl.models.assistant import Reply
from sdrl.spec.edits import Edit
from tests.tui.driving import app_on, settle, write
from tests.tui.fakes import ScriptedFakeAssistant

GSM8K = Path("specs/gsm8k.yaml").read_text(encoding="utf-8")
EDITS = (Edit("set", "budget.usd", 80), Edit("insert", "demos.-", {"input": "a", "output": "b"}))


def written_in(app: SdrlApp) -> dict[tuple[str, str], str]:
    """Every pair of colours, as ``#rrggbb``, that a text on the screen has, with one such text."""
    found: dict[tuple[str, str], str] = {}
    for strip in app.screen._compositor.render_strips():
        for segment in strip:
            if any(each.isalnum() for each in segment.text):
                text, ground = colours(segment.style)
                found.setdefault((text, ground), segment.text.strip())
    return found


def colours(style: Style | None) -> tuple[str, str]:
    assert style is not None and style.color is not None and style.bgcolor is not None
    assert style.color.triplet is not None and style.bgcolor.triplet is not None
    pair = (style.color.triplet.hex, style.bgcolor.triplet.hex)
    return (pair[1], pair[0]) if style.reverse else pair


def contrast(text: str, ground: str) -> float:
    """By Textual's colours, and not by what the app itself counts with."""
    low, high = sorted(sum(_light(text, ground)[at : at + 3]) for at in (0, 3))
    return (high + 0.05) / (low + 0.05)


def _light(*names: str) -> list[float]:
    parts = [part for name in names for part in Color.parse(name).normalized]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return [part * weight for part, weight in zip(linear, (0.2126, 0.7152, 0.0722) * len(names), strict=True)]


async def every_screen(folder: Path, theme: str) -> dict[tuple[str, str], str]:
    """The pairs of colours of chat, card, menu, panels, help, palette and notices."""
    found: dict[tuple[str, str], str] = {}
    text = GSM8K + "# a comment\nnope: [1, true, 'a']\n"
    app = app_on(folder, text, assistant=ScriptedFakeAssistant(Reply("Yes.", EDITS, "why")), keeps_journal=False)
    async with app.run_test(size=(160, 48)) as pilot:
        app.theme = theme
        await settle(app, pilot)
        found |= written_in(app)
        await write(app, pilot, "/model fake http://127.0.0.1:9/v1", "cheaper")
        await pilot.press("slash")
        await settle(app, pilot)
        found |= written_in(app)
        for panel, argument in (
            ("issues", ""),
            ("verify", "so #### 2 => 3"),
            ("plan", ""),
            ("run", ""),
            ("samples", ""),
        ):
            app.dispatch(Acted(panel, argument))
            await settle(app, pilot)
            found |= written_in(app)
        for key in ("f1", "ctrl+p"):
            await pilot.press(key)
            await settle(app, pilot)
            app.say("said")
            app.say("bad", is_bad=True)
            await settle(app, pilot)
            found |= written_in(app)
            await pilot.press("escape")
    return found


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light"])
async def test_every_text_stands_out_from_its_ground(tmp_path: Path, theme: str) -> None:
    found = await every_screen(tmp_path, theme)
    assert len(found) > 20
    bad = {pair: (round(contrast(*pair), 2), text) for pair, text in found.items() if contrast(*pair) < 4.5}
    assert not bad
    for pair, text in found.items():
        sixteen = [Color.parse(each).rich_color.downgrade(ColorSystem.STANDARD).number for each in pair]
        assert sixteen[0] != sixteen[1], text


@pytest.mark.parametrize("ground", ["#000000", "#ffffff", "#767676", "#757575", "#0178d4", "#fea62b"])
def test_any_colour_can_be_raised_on_any_ground_and_a_good_one_stays(ground: str) -> None:
    behind = Color.parse(ground).rich_color.triplet
    assert behind is not None
    for text in ("#000000", "#ffffff", ground, "#f4005f", "#98e024", "#6b6b6b"):
        given = Color.parse(text).rich_color.triplet
        assert given is not None
        made = raised(given, behind)
        assert contrast(made.hex, ground) >= 4.5
        assert (made == given) == (contrast(text, ground) >= 4.5)
    assert raised(ColorTriplet(200, 0, 0), ColorTriplet(255, 255, 255)) == ColorTriplet(200, 0, 0)


async def test_the_terminals_own_colours_are_left_to_it(tmp_path: Path) -> None:
    app = app_on(tmp_path, GSM8K, keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        app.theme = "ansi-dark"
        await settle(app, pilot)
        styles = [segment.style for strip in app.screen._compositor.render_strips() for segment in strip]
        own = [style for style in styles if style is not None and style.color is not None]
        assert own and all(style.color is None or style.color.triplet is None for style in own)


def test_without_utf8_the_start_is_refused_with_a_way_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from sdrl.cli.main import main

    class Latin1:
        """A terminal whose text is not UTF-8."""

        encoding = "iso-8859-1"

        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Latin1())
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "__stderr__", Latin1())
    monkeypatch.setenv("TERM", "xterm-256color")
    assert main(["tui"]) == 2
    said = capsys.readouterr().err
    assert "writes UTF-8, and this terminal takes iso-8859-1" in said
    assert "LC_ALL=C.UTF-8" in said
