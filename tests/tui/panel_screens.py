"""The panels of a small spec that is whole, as screens: plan, prompt, passages, samples on trial, review.

What the compiler and the templates decide (plan, prompt) changes with them: such screens are shown in docs/tui.md and
not compared.
"""

from __future__ import annotations

import json
import re
import tempfile
from contextlib import chdir
from pathlib import Path

from sdrl.authoring.events import Acted, Sampled
from sdrl.authoring.state import Sample
from sdrl.run.artifacts import Artifacts
from sdrl.run.folder import RunFolder
from tests.tui.driving import app_on, screen_text, settle, write

COMPARED = ("retrieve", "samples", "review")
SPEC = """\
sdrl: 1
name: sums
task:
  description: Question answering in arithmetic. Each input is a sum of two numbers; it takes careful adding.
  output_format: "Write the number after ####."
  license: CC0-1.0
answer: {type: number, extract: {marker: "####"}}
demos: [{input: "What is 1 + 1?", output: "#### 2"}]
corpus: [{files: [passages.jsonl], license: CC0-1.0}]
models:
  instructor: {model: gpt-4o-2024-08-06, key_env: OPENAI_API_KEY, price: {input: 2.50, output: 10.00}}
  base: {model: toy-base, serve: embedded}
budget: {usd: 150}
"""
PASSAGES = (
    "The baker counts the loaves before dawn: forty of rye, sixty of wheat, and twelve for the school.",
    "A ferry takes thirty cars. On market days it crosses the river eleven times before noon.",
    "Every spring the two villages add up their sheep and argue about the sum.",
)
SAMPLES = (
    Sample("a", "A baker has 40 loaves of rye and 60 of wheat. How many loaves are there?", (), "100",
           "40 + 60 = 100\n#### 100", (("100", 14), ("96", 2)), 16, 0.875, PASSAGES[0]),
    Sample("b", "A ferry takes 30 cars and crosses 11 times. How many cars is that?", (), "330",
           "30 * 11 = 330\n#### 330", (("330", 16),), 16, 1.0, PASSAGES[1]),
    Sample("c", "One village has 212 sheep, the other 189. How many do they have together?", (), "401",
           "212 + 189 = 401\n#### 401", (("401", 11), ("391", 4)), 16, 0.6875, PASSAGES[2]),
)  # fmt: skip


async def panel_screens(width: int, height: int) -> dict[str, str]:
    """The screens of one size, by name."""
    shown: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name, chdir(name):
        folder = Path(name)
        (folder / "passages.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in PASSAGES))
        _run(folder / "runs" / "sums")
        app = app_on(folder, SPEC, keeps_journal=False)
        async with app.run_test(size=(width, height)) as pilot:
            for panel, line in (
                ("plan", "/plan"),
                ("prompt", "/prompt"),
                ("retrieve", "/retrieve adding a sum of sheep"),
            ):
                await write(app, pilot, line)
                shown[panel] = screen_text(app)
            await write(app, pilot, "/samples")
            app.dispatch(Sampled(app.state.rev, SAMPLES))
            app.dispatch(Acted("sample", "yes"))
            app.dispatch(Acted("sample", "back"))
            await settle(app, pilot)
            shown["samples"] = screen_text(app)
            await write(app, pilot, "/review")
            await pilot.press("y")
            await settle(app, pilot)
            shown["review"] = screen_text(app)
    return {name: re.sub(r"/tmp\S*", "FOLDER", text) for name, text in shown.items()}


def _run(root: Path) -> None:
    """A run with the samples, one of them hard and one dropped; its plan is not kept."""
    folder = RunFolder(root)
    folder.create()
    folder.events.write_text("")
    rows = [
        {"id": each.id, "part": "all", "origin": "initial", "input": each.input, "options": None, "gold": each.gold,
         "solution": each.solution, "votes": dict(each.votes), "agreement": each.agreement, "n_draws": each.draws,
         "passage": f"p{at}"}
        for at, each in enumerate(SAMPLES)
    ]  # fmt: skip
    scores = [{"id": row["id"], "draws": 32, "correct": 8 + 16 * at, "pass_rate": 0.25 + 0.5 * at}
              for at, row in enumerate(rows[:2])]  # fmt: skip
    passages = [{"part": "all", "passage": {"id": f"p{at}", "text": text}} for at, text in enumerate(PASSAGES)]
    made = {
        "retrieve": (passages, []),
        "score": (scores, []),
        "vote": (rows[:2], [{**rows[2], "code": "low_agreement"}]),
    }
    for stage, (kept, dropped) in made.items():
        Artifacts(folder, root).write(stage, "a", kept, dropped, came_in=1, seconds=0, notes={}, versions={})
