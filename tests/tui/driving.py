"""Driving the app by keys alone, and reading its screen as text."""

from __future__ import annotations

from pathlib import Path

from sdrl_tui.app import SdrlApp
from sdrl_tui.chat import Chat
from sdrl_tui.prompt import Prompt
from textual.pilot import Pilot
from textual.screen import Screen

from sdrl.authoring.events import Event


def screen_text(app: SdrlApp) -> str:
    """What stands on the screen, line by line."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


async def settle(app: SdrlApp, pilot: Pilot[None]) -> None:
    """Wait until nothing is under way and everything is drawn."""
    await pilot.pause()
    while app.is_running and not app.state.is_opened:  # it is opened after the first paint
        await pilot.pause()
    app.hearing.tell_typing()
    if app.is_running:
        app.main_screen.query_one(Chat).catch_up()
    await app.workers.wait_for_complete()
    await pilot.pause()
    if app.is_running:
        app.draw()
        await pilot.pause()
    while app.is_running and _is_undrawn(app.screen):  # a layout may ask for another
        await pilot.pause()


def _is_undrawn(screen: Screen[object]) -> bool:
    """Whether a layout or a painting waits for the screen's timer."""
    owed = (screen._layout_required, screen._scroll_required, screen._repaint_required, screen._recompose_required)
    return any(owed) or bool(screen._dirty_widgets)


async def write(app: SdrlApp, pilot: Pilot[None], *lines: str) -> None:
    """Lines as if typed (typing each letter would take a second a line), each sent by Enter."""
    prompt = app.query_one(Prompt)
    for line in lines:
        prompt.focus()
        prompt.put(line)
        await pilot.pause()
        if line.startswith("/"):
            await pilot.press("escape")  # closes the menu, which Enter would choose from
        await pilot.press("enter")
    await settle(app, pilot)


def app_on(folder: Path, text: str | None = None, **options: object) -> SdrlApp:
    """An app on a spec of a folder."""
    path = folder / "task.yaml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    return SdrlApp(path, **options)  # type: ignore[arg-type]


def happened(app: SdrlApp, event: Event) -> None:
    """An event from outside."""
    app.dispatch(event)
