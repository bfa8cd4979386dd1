"""What nobody would type on purpose, in every field, message, file name and passage; and terminals of every size."""

from __future__ import annotations

import json
import os
import random
import re
import time
import unicodedata
from pathlib import Path

import pytest
from rich.cells import cell_len
from sdrl_tui.app import SdrlApp
from sdrl_tui.prompt import Prompt
from textual.pilot import Pilot

from sdrl.authoring.events import Acted, Said, Shown
from sdrl.authoring.sheet import Mark
from sdrl.models.assistant import Reply
from sdrl.spec.edits import Edit
from tests.tui.driving import app_on, screen_text, settle, write
from tests.tui.fakes import ScriptedFakeAssistant

GSM8K = Path("specs/gsm8k.yaml").read_text(encoding="utf-8")
SPEC = """\
sdrl: 1
name: sums
task: {description: Question answering in arithmetic. Needs care., output_format: "Write the number after ####."}
answer: {type: number, extract: {marker: "####"}}
"""
EVIL = {
    "markup": "[bold]a[/] [@click=app.quit]b[/] [/nope] [red",
    "escapes": "\x1b[2J\x1b]0;title\x07\x9b31m",
    "controls": "a\x00b\x08\x7f\u200b\u2028c\td",
    "wide": "漢字かな" * 30,
    "emoji": "🙂👨‍👩‍👧‍👦🏳️‍🌈e\u0301" * 10,
    "right to left": "\u202eשלום עולם مرحبا بالعالم\u202c",
    "long": "x" * 100_000,
    "quotes": "'\"`{{ x }} {% y %} ${z} #### : - ? | > & * ! %",
}
SIZES = 200 if os.environ.get("SDRL_EXPLORE") else 8  # random ones
MOST_S = 60.0


def check(app: SdrlApp, width: int) -> None:
    """Every line of the screen is as wide as the screen, and holds nothing that a terminal would obey."""
    for strip in app.screen._compositor.render_strips():
        text = "".join(segment.text for segment in strip)
        assert cell_len(text) == width == strip.cell_length
        assert not [each for each in text if unicodedata.category(each) == "Cc"], text


@pytest.mark.parametrize("evil", EVIL.values(), ids=EVIL)
async def test_whatever_is_in_fields_messages_names_and_panels_it_is_text(tmp_path: Path, evil: str) -> None:
    edits = (Edit("set", "task.description", evil), Edit("insert", "demos.-", {"input": evil, "output": evil}))
    assistant = ScriptedFakeAssistant(Reply(evil, edits, evil))
    name = "".join(each for each in evil if each not in "/\x00")[:60]
    (tmp_path / "passages.jsonl").write_text(json.dumps({"text": evil, "title": evil}) + "\n")
    app = app_on(tmp_path, SPEC, assistant=assistant, keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await write(app, pilot, "/model fake http://127.0.0.1:9/v1", evil if evil.strip() else "x")
        check(app, 80)
        assert len(app.state.cards) == 1 and app.state.turns[-1].text == evil
        app.dispatch(Acted("accept"))
        app.dispatch(Acted("set", f"name {evil}"))
        app.dispatch(Acted("add", "corpus {files: [passages.jsonl], license: CC0-1.0}"))
        app.say(evil, is_bad=True)
        for line in ("/spec", "/issues", "/retrieve x", f"/verify {evil[:500]} => {evil[:500]}", f"/run {name}"):
            app.dispatch(Acted(*line[1:].split(" ", 1)) if " " in line else Acted(line[1:]))
            app.start_action(app.state.view)
            await settle(app, pilot)
            check(app, 80)
        app.dispatch(Shown("run", app.state.rev, evil, (evil, *evil.split("\n")), evil, (Mark(0, 0, 9, "bad"),)))
        await settle(app, pilot)
        check(app, 80)
        app.query_one(Prompt).put(evil)
        await pilot.press("escape")
        await settle(app, pilot)
        check(app, 80)
    assert not app.return_code


async def test_a_file_whose_name_is_hostile_is_opened_saved_and_shown(tmp_path: Path) -> None:
    for evil in (
        "[bold]a[ /].yaml".replace("/", "\u2215"),
        "\x1b[2Jb.yaml",
        "漢字.yaml",
        "\u202eabc.yaml",
        "a\nb.yaml",
        "\udcff.yaml",
    ):
        (tmp_path / evil).write_text(GSM8K, encoding="utf-8")
        app = SdrlApp(tmp_path / evil)
        async with app.run_test(size=(80, 24)) as pilot:
            await settle(app, pilot)
            app.dispatch(Acted("set", "seed 3"))
            app.dispatch(Acted("save"))
            await settle(app, pilot)
            check(app, 80)
            assert "✓ saved" in screen_text(app)
        assert (tmp_path / evil).read_text(encoding="utf-8") == app.state.text != GSM8K


def sizes(seed: int) -> list[tuple[int, int]]:
    chosen = random.Random(seed)
    return [(chosen.randint(2, 300), chosen.randint(2, 100)) for _ in range(SIZES)]


async def stream(app: SdrlApp, pilot: Pilot[None], fake: ScriptedFakeAssistant) -> None:
    """An answer under way."""
    await settle_open(app, pilot)
    app.dispatch(Acted("model", "fake http://127.0.0.1:9/v1"))
    app.dispatch(Said("tell me"))
    while not app.state.turns[-1].text:
        await pilot.pause(0.02)


async def resize(app: SdrlApp, pilot: Pilot[None], width: int, height: int) -> None:
    """Another size, once it is drawn."""
    await pilot.resize_terminal(width, height)
    end = time.monotonic() + MOST_S
    while app.screen._compositor.size != (width, height):
        assert time.monotonic() < end
        await pilot.pause()


async def at_rest(app: SdrlApp, pilot: Pilot[None]) -> str:
    """The screen once it stays as it is, the chat at its end."""
    await settle(app, pilot)
    log, end, before = app.query_one("#log"), time.monotonic() + MOST_S, ""
    while 0 <= log.scroll_offset.y != log.max_scroll_y or before != screen_text(app):  # a short one stands lower still
        assert time.monotonic() < end
        before = screen_text(app)
        await pilot.pause(0.02)
    return "\n".join(re.sub("[▁-▇]", " ", line).rstrip() for line in before.split("\n"))  # without its scrollbar


async def settle_open(app: SdrlApp, pilot: Pilot[None]) -> None:
    while not app.state.is_opened:
        await pilot.pause()


async def test_after_many_sizes_while_an_answer_streams_the_screen_is_that_of_a_fresh_start(tmp_path: Path) -> None:
    reply = Reply("A long answer. " * 50, (), "")
    shown: dict[tuple[int, int], str] = {}
    last = ((80, 24), (160, 48))
    fake = ScriptedFakeAssistant(reply, waits=True)
    app = app_on(tmp_path, GSM8K, assistant=fake, keeps_journal=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await stream(app, pilot, fake)
        for width, height in sizes(6):
            await resize(app, pilot, width, height)
            check(app, width)
        await pilot.press("escape")
        await settle(app, pilot)
        for size in last:
            await resize(app, pilot, *size)
            shown[size] = await at_rest(app, pilot)
    for size in last:
        again = ScriptedFakeAssistant(reply, waits=True)
        fresh = app_on(tmp_path, GSM8K, assistant=again, keeps_journal=False)
        async with fresh.run_test(size=size) as pilot:
            await stream(fresh, pilot, again)
            await pilot.press("escape")
            assert await at_rest(fresh, pilot) == shown[size]
