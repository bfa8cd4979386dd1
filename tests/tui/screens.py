"""``python -m tests.tui.screens`` writes the screens that are kept as text (``golden/``), and those of docs/tui.md.

Each is played by keys from a fixed beginning. What changes with every change of the compiler (prompts, plans) is not
kept; those panels are tested by what they hold.
"""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from pathlib import Path

from sdrl.models.assistant import Reply
from sdrl.spec.edits import Edit
from tests.tui.driving import app_on, screen_text, settle, write
from tests.tui.fakes import ScriptedFakeAssistant

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
EVENTS = (
    {"type": "run_started", "plan_hash": "ab" * 32, "name": "sums", "stages": ["generate", "vote", "train"], "pid": 1},
    {"type": "stage_started", "stage": "generate", "hash": "a"},
    {
        "type": "stage_finished",
        "stage": "generate",
        "hash": "a",
        "rows": 240,
        "dropped": {"no_json": 3},
        "seconds": 1.5,
    },
    {"type": "stage_reused", "stage": "vote", "hash": "b", "rows": 200, "source": "store"},
    {"type": "requests", "stage": "vote", "role": "instructor", "sent": 1200, "cached": 3, "failed": 1, "in_flight": 0},
    {"type": "stage_started", "stage": "train", "hash": "c"},
    *(
        {
            "type": "metric",
            "stage": "train",
            "step": step,
            "max_steps": 80,
            "reward": 0.2 + 0.01 * step,
            "kl": 0.001 * step,
        }
        for step in range(1, 33)
    ),
    {"type": "alarm", "stage": "train", "kind": "zero_variance", "message": "60 % of the groups teach nothing"},
)


async def screens(width: int, height: int) -> dict[str, str]:
    """Every kept screen of one size, by name."""
    shown: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = folder / "runs" / "sums"
        run.mkdir(parents=True)
        lines = [json.dumps({"v": 1, "seq": at, "time": "", **event}) for at, event in enumerate(EVENTS)]
        (run / "events.jsonl").write_text("\n".join(lines) + "\n")

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
            await write(app, pilot, f"/run {run}")
            shown["run"] = screen_text(app).replace(str(run), "runs/sums")
            await pilot.press("escape", "slash", "p")
            await settle(app, pilot)
            shown["commands"] = screen_text(app)
    return {name: _steady(text, str(folder)) for name, text in shown.items()}


EDITS = (Edit("set", "budget.usd", 80), Edit("insert", "demos.-", {"input": "What is 2 + 2?", "output": "#### 4"}))


def _steady(text: str, folder: str) -> str:
    """Without what differs from one machine to the next."""
    return re.sub(r"/tmp\S*", "FOLDER", text.replace(folder, "FOLDER"))


def golden(name: str, width: int) -> Path:
    """The file of a screen."""
    return GOLDEN / f"{name}-{width}.txt"


def with_screens(page: str, kept: dict[str, str]) -> str:
    """The page with each block ``<!-- screen: NAME -->`` followed by that screen."""
    for name, text in kept.items():
        pattern = re.compile(rf"(<!-- screen: {name} -->\n```text\n).*?(\n```)", re.S)
        page = pattern.sub(lambda match, text=text: match[1] + text + match[2], page)  # type: ignore[misc]
    return page


def main() -> None:
    """Write all of them."""
    GOLDEN.mkdir(exist_ok=True)
    for width, height in SIZES:
        kept = asyncio.run(screens(width, height))
        for name, text in kept.items():
            golden(name, width).write_text(text + "\n", encoding="utf-8")
        if width == 80:
            PAGE.write_text(with_screens(PAGE.read_text(encoding="utf-8"), kept), encoding="utf-8")


if __name__ == "__main__":
    main()
