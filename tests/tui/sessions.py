"""``python -m tests.tui.sessions [NAME …]`` records sessions of the app as journals (``tests/authoring/sessions``).

Each is a person at work for a while: what they typed, what a fake model said, what another program did meanwhile. A
journal that an earlier version recorded must replay to the text that its digests name: record one anew only where the
language or the table of actions changed on purpose, and read the diff.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from sdrl_tui.app import SdrlApp
from sdrl_tui.spec_editor import SpecEditor
from textual.pilot import Pilot

from sdrl.authoring.events import Acted, Sampled, Taken, Typed
from sdrl.authoring.journal import journal_path
from sdrl.authoring.state import Sample
from sdrl.models.assistant import Reply
from sdrl.spec.diagnostics import SdrlError
from sdrl.spec.edits import Edit
from tests.tui.driving import app_on, settle, write
from tests.tui.fakes import ScriptedFakeAssistant
from tests.tui.screens import own_settings

SESSIONS = Path(__file__).parents[1] / "authoring" / "sessions"
GSM8K = Path(__file__).parents[2] / "specs" / "gsm8k.yaml"
SMALL = """\
sdrl: 1
name: sums
task: {description: Question answering in arithmetic. Needs care., output_format: "Write the number after ####."}  # kept
answer: {type: number, extract: {marker: "####"}}
demos: [{input: "What is 1 + 1?", output: "#### 2"}]
"""  # noqa: E501 - a spec's own line
MODEL = "/model scripted-fake http://127.0.0.1:9/v1"
Session = Callable[[Path], Awaitable[None]]
Played = Callable[[SdrlApp, Pilot[None]], Awaitable[None]]


async def at(folder: Path, play: Played, text: str | None = None, fake: ScriptedFakeAssistant | None = None) -> None:
    """Play in the app, on a spec of a folder."""
    app = app_on(folder, text, assistant=fake)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await play(app, pilot)
        await settle(app, pilot)


def said(*lines: str, text: str | None = None) -> Session:
    """A session of lines alone."""

    async def play(app: SdrlApp, pilot: Pilot[None]) -> None:
        await write(app, pilot, *lines)

    return lambda folder: at(folder, play, text)


REST = ("CC0-1.0", "passages/*.jsonl", "CC0-1.0", "embedded", "-", "20000 requests")
CHOICE = said(
    "medical questions", "Question answering in medicine. Each task is a case with options.",
    "A case and four options.",
    "Reason step by step between <think> and </think>. Then write the letter, A to D, between <answer> and </answer>.",
    "yes", "-", *REST, "/plan", "/save",
)  # fmt: skip
LABELS = said(
    "inference", "Natural language inference in medicine. It takes careful reading.", "-",
    "Write entailment, neutral or contradiction between <answer> and </answer>.",
    "a label: entailment, neutral or contradiction", "yes", "A premise and a hypothesis.",
    "<answer>neutral</answer>", *REST, "/verify <answer>Neutral</answer> => neutral",
)  # fmt: skip
MATHS = said(
    "competition mathematics", "Question answering in mathematics. It takes proof-like care.", "-",
    r"Think step by step and write the final answer in \boxed{}.", "yes", "What is 1/2 + 1/3?",
    r"\boxed{\frac{5}{6}}", "CC-BY-SA-4.0", "wikimedia/wikipedia 20231101.en", "CC-BY-SA-4.0",
    "gpt-4o-2024-08-06", "2.50 10", "Qwen/Qwen2.5-Math-7B", "HuggingFaceH4/MATH-500", "problem", "answer",
    "150 dollars",
)  # fmt: skip
TOPICS = said(
    "topics", "Labelling of news. Each input is a paragraph; give every topic that fits.", "A paragraph.",
    "Between <topics> and </topics> write all topics that fit, of politics, economy and sport, separated by commas.",
    "/propose a set of politics, economy, sport in <topics>", "/accept", "politics, economy, sport", "-", *REST,
)  # fmt: skip
JSON = said(
    "invoices", "Extraction from invoices. Each input is the text of one.", "-",
    "Between <answer> and </answer> write one JSON object with the fields number and total.", "yes", "-",
    "/set answer.fields {number: {type: text}, total: {type: number}}", *REST,
)  # fmt: skip
BACK = said(
    "first name", "/back", "second-name", "A task.", "-", "/back", "/back",
    "Classification of short texts. It is easy.",
    "-", "Write spam or ham.", "no", "a label: spam or ham", "/skip", "/interview", "yes", "/undo", "/redo", "/undo",
)  # fmt: skip
EXAMPLE = said(
    "/example gsm8k", "/set budget.usd 20", "/add demos {input: 'What is 2 + 2?', output: '#### 4'}",
    "/add filter {rouge_l: 0.9}", "/move demos.0 1", "/remove filter.0", "/undo", "/undo", "/undo", "/redo", "/save",
)  # fmt: skip
MISTAKES = said(
    "/sett budget.usd 20", "/set", "/set budget.usd many", "/set answer.typ number", "/remove demos.7",
    "/move demos.0 x",
    "/accept", "/reject 9", "/amend", "/explain E205", "/explain nope", "/issues", "/next", "/demo half", "/save a.txt",
    "/reload", "/keep", "/diff", "//not a command", "/set answer.type label", "/next", "/issues 1", text=SMALL,
)  # fmt: skip
HOSTILE = said(
    "/set task.description [bold]no markup[/] {{ x }} {% y %}", "/set name 漢字 🙂",
    "/set task.input_format \x1b[2J\x07",
    "/demo ' \" # : - => #### 3", f"/set task.license {'x' * 5000}", "/undo", "\u202eback", "/set seed 3", text=SMALL,
)  # fmt: skip


async def typed(folder: Path) -> None:
    """A spec by hand, with undo and redo, and errors on the way."""

    async def play(app: SdrlApp, pilot: Pilot[None]) -> None:
        await pilot.press("f2")
        editor = app.query_one(SpecEditor)
        editor.move_cursor(editor.document.end)
        for keys in ("seed: ", "many", "\b\b\b\b", "7\n", "budget: {usd: 20}\n"):
            for key in keys:
                await pilot.press({"\b": "backspace", "\n": "enter"}.get(key, key))
            await settle(app, pilot)
        await pilot.press("ctrl+z", "ctrl+z", "ctrl+y", "ctrl+n", "ctrl+s")

    await at(folder, play, SMALL)


async def cards(folder: Path) -> None:
    """A card taken in part, one changed first, one outrun by the text, one refused."""
    edits = (
        Edit("set", "budget.usd", 80),
        Edit("set", "seed", 3),
        Edit("insert", "demos.-", {"input": "a", "output": "b"}),
    )
    fake = ScriptedFakeAssistant(Reply("Three things.", edits, "you asked"))

    async def play(app: SdrlApp, pilot: Pilot[None]) -> None:
        await write(app, pilot, MODEL, "cheaper", "/accept 1 1", "/amend 1 seed 5", "/accept 1 seed", "/reject")
        fake.reply = Reply("One more.", (Edit("set", "seed", 9),), "")
        await write(app, pilot, "and?", "/set seed 6", "/accept", "/accept", "/undo", "/undo")
        fake.reply = Reply("That cannot be.", (Edit("set", "nope.x", 1),), "")
        await write(app, pilot, "something else", "/accept", "/reject 3")

    await at(folder, play, SMALL, fake)


async def failures(folder: Path) -> None:
    """A model that refuses, answers, and is stopped in the middle."""
    fake = ScriptedFakeAssistant(SdrlError("", "the endpoint refused the key", help="check MY_KEY"))

    async def play(app: SdrlApp, pilot: Pilot[None]) -> None:
        await write(app, pilot, MODEL, "help me")
        fake.reply = Reply("Better now.", (), "")
        await write(app, pilot, "again", "/model off", "anyone there?")

    await at(folder, play, SMALL, fake)
    waiting = ScriptedFakeAssistant(Reply("It is long", (), ""), waits=True)

    async def stopped(app: SdrlApp, pilot: Pilot[None]) -> None:
        app.dispatch(Acted("model", "scripted-fake http://127.0.0.1:9/v1"))
        app.query_one("#prompt").put("go on")  # type: ignore[attr-defined]
        await pilot.press("enter")
        while not app.state.turns[-1].text:
            await pilot.pause(0.02)
        await pilot.press("escape")

    await at(folder, stopped, None, waiting)


def outside(*lines: str) -> Session:
    """Another program changes the file while there is something to lose."""

    async def play(app: SdrlApp, pilot: Pilot[None]) -> None:
        await write(app, pilot, "/set budget.usd 99")
        Path(app.state.path).write_text(SMALL + "seed: 3\n")
        app._look_around()
        await write(app, pilot, *lines)

    return lambda folder: at(folder, play, SMALL)


async def endings(folder: Path) -> None:
    """Carriage returns, typed in and edited."""

    async def play(app: SdrlApp, pilot: Pilot[None]) -> None:
        app.dispatch(Typed(0, 0, "# a line of its own\r\n"))
        await write(app, pilot, "/set seed 4", "/demo 2 + 2? => #### 4", "/remove demos.0", "/save")

    (folder / "task.yaml").write_bytes(SMALL.replace("\n", "\r\n").encode())
    await at(folder, play)


async def samples(folder: Path) -> None:
    """Samples on trial: one becomes a demo, two are rejected for one reason, the edit that is offered is taken."""
    made = tuple(
        Sample(f"s{n}", f"What is {n} + {n}?", (), f"{2 * n}", f"#### {2 * n}", ((f"{2 * n}", 3), ("7", 1)), 5, 0.6)
        for n in range(1, 5)
    )

    async def play(app: SdrlApp, pilot: Pilot[None]) -> None:
        app.dispatch(Acted("samples", "4"))
        app.dispatch(Sampled(app.state.rev, made))
        await write(
            app, pilot, "/sample yes", "/sample demo", "/sample no output wrong", "/sample no output also wrong"
        )
        await write(app, pilot, "/accept", "/undo")

    await at(folder, play, SMALL)


async def editor(folder: Path) -> None:
    """The text of another editor, as it comes back."""

    async def play(app: SdrlApp, pilot: Pilot[None]) -> None:
        app.dispatch(Taken("an editor", SMALL + "budget: {usd: 10}\n"))
        app.dispatch(Taken("an editor", app.state.text))
        await write(app, pilot, "/undo", "/redo", "/set budget.usd 11")

    await at(folder, play, SMALL)


async def sittings(folder: Path) -> None:
    """Three sittings: the second goes on where the first ended, the third finds the file changed."""
    await said("sums", "Question answering in arithmetic. Needs care.", "-")(folder)

    async def second(app: SdrlApp, pilot: Pilot[None]) -> None:
        await write(app, pilot, "Write the number after ####.", "yes", "/save")

    await at(folder, second)
    spec = folder / "task.yaml"
    spec.write_text(spec.read_text() + "seed: 3\n")

    async def third(app: SdrlApp, pilot: Pilot[None]) -> None:
        await write(app, pilot, "/undo", "/redo", "/set seed 4", "/save")

    await at(folder, third)


async def long(folder: Path) -> None:
    """Two hundred changes and half of them undone."""

    async def play(app: SdrlApp, pilot: Pilot[None]) -> None:
        for number in range(200):
            app.dispatch(Acted("set", f"{('seed', 'budget.usd', 'budget.requests')[number % 3]} {number + 1}"))
        for number in range(100):
            app.dispatch(Acted("undo" if number % 5 else "redo"))

    await at(folder, play, SMALL)


RECORDED: dict[str, Session] = {
    "a-choice": CHOICE,
    "labels": LABELS,
    "mathematics": MATHS,
    "topics": TOPICS,
    "json-answers": JSON,
    "back-and-skipped": BACK,
    "an-example-changed": EXAMPLE,
    "mistakes": MISTAKES,
    "hostile-text": HOSTILE,
    "typed-by-hand": typed,
    "cards-in-part": cards,
    "a-model-that-fails": failures,
    "changed-outside-reloaded": outside("/diff", "/reload", "/undo", "/redo"),
    "changed-outside-kept": outside("/diff", "/keep", "/save"),
    "carriage-returns": endings,
    "samples-judged": samples,
    "another-editor": editor,
    "three-sittings": sittings,
    "three-hundred-steps": long,
}


def main(names: list[str]) -> None:
    """Record those named, or all."""
    SESSIONS.mkdir(exist_ok=True)
    for name in names or RECORDED:
        with tempfile.TemporaryDirectory() as place, own_settings(Path(place) / "own"):
            os.environ["PATH"] = ""
            folder = Path(place) / "work"
            folder.mkdir()
            asyncio.run(RECORDED[name](folder))  # type: ignore[arg-type]
            kept = journal_path(folder / "task.yaml").read_text(encoding="utf-8")
            (SESSIONS / f"{name}.journal").write_text(kept.replace(str(folder), "FOLDER"), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
