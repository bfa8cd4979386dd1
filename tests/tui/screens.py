"""``python -m tests.tui.screens`` writes the screens that are kept as text (``golden/``), and those of docs/tui.md.

Each is played by keys from a fixed beginning. What changes with every change of the compiler (prompts, plans) is not
kept; those panels are tested by what they hold.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sdrl_tui.prompt import Prompt

from sdrl.models.assistant import Reply
from sdrl.run.lock import hold
from sdrl.spec.edits import Edit
from tests.tui.driving import app_on, screen_text, settle, write
from tests.tui.fakes import ScriptedFakeAssistant
from tests.tui.panel_screens import COMPARED, panel_screens

GOLDEN = Path(__file__).parent / "golden"
PAGE = Path(__file__).parents[2] / "docs" / "tui.md"
SIZES = ((80, 24), (160, 48))
SPEC = """\
# Sums of small numbers
sdrl: 1
name: sums
task:
  description: Question answering in arithmetic. Each input is a sum of two numbers; it takes careful adding.
  output_format: "Write the number after ####."
answer: {type: nummer, extract: {marker: "####"}}
demos: [{input: "What is 1 + 1?", output: "#### 2"}]
budget: {usd: 150}
"""
STAGES = "keywords retrieve pattern generate vote probe adapt score select train evaluate".split()
ROWS = (1, 59, 1, 240, 240, 240, 233, 473, 247, 55, 1800)
DROPPED = {
    "generate": {"no_answer": 2, "no_json": 1},
    "vote": {"near_duplicate": 5, "vote_tie": 2, "low_agreement": 2, "duplicate": 1},
    "select": {"not_among_the_hardest": 181, "never_solved": 26, "rarely_solved": 10, "always_solved": 9},
}


def _at(second: int) -> str:
    return f"2026-11-25T10:{second // 60:02d}:{second % 60:02d}.000+00:00"


def _events() -> list[dict[str, object]]:
    """A run under way, as the demo looks in the middle of its training."""
    made: list[dict[str, object]] = [
        {"time": _at(0), "type": "run_started", "plan_hash": "ab" * 32, "name": "sums", "stages": STAGES, "pid": 1}
    ]
    for at, (stage, rows) in enumerate(zip(STAGES[:9], ROWS, strict=False)):
        kept = {"dropped": DROPPED.get(stage, {}), "seconds": 1.5 + at}
        made.append({"time": _at(at), "type": "stage_started", "stage": stage, "hash": "a"})
        made.append({"time": _at(at), "type": "stage_finished", "stage": stage, "hash": "a", "rows": rows, **kept})
    tenths = [38, 78, 65, 50, 50, 17, 19, 42, 47, 30]
    rates = {"n": 473, "draws": 32, "mean": 0.42, "never": 28, "tenths": tenths, "always": 9}
    made.append({"time": _at(10), "type": "pass_rates", "stage": "score", **rates})
    sent = {"sent": 1497, "cached": 3, "failed": 1, "in_flight": 0, "usd": 0.0}
    made.append({"time": _at(11), "type": "requests", "stage": "vote", "role": "instructor", **sent})
    made.append({"time": _at(12), "type": "stage_started", "stage": "train", "hash": "c"})
    for step in range(1, 33):
        figures = {"reward": 0.2 + 0.015 * step, "kl": 0.001 * step}
        made.append(
            {"time": _at(12 + step), "type": "metric", "stage": "train", "step": step, "max_steps": 80, **figures}
        )
        if step % 8 == 0:
            look = {"validation_accuracy": 0.4 + 0.012 * step, "max_steps": None}
            made.append({"time": _at(12 + step), "type": "metric", "stage": "train", "step": step, **look})
    alarm = {"kind": "zero_variance", "message": "60 % of the groups teach nothing", "remedy": "select harder samples"}
    made.append({"time": _at(44), "type": "alarm", "stage": "train", **alarm})
    return made


def _ending() -> list[dict[str, object]]:
    """The rest of it."""
    made: list[dict[str, object]] = []
    for at, (stage, rows) in enumerate(zip(STAGES[9:], ROWS[9:], strict=True)):
        kept = {"dropped": {}, "seconds": 60.0}
        made.append({"time": _at(50 + at), "type": "stage_finished", "stage": stage, "hash": "a", "rows": rows, **kept})
    for name, n, base, trained, interval in (
        ("test", 600, 0.46, 0.965, [0.463, 0.547]),
        ("ood", 300, 0.14, 0.367, [0.173, 0.28]),
    ):
        found = {"set": name, "n": n, "base": base, "trained": trained, "gain": trained - base, "interval": interval}
        made.append({"time": _at(60), "type": "gain", **found})
    return [*made, {"time": _at(61), "type": "run_finished", "status": "done", "exit": 0, "message": "done"}]


def _write(log: Path, events: list[dict[str, object]]) -> None:
    with log.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps({"v": 1, "seq": at, **event}) + "\n" for at, event in enumerate(events))


@contextmanager
def own_settings(folder: Path) -> Iterator[None]:
    """Settings that are nobody's."""
    kept = {name: os.environ.get(name) for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME")}
    os.environ.update(dict.fromkeys(kept, str(folder)))
    try:
        yield
    finally:
        for name, value in kept.items():
            os.environ.pop(name)
            os.environ.update({name: value} if value is not None else {})


async def screens(width: int, height: int) -> dict[str, str]:
    """Every kept screen of one size, by name."""
    shown: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name, own_settings(Path(name) / "own"):
        folder = Path(name)
        run = folder / "runs" / "sums"
        run.mkdir(parents=True)
        _write(run / "events.jsonl", _events())

        first = app_on(folder, keeps_journal=False)
        async with first.run_test(size=(width, height)) as pilot:
            await settle(first, pilot)
            shown["start"] = screen_text(first)
            await pilot.press("f1")
            await settle(first, pilot)
            shown["help"] = screen_text(first)
            await pilot.press("escape")
            await write(first, pilot, "/tour")
            shown["tour"] = screen_text(first)

        interview = app_on(folder, keeps_journal=False)
        async with interview.run_test(size=(width, height)) as pilot:
            task = "Question answering in arithmetic. Each input is a sum; it takes careful adding."
            await write(interview, pilot, "sums", task, "-", "Write the number after ####.")
            shown["interview"] = screen_text(interview)

        reply = Reply("A cheaper budget, and one more example.", EDITS, "you asked for both")
        app = app_on(folder, SPEC, assistant=ScriptedFakeAssistant(reply), keeps_journal=False)
        async with app.run_test(size=(width, height)) as pilot:
            await write(app, pilot, "/model scripted-fake http://127.0.0.1:9/v1", "cheaper, and another example please")
            shown["card"] = screen_text(app)
            for key, panel in (("f2", "spec"), ("f3", "issues")):
                await pilot.press(key)
                await settle(app, pilot)
                shown[panel] = screen_text(app)
            await write(app, pilot, "/set answer.type number", "/verify 1 + 1 is 2. #### 2 => 2")
            shown["verify"] = screen_text(app)
            with hold(run / "lock"):  # as the process of the run holds it
                await write(app, pilot, f"/run {run}")
                shown["run"] = screen_text(app).replace(str(run), "runs/sums")
            _write(run / "events.jsonl", _ending())
            await write(app, pilot, f"/run {run}")
            shown["run-done"] = screen_text(app).replace(str(run), "runs/sums")
            await pilot.press("escape", "slash", "p")
            await settle(app, pilot)
            shown["commands"] = screen_text(app)
            app.query_one(Prompt).put("/set train.s")
            await settle(app, pilot)
            shown["arguments"] = screen_text(app)
    return {name: _steady(text, str(folder)) for name, text in shown.items()}


EDITS = (Edit("set", "budget.usd", 80), Edit("insert", "demos.-", {"input": "What is 2 + 2?", "output": "#### 4"}))


def _steady(text: str, folder: str) -> str:
    """Without what differs from one machine to the next."""
    return re.sub(r"/tmp\S*", "FOLDER", text.replace(folder, "FOLDER"))


def golden(name: str, width: int) -> Path:
    """The file of a screen."""
    return GOLDEN / f"{name}-{width}.txt"


def of_size(name: str, width: int) -> str:
    """A screen's name on the page: those of 80 columns have no number."""
    return name if width == SIZES[0][0] else f"{name}-{width}"


def with_screens(page: str, kept: dict[str, str]) -> str:
    """The page with each block ``<!-- screen: NAME -->`` followed by that screen."""
    for name, text in kept.items():
        pattern = re.compile(rf"(<!-- screen: {name} -->\n```text\n).*?(\n```)", re.S)
        page = pattern.sub(lambda match, text=text: match[1] + text + match[2], page)  # type: ignore[misc]
    return page


def main() -> None:
    """Write all of them."""
    GOLDEN.mkdir(exist_ok=True)
    page = PAGE.read_text(encoding="utf-8")
    for width, height in SIZES:
        kept, panels = (asyncio.run(made(width, height)) for made in (screens, panel_screens))
        for name, text in {**kept, **{name: panels[name] for name in COMPARED}}.items():
            golden(name, width).write_text(text + "\n", encoding="utf-8")
        page = with_screens(page, {of_size(name, width): text for name, text in {**kept, **panels}.items()})
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
