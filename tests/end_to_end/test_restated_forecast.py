"""The forecast that a run restates after 20 rows and later again, beside what it used in the end; a fake with latency.

The endpoint writes several times as much as the plan expects, from row to row very differently, and takes the longer
the more it writes. ``python -m tests.end_to_end.test_restated_forecast`` prints the figures for several seeds.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from sdrl.cli.main import main
from sdrl.cli.status import render, state_of
from sdrl.run.event_text import forecast_line
from sdrl.run.events import read_events
from sdrl.spec.diagnostics import Exit
from tests.compiler.project import write_project, write_rows
from tests.diagnostics.scenes_run import SPEC
from tests.models.imitation_batch import ImitationBatchApi, serving

WORKED = (
    "We begin with the first number. We count on from it by the second, one at a time, and write down each step: "
    "1, 2. #### 2"
)
PRICED = "concurrency: 16, price: {input: 2.5, cached_input: 1.25, output: 10}"
FIGURES = ("requests", "tokens", "usd")


class FakeVerbose:
    """Writes and votes; lengths by request, spread widely about their mean. Votes split on one row of three."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def luck(self, body: dict[str, Any], what: str) -> random.Random:
        seen = json.dumps([body["messages"], body.get("n"), what, self.seed])
        return random.Random(hashlib.sha256(seen.encode()).hexdigest())

    def says(self, body: dict[str, Any], place: int) -> str:
        text = str(body["messages"])
        if "response_format" in body:
            item = re.findall(r"Passage \d+", text)[-1]
            number = self.luck(body, "variant").randrange(10**6)
            if number % 12 == 0:
                return "I cannot"
            return json.dumps({"input": f"{item}, variant {number}: what is 1 plus 2?", "output": "#### 3"})
        hard = int(re.findall(r"variant (\d+)", text)[-1]) % 3 == 0
        return "#### 4" if hard and self.luck(body, f"{place}").random() < 0.3 else "#### 3"

    def uses(self, body: dict[str, Any], n: int) -> tuple[int, int]:
        luck = self.luck(body, "length")
        return 150 + luck.randrange(300), sum(int(luck.lognormvariate(4.6, 0.6)) for _ in range(n))

    def latency(self, body: dict[str, Any]) -> float:
        return 0.0002 * self.uses(body, body.get("n", 1))[1]


def run(folder: Path, seed: int, *words: str, exits: int = 0) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """The forecasts of one run up to its votes, which are all that it asks the instructor; and what it used."""
    fake = FakeVerbose(seed)
    with serving(ImitationBatchApi(says=fake.says, uses=fake.uses, latency=fake.latency)) as api:
        spec = SPEC.format(url=api.url).replace("model: some-model,", f"model: some-model, {PRICED},")
        spec = spec.replace("samples: 4, attempts: 4", "samples: 150").replace("stop_early: false", "stop_early: true")
        spec = spec.replace('output: "#### 2"', f'output: "{WORKED}"').replace("draws: 4, stop", "draws: 8, stop")
        write_project(folder, spec)
        write_rows(
            folder / "passages.jsonl", [{"id": f"p{n}", "text": f"Passage {n} about adding."} for n in range(300)]
        )
        options = ["--run", str(folder / "run"), "--store", str(folder / "store"), "--until", "vote", "--yes", *words]
        assert main(["run", str(folder / "sums.yaml"), *options]) == exits
    told = [event for event in read_events(folder / "run" / "events.jsonl") if event["type"] == "forecast"]
    used = json.loads((folder / "run" / "result.json").read_text())["usage"]
    return told, {name: used[name] for name in FIGURES}


def test_the_restated_forecast_is_within_a_fifth_of_the_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told, used = run(tmp_path, seed=1)
    said = [(event["stage"], event["rows"]) for event in told]
    assert said == [("generate", 20), ("generate", 60), ("vote", 20), ("vote", 60)]
    for before, later in ((told[0], told[1]), (told[2], told[3])):  # what has hardly moved is not said again
        assert any(later[name]["expected"] != pytest.approx(before[name]["expected"], rel=0.05) for name in FIGURES)
    first, last = told[-2:]
    for name in FIGURES:
        assert first[name]["expected"] == pytest.approx(used[name], rel=0.2), name
        assert last[name]["expected"] == pytest.approx(used[name], rel=0.1), name
        assert last[name]["low"] <= used[name] <= last[name]["high"], name
        assert last[name]["spent"] < used[name]
    assert last["usd"]["planned"] < 0.6 * used["usd"]  # the plan could not know how much this endpoint writes
    shown = capsys.readouterr().err
    assert f"forecast after 60 rows of vote: {forecast_line(last)}" in shown
    state = state_of(tmp_path / "run")
    assert state["forecast"] == {key: last[key] for key in ("stage", "rows", *FIGURES)}
    assert f"forecast: {forecast_line(last)}" in render(state | {"ended": None, "pid": 1})


def test_a_resumed_run_counts_what_was_spent_before_and_asks_only_for_the_rest(tmp_path: Path) -> None:
    """Ended by a cap half way through its votes."""
    before, spent = run(tmp_path, 2, "--budget", "requests=290", exits=int(Exit.BUDGET))
    told, used = run(tmp_path, 2)
    *_, again = told[len(before) :]
    assert again["stage"] == "vote"
    assert spent["requests"] <= again["requests"]["spent"] < used["requests"]
    for name in FIGURES:
        assert again[name]["expected"] == pytest.approx(used[name], rel=0.2), name


if __name__ == "__main__":
    for seed in range(int(sys.argv[1])):
        with tempfile.TemporaryDirectory() as folder:
            told, used = run(Path(folder), seed)
        for event in told:
            off = {name: f"{event[name]['expected'] / used[name] - 1:+.1%}" for name in FIGURES}
            inside = {name: event[name]["low"] <= used[name] <= event[name]["high"] for name in FIGURES}
            plan = f"{event['usd']['planned'] / used['usd'] - 1:+.0%}"
            sys.stdout.write(f"seed {seed} {event['stage']} {event['rows']}: {off} inside {inside} plan {plan}\n")
