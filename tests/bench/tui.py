"""``make bench-tui [PART …]``: the terminal app's budgets in a real pseudo-terminal, beside a bare Textual app.

Parts: start, completing, keys, panels, kills, suite. Each figure stands with its budget and ``held`` or ``NOT HELD``;
one that is not held ends it with 1. The budgets are those of an idle machine; the bare app's row tells how idle this
one was.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sdrl.authoring.completing import completions
from sdrl.authoring.events import Acted
from sdrl.authoring.journal import Journal, journal_path
from sdrl.authoring.state import State
from sdrl.authoring.workbench import Workbench, opened, recovered
from tests.bench.tui_panels import panels
from tests.bench.tui_terminal import ROOT, Program

STARTS, KEYS, EDITS, KILLS, TIMES = 5, 60, 20, 50, 9
SETTLE_S, REST_S, TYPING_S = 0.5, 0.05, 0.04
FAST_S = 0.12  # between the letters of somebody who types fast
PROMPT, F2, BACKSPACE = b"rite, or / for", b"\x1bOQ", b"\x7f"  # the cursor stands on the first letter
CLEAR = b"\x15"  # ctrl+u
MENU_LINES = ("/set budget.usd 1", "/set demos.12.input W", "/remove demos.2", "/explain gpu", "/open ta", "/set kl")
PROBE = [sys.executable, "-m", "tests.bench.tui_probe"]
BARE = """
from textual.app import App
from textual.widgets import Input
class Bare(App):
    def compose(self): yield Input(placeholder='READY')
Bare().run()
"""
SPEC = """\
sdrl: 1
name: long
task: {description: Add., output_format: "Write it after ####."}
answer: {type: number, extract: {marker: "####"}}
demos:
"""


class Report:
    """Prints figures, and remembers whether all budgets held."""

    def __init__(self) -> None:
        self.is_held = True

    def says(self, what: str, figure: float, unit: str, most: float | None = None, more: str = "") -> None:
        """One figure; without a budget it is only told."""
        verdict = ""
        if most is not None:
            verdict = f"<= {most:g}: {'held' if figure <= most else 'NOT HELD'}"
            self.is_held = self.is_held and figure <= most
        print(f"{what:<46} {figure:8.1f} {unit:<4} {verdict:<20} {more}".rstrip(), flush=True)


def part_of(figures: list[float], share: float) -> float:
    """The figure that so great a share of them does not exceed."""
    return sorted(figures)[min(int(share * len(figures)), len(figures) - 1)]


def prepare(folder: Path) -> None:
    """A shipped spec, one of 100 KB, a small one, and one with a chat of 100 turns and a made-up model."""
    (folder / "state" / "sdrl").mkdir(parents=True)
    (folder / "state" / "sdrl" / "app.json").write_text(json.dumps({"has_toured": True}))
    (folder / "gsm8k.yaml").write_bytes((ROOT / "specs" / "gsm8k.yaml").read_bytes())
    demos = [f'  - {{input: "{"What is the sum of these? " * 12}{at}", output: "#### 2"}}\n' for at in range(300)]
    (folder / "long.yaml").write_text(SPEC + "".join(demos))
    (folder / "small.yaml").write_text(SPEC + "".join(demos[:2]))
    corpus = "corpus: [{files: [passages.jsonl], license: CC0-1.0}]\n"
    (folder / "panels.yaml").write_text(SPEC + "".join(demos) + corpus)
    passages = [json.dumps({"text": f"The sum of {at} sheep and {at % 97} goats. " * 20}) for at in range(5000)]
    (folder / "passages.jsonl").write_text("\n".join(passages))
    for name, count in (("turns", 100), ("many-turns", 1000)):
        turns = folder / f"{name}.yaml"
        turns.write_bytes((folder / "small.yaml").read_bytes())
        bench = Workbench(lambda effect: None)
        journal = Journal(journal_path(turns), time.monotonic)
        bench.keep_in(journal)
        bench.dispatch(opened(turns))
        bench.dispatch(Acted("model", "made-up http://127.0.0.1:9/v1"))
        while len(bench.state.turns) < count:
            bench.dispatch(Acted("set", "seed 1"))
        journal.close()


def starts(folder: Path, report: Report) -> None:
    """First paint and memory: a bare app, then each spec; one start of each in turn, as the load changes."""
    app = [sys.executable, "-m", "sdrl", "tui"]
    rows = {
        "bare Textual": ([sys.executable, "-c", BARE], b"EADY", b"EADY"),
        "new spec": ([*app, "new.yaml"], PROMPT, b"What shall"),
        "gsm8k": ([*app, "gsm8k.yaml"], PROMPT, b"/interview"),
        f"{(folder / 'long.yaml').stat().st_size // 1000} KB spec": ([*app, "long.yaml"], PROMPT, b"/interview"),
        "chat of 100 turns": ([*app, "turns.yaml"], PROMPT, b"seed"),
        "chat of 1,000 turns": ([*app, "many-turns.yaml"], PROMPT, b"seed"),
    }
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in rows}
    for run in range(STARTS + 1):
        for name, (words, first, ready) in rows.items():
            program = Program(words, folder)
            paint, opened_s = program.read_until(first), program.read_until(ready)
            program.quiet(SETTLE_S)
            if run:  # the first start compiles
                found[name].append((paint * 1000, opened_s * 1000, program.megabytes()))
            program.end()
    bare = statistics.median(each[0] for each in found["bare Textual"])
    for name, runs in found.items():
        paint, ready_ms, memory = (statistics.median(column) for column in zip(*runs, strict=True))
        is_bare = name == "bare Textual"
        best = f"best {min(each[0] for each in runs):.0f}"
        report.says(f"first paint, {name}", paint, "ms", None if is_bare else 500, best)
        if not is_bare:
            report.says("  beside the bare app", paint / bare, "x", 3)
            report.says("  spec opened and shown", ready_ms, "ms")
        report.says("  memory", memory, "MB", None if is_bare else 90)


def probed(
    folder: Path, kind: str, spec: str, work: Callable[[Program], list[float]], size: tuple[int, int] = (24, 80)
) -> tuple[list[float], list[float], float]:
    """What ``work`` measured in a probed app, how late its event loop was meanwhile, and its memory at the end."""
    lags = folder / "lags"
    program = Program([*PROBE, kind, str(lags), spec], folder, size)
    try:
        program.read_until(b"EADY" if kind == "bare" else PROMPT)
        program.read_for(SETTLE_S * 3)
        before = len(lags.read_text().splitlines())
        took = work(program)
        return took, [float(line) for line in lags.read_text().splitlines()[before:]], program.megabytes()
    finally:
        program.end()


def keys_typed(program: Program) -> list[float]:
    """Keystrokes with nothing else under way, or whatever is under way by itself."""
    return [program.key(REST_S) for _ in range(KEYS)]


def keys_in_menu(program: Program) -> list[float]:
    """Commands letter by letter, each of which filters the menu of what they take."""
    took = []
    for line in MENU_LINES:
        program.type(CLEAR)  # the first time what was typed in an earlier session
        program.read_for(SETTLE_S)
        took += [program.letter(line[: at + 1].encode(), FAST_S) for at in range(len(line))]
    return took


def keys_in_stream(program: Program) -> list[float]:
    """Keystrokes while an answer comes."""
    program.type(b"tell me\r")
    program.read_until(b"answering")
    program.read_until(b"word")
    took = keys_typed(program)
    if b"word" not in program.seen[-200_000:]:
        raise TimeoutError("the answer had ended")
    return took


def edits_typed(program: Program) -> list[float]:
    """A letter before the spec's first, and its removal, in turn."""
    program.type(F2)
    program.read_for(SETTLE_S)
    took = []
    for at in range(EDITS):
        took.append(program.edit(BACKSPACE if at % 2 else b"x"))
        program.read_for(REST_S * 4)
    return took


