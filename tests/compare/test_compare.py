"""A suite of two arms end to end on the embedded models, killed in its second cell and gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from sdrl.compare.page import page_of, picture_of
from sdrl.report.rendering import to_markdown
from sdrl.spec.locate import specs_dir
from tests.waiting import comes_true

SUITE = """\
suite: 1
name: tiny
spec: {spec}
set:
  corpus: []
  synthesize.samples: 16
  vote.draws: 2
  adapt.rounds: 0
  score.draws: 6
  score.adaptive: false
  filter: [{{duplicates: true}}]
  probe.min_parsable: 0
  select.samples: 4
  select.min: 1
  select.min_solved: 1
  validate.share: 0
  train.algorithm: sft
  train.epochs: 1
  evaluate:
    - name: test
      file: data/word-problems-test.jsonl
      limit: 20
      input: "{{question}}"
      gold: {{field: answer, extract: {{marker: "####"}}}}
      sampling: {{temperature: 0, max_tokens: 40}}
arms: [reference, own-majority, targen]
seeds: [0]
"""
PATIENCE_S = 240


def command(folder: Path, *words: str) -> list[str]:
    where = ["--dir", str(folder / "run"), "--store", str(folder / "store")]
    return [sys.executable, "-m", "sdrl", "compare", str(folder / "suite.yaml"), *where, "--yes", *words]


def kill_in_the_second_cell(folder: Path) -> None:
    """Start the suite and kill it, and nothing but it, when the second cell has begun."""
    began = folder / "run" / "cells" / "own-majority--0" / "events.jsonl"
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command(folder), stdout=log, stderr=log)
    assert comes_true(lambda: began.exists() or process.poll() is not None, pause_s=0.02)
    assert process.poll() is None, (folder / "log").read_text()
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(PATIENCE_S) == -signal.SIGKILL


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_killed_suite_goes_on_and_says_what_it_found(tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text(SUITE.format(spec=specs_dir() / "word-problems.yaml"))
    kill_in_the_second_cell(tmp_path)
    cells = tmp_path / "run" / "cells"
    first = (cells / "reference--0" / "events.jsonl").read_bytes()

    ended = subprocess.run(command(tmp_path, "--json"), capture_output=True, text=True, timeout=PATIENCE_S, check=False)

    assert ended.returncode == 0, ended.stderr
    assert "cell 1 of 1: own-majority--0" in ended.stderr
    assert (cells / "reference--0" / "events.jsonl").read_bytes() == first  # a finished cell is not touched
    results = json.loads(ended.stdout)
    assert results == json.loads((tmp_path / "run" / "results.json").read_text())
    check_figures(results, cells)
    check_labels(cells)
    check_pages(results, tmp_path / "run")
    shared = [event for event in lines(cells / "own-majority--0" / "events.jsonl") if event["type"] == "stage_reused"]
    assert {event["stage"] for event in shared} >= {"generate", "vote", "score", "select"}

    again = subprocess.run(command(tmp_path), capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert again.returncode == 0, again.stderr
    assert "cell 1" not in again.stderr
    assert (cells / "reference--0" / "events.jsonl").read_bytes() == first


def check_figures(results: dict[str, Any], cells: Path) -> None:
    """Every accuracy is that of the rows, and what needs a real instructor has none."""
    assert results["cells"] == {"planned": 2, "done": 2}
    reference, majority, targen = results["arms"]
    for row in (reference, majority):
        answers = lines(cells / f"{row['arm']}--0" / "artifacts" / "evaluate.jsonl")
        right = [each["verdict"] == "correct" for each in answers if each["model"] == "trained"]
        assert row["accuracy"] == sum(right) / 20
        assert row["seeds"][0]["seed"] == 0
        assert 0 < row["train_seconds"] < row["recipe_seconds"]
    assert reference["base"] == majority["base"]
    assert (targen["open"], targen["accuracy"], targen["seeds"]) == ("needs a real instructor", None, [])
    asked, left_open = results["questions"]
    assert abs(asked["difference"] - (majority["accuracy"] - reference["accuracy"])) < 1e-6
    assert asked["n_problems"] == 20
    assert left_open["verdict"] == "needs a real instructor"
    assert "p" not in left_open


def check_labels(cells: Path) -> None:
    """The control trained on the base model's own majority, and the other arm on the vote's labels."""
    for arm, key in (("reference", "gold"), ("own-majority", "majority")):
        root = cells / f"{arm}--0"
        chosen = {row["id"]: row[key] for row in lines(root / "artifacts" / "select.jsonl")}
        learned = {row["id"]: row["gold"] for row in lines(root / "training" / "train.jsonl")}
        assert learned == {id_: gold for id_, gold in chosen.items() if gold is not None}
        seal = json.loads((root / "artifacts" / "train.seal.json").read_text())
        assert seal["notes"]["labels"] == ("own-majority" if key == "majority" else "voted")


def check_pages(results: dict[str, Any], root: Path) -> None:
    table = (root / "table.md").read_text()
    assert table == to_markdown(page_of(results))
    assert "| targen | 0 | – | needs a real instructor |  |  |" in table
    picture = picture_of(results)
    assert picture is not None
    assert "own-majority" in picture
    assert picture.split(">", 1)[1] in (root / "differences.svg").read_text()