def keys(folder: Path, report: Report) -> None:
    """Keystroke to paint, edit to diagnostics, and the event loop's lag in those sessions."""
    bare, bare_late, _ = probed(folder, "bare", "", keys_typed)
    report.says(
        "key to paint p95, bare Textual", part_of(bare, 0.95), "ms", None, f"median {statistics.median(bare):.1f}"
    )
    report.says("loop lag p99, bare Textual", part_of(bare_late, 0.99), "ms", None, f"{len(bare_late)} ticks")
    sessions: list[tuple[str, str, str, Callable[[Program], list[float]], tuple[int, int], float | None]] = [
        ("key to paint p95, idle", "app", "gsm8k.yaml", keys_typed, (24, 80), 16),
        ("key to paint p95, idle, 100 KB spec", "app", "long.yaml", keys_typed, (24, 80), 16),
        ("key to paint p95, menu of arguments", "app", "gsm8k.yaml", keys_in_menu, (24, 80), 16),
        ("key to paint p95, menu, 100 KB spec", "app", "long.yaml", keys_in_menu, (24, 80), 16),
        ("key to paint p95, answer streams, 100 turns", "app", "turns.yaml", keys_in_stream, (24, 80), 50),
        ("key to paint p95, plan, verify, retrieve", "panels", "panels.yaml", keys_typed, (40, 120), 30),
        ("  the same in threads", "panels-in-threads", "panels.yaml", keys_typed, (40, 120), None),
        ("edit to diagnostics p95, small spec", "app", "small.yaml", edits_typed, (24, 80), 200),
        ("edit to diagnostics p95, 100 KB spec", "app", "long.yaml", edits_typed, (24, 80), 200),
    ]
    late: list[float] = []
    for name, kind, spec, work, size, most in sessions:
        took, lags, memory = probed(folder, kind, spec, work, size)
        late += lags if most is not None else []
        more = f"median {statistics.median(took):.1f}, worst {max(took):.0f}; lag p99 {part_of(lags, 0.99):.1f}"
        report.says(name, part_of(took, 0.95), "ms", most, f"{more}; {memory:.0f} MB")
    report.says(
        "loop lag p99, all of these", part_of(late, 0.99), "ms", 50, f"worst {max(late):.0f}, {len(late)} ticks"
    )


def completing(folder: Path, report: Report) -> None:
    """What completing a line costs by itself, letter by letter; the first time a text is read and later ones apart."""
    for name in ("gsm8k", "long"):
        state = State(text=(folder / f"{name}.yaml").read_text(), is_opened=True)
        first = timed(lambda state=state: completions(state, "/set "))  # type: ignore[misc]
        lines = [line[: at + 1] for line in MENU_LINES for at in range(len(line))] * TIMES
        took = [timed(lambda line=line, state=state: completions(state, line)) for line in lines]  # type: ignore[misc]
        size = f"{len(state.text) // 1000} KB spec"
        report.says(f"completing a line, {size}, CPU p95", part_of(took, 0.95), "ms", 2, f"worst {max(took):.1f}")
        report.says("  the first time", first, "ms")


def timed(work: Callable[[], object]) -> float:
    """Milliseconds of the processor that it took."""
    begin = time.process_time()
    work()
    return (time.process_time() - begin) * 1000


def lost_by_kill(folder: Path, number: int, in_spec: bool, after_s: float) -> float:
    """Seconds of typing that a kill -9 lost: from the first letter that did not come back until the kill."""
    spec = folder / f"kill{number}.yaml"
    text = (folder / "small.yaml").read_text()
    spec.write_text(text)
    program = Program([sys.executable, "-m", "sdrl", "tui", spec.name], folder)
    program.read_until(PROMPT)  # typed into from the first paint on, before the spec is open
    if in_spec:
        program.read_until(b"/interview")
        program.type(F2)
        program.read_for(SETTLE_S)
    pressed, begin = list[float](), time.monotonic()
    letters = "".join(random.choices("abcdefgh", k=1000))
    while time.monotonic() - begin < after_s:
        pressed.append(time.monotonic())
        program.type(letters[len(pressed) - 1].encode())
        program.read_for(TYPING_S)
    killed = program.end()
    bench = recovered(spec, journal_path(spec))
    back = "" if bench is None else bench.state.text.removesuffix(text) if in_spec else bench.state.draft
    kept = next((at for at in range(len(pressed)) if back[at : at + 1] != letters[at]), len(pressed))
    return killed - pressed[kept] if kept < len(pressed) else 0.0


def kills(folder: Path, report: Report) -> None:
    """Kills at random moments of the first seconds, typing in the prompt and in the spec in turn."""
    lost = []
    for number in range(KILLS):
        after_s = random.uniform(0.05, 4.0)
        lost.append(lost_by_kill(folder, number, bool(number % 2), after_s))
        where = "spec" if number % 2 else "prompt"
        print(f"  kill {number + 1:2}, {after_s:.2f} s of typing in the {where}: {lost[-1]:.2f} s lost", flush=True)
    report.says(f"typing lost by kill -9, worst of {KILLS}", max(lost), "s", 1, f"median {statistics.median(lost):.2f}")


def suite(folder: Path, report: Report) -> None:
    """The app's own tests; apart from them the one that runs word problems to their end, most of it models' time."""
    for what, marked, most in (
        ("the app's tests", "not slow", 120),
        ("  and a run from nothing to its gain", "slow", None),
    ):
        words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", marked, "tests/tui"]
        begin = time.monotonic()
        ended = subprocess.run(words, cwd=ROOT, check=False, capture_output=True, text=True)
        report.says(what, time.monotonic() - begin, "s", most, "" if not ended.returncode else ended.stdout[-300:])
        report.is_held = report.is_held and not ended.returncode


PARTS = {"start": starts, "completing": completing, "keys": keys, "panels": panels, "kills": kills, "suite": suite}


def main(parts: list[str]) -> int:
    """Measure the parts named, or all; 1 where a budget is not held."""
    report = Report()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for part in parts or PARTS:
        with tempfile.TemporaryDirectory() as name:
            prepare(Path(name))
            PARTS[part](Path(name), report)
    print(f"load {os.getloadavg()[0]:.1f}; {'all held' if report.is_held else 'NOT all held'}")
    return 0 if report.is_held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
