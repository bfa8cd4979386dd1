"""The whole line once, with real parts: HTTP, Tantivy, TRL under accelerate, the toy base and the scripted instructor.

Smaller than the demo in every count and nothing else. What it must show is that every figure can be recomputed from the
artifacts, that the result is usable, and that the same command again asks nobody.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sdrl.compiler.plan import STAGES

SPECS = Path(__file__).parents[2] / "specs"
SMALLER = {
    r"synthesize: \{.*\}": "synthesize: {samples: 32, sampling: {temperature: 0.7, max_tokens: 512}}",
    r"vote: \{.*\}": "vote: {draws: 4, sampling: {temperature: 0.7, max_tokens: 256}}",
    r"score: \{.*\}": "score: {draws: 8, adaptive: false, sampling: {temperature: 0.7, max_tokens: 72}}",
    r"select: \{.*\}": "select: {samples: 12, min: 4, min_solved: 1}",
    r"(shift: iid|file: data/word-problems-test.jsonl)": r"\1\n    limit: 40",
    r"(file: data/word-problems-ood.jsonl)": r"\1\n    limit: 20",
}


def sdrl(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
    return subprocess.run(
        [sys.executable, "-m", "sdrl", *words], cwd=folder, capture_output=True, text=True, check=False, env=env
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder after ``sdrl run``."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("data", "passages", "prompts"):
        shutil.copytree(SPECS / name, folder / name)
    text = (SPECS / "word-problems.yaml").read_text()
    for pattern, replacement in SMALLER.items():
        text, count = re.subn(pattern, replacement, text, count=1)
        assert count == 1, pattern
    text = re.sub(r"train:\n(  .*\n)+", TRAIN, text, count=1)
    (folder / "small.yaml").write_text(text)
    stop_in_training(folder)
    done = sdrl(folder, "run", "small.yaml", "--run", "run", "--yes")
    assert done.returncode == 0, done.stderr
    assert "score" in done.stderr and "kept from this run" in done.stderr
    return folder


def stop_in_training(folder: Path) -> None:
    """Start the run, ask it to stop at its first training step, and see it end resumable with a checkpoint."""
    words = [sys.executable, "-m", "sdrl", "run", "small.yaml", "--run", "run", "--yes"]
    with subprocess.Popen(words, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("train") and "step" in line:
                break
        else:
            pytest.fail("the run ended before it trained")
        assert sdrl(folder, "stop", "run").returncode == 0
        rest = process.stderr.read()
    assert process.returncode == 5, rest
    assert "the same command" in rest
    assert list((folder / "run/training/checkpoints").iterdir())


TRAIN = """train:
  epochs: 3
  learning_rate: 1e-4
  prompts_per_step: 2
  rollouts: 4
  max_completion_tokens: 48
"""


def rows(project: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (project / "run/artifacts" / f"{name}.jsonl").read_text().splitlines()]


def result(project: Path) -> dict[str, Any]:
    made: dict[str, Any] = json.loads((project / "run/result.json").read_text())
    return made


def test_every_stage_is_sealed_and_the_funnel_counts_its_rows(project: Path) -> None:
    funnel = {row["stage"]: row for row in result(project)["funnel"]}
    stages = "keywords retrieve pattern generate vote probe adapt score select train evaluate".split()
    assert list(funnel) == stages
    for stage in stages:
        assert funnel[stage]["rows"] == len(rows(project, stage))
        assert funnel[stage]["dropped"] == Counter(row["code"] for row in rows(project, f"{stage}.dropped"))
    assert result(project)["status"] == "done"


def test_the_figures_of_the_result_are_those_of_the_artifacts(project: Path) -> None:
    answers = rows(project, "evaluate")
    for evaluation in result(project)["evaluations"]:
        for model in ("base", "trained"):
            mine = [row for row in answers if row["set"] == evaluation["name"] and row["model"] == model]
            assert len(mine) == evaluation["n_problems"]
            right = sum(row["verdict"] == "correct" for row in mine)
            readable = sum(row["verdict"] in ("correct", "incorrect") for row in mine)
            assert evaluation[model]["accuracy"] == pytest.approx(right / len(mine), abs=1e-6)
            assert evaluation[model]["parsable"] == pytest.approx(readable / len(mine), abs=1e-6)
        gain = evaluation["trained"]["accuracy"] - evaluation["base"]["accuracy"]
        assert evaluation["gain"] == pytest.approx(gain, abs=1e-5)
        assert evaluation["gain_format"] + evaluation["gain_skill"] == pytest.approx(gain, abs=1e-5)


def test_samples_know_where_they_come_from(project: Path) -> None:
    passages = {row["passage"]["id"] for row in rows(project, "retrieve")}
    voted = {row["id"]: row for row in rows(project, "vote")}
    assert {row["passage"] for row in voted.values()} <= passages
    for row in rows(project, "adapt"):
        assert row["parent"] in voted
    train = {row["passage"] for row in rows(project, "select") if row["split"] == "train"}
    validation = {row["passage"] for row in rows(project, "select") if row["split"] == "validation"}
    assert not train & validation


def test_the_trained_model_loads_and_is_not_the_base(project: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(project / "run/model")
    model = AutoModelForCausalLM.from_pretrained(project / "run/model")
    text = "Ada has 3 apples.\nWork step by step and write the final number after ####.\n"
    assert tokenizer.decode(tokenizer(text).input_ids) == text
    assert model.config.vocab_size >= len(tokenizer)
    metrics = rows(project, "train")
    assert [row["step"] for row in metrics] == sorted({row["step"] for row in metrics})
    assert any("reward" in row for row in metrics)


def test_the_card_says_what_the_model_is_and_how_to_ask_it(project: Path) -> None:
    import yaml

    card = (project / "run/model/README.md").read_text(encoding="utf-8")
    _, head, body = card.split("---\n", 2)
    fields = yaml.safe_load(head)
    found = result(project)
    evaluation = found["evaluations"][0]
    assert fields["pipeline_tag"] == "text-generation" and {"sdrl", "grpo"} <= set(fields["tags"])
    assert fields["license"] and fields["language"] == ["en"]
    assert fields["model-index"][0]["results"][0]["metrics"][0]["value"] == evaluation["trained"]["accuracy"]
    for wanted in (
        found["plan_hash"],
        f"{evaluation['trained']['accuracy']:.1%}",
        f"{100 * evaluation['interval'][0]:+.1f} to {100 * evaluation['interval'][1]:+.1f}",
        f"vote {len(rows(project, 'vote'))}",
        "licence: CC0-1.0",
        "scripted-instructor",
        "YOUR QUESTION\nWork step by step and write the final number after ####.",
        "vllm serve model",
        "toy scale",
    ):
        assert wanted in body, wanted
    use = re.search(r"```python\n(.*?)```", body, re.DOTALL)
    assert use is not None
    prompt = "prompt = 'Ada has 3 apples.\\nWork step by step and write the final number after ####.\\n'\n"
    done = subprocess.run(
        [sys.executable, "-c", prompt + use[1]], cwd=project / "run", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-1000:]
    assert done.stdout.strip()


def test_the_report_prints_and_its_json_agrees_with_the_result(project: Path) -> None:
    text = sdrl(project, "report", "run")
    assert text.returncode == 0, text.stderr
    assert "toy" in text.stdout.lower()
    as_json = sdrl(project, "report", "run", "--json")
    assert as_json.returncode == 0
    gain = result(project)["evaluations"][0]["gain"]
    assert f"{gain}" in as_json.stdout


def test_the_same_command_again_asks_nobody(project: Path) -> None:
    def calls() -> int:
        with sqlite3.connect(project / ".sdrl/requests.sqlite") as db:
            return int(db.execute("SELECT count(*) FROM calls").fetchone()[0])

    before = calls()
    again = sdrl(project, "run", "small.yaml", "--run", "run", "--yes")
    assert again.returncode == 0, again.stderr
    assert calls() == before
    assert again.stderr.count("kept from this run") == 11


def test_status_and_runs_read_the_events(project: Path) -> None:
    status = sdrl(project, "status", "run")
    assert status.returncode == 0
    assert "done" in status.stdout
    assert "evaluate" in status.stdout


def test_a_second_round_goes_on_from_the_trained_model_and_keeps_the_first(project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "again"
    shutil.copytree(project, folder)
    first = digest(folder / "run" / "model")
    (folder / "small.yaml").write_text((folder / "small.yaml").read_text() + "\nrounds: 2\n")
    done = sdrl(folder, "run", "small.yaml", "--run", "run", "--yes")
    assert done.returncode == 0, done.stderr

    events = [json.loads(line) for line in (folder / "run" / "events.jsonl").read_text().splitlines()]
    start = max(index for index, event in enumerate(events) if event["type"] == "run_started")
    reused = [event["stage"] for event in events[start:] if event["type"] == "stage_reused"]
    began = [event["stage"] for event in events[start:] if event["type"] == "stage_started"]
    assert reused == list(STAGES[:-1])
    assert began == ["probe-2", "adapt-2", "score-2", "select-2", "train-2", "evaluate"]

    assert digest(folder / "run" / "model-1") == first
    job = json.loads((folder / "run" / "training-2" / "job.json").read_text())
    assert (Path(job["model"]).name, Path(job["out_dir"]).name) == ("model-1", "model")
    scored = {row["id"] for row in rows(folder, "score-2")}
    assert scored == {row["id"] for name in ("vote", "adapt", "adapt-2") for row in rows(folder, name)}
    assert {row["parent"] for row in rows(folder, "adapt-2")} <= {row["id"] for row in rows(folder, "adapt")}
    held = {row["id"] for row in rows(folder, "select") if row["split"] == "validation"}
    assert not held & {row["id"] for row in rows(folder, "select-2") if row["split"] == "train"}
    result = json.loads((folder / "run" / "result.json").read_text())
    assert [entry["round"] for entry in result["rounds"]] == [1, 2]
    assert result["rounds"][1]["samples"] == len(scored)

    before = (folder / "run" / "artifacts" / "score-2.jsonl").read_bytes()
    shutil.rmtree(folder / ".sdrl" / "artifacts")
    (folder / "run" / "artifacts" / "score-2.seal.json").unlink()
    again = sdrl(folder, "run", "small.yaml", "--run", "run", "--yes", "--offline")
    assert again.returncode == 0, again.stderr
    assert (folder / "run" / "artifacts" / "score-2.jsonl").read_bytes() == before


def digest(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def test_checkpoints_meet_the_test_sets_when_all_is_chosen_and_change_nothing(project: Path) -> None:
    before = result(project)
    assert "What this report does not have" in (project / "run/report.html").read_text(encoding="utf-8")
    checkpoints = project / "run/training/checkpoints"
    for path in sorted(checkpoints.glob("checkpoint-*"), key=lambda path: int(path.name[11:]))[:-1]:
        shutil.rmtree(path)  # one is asked; each takes a server's start
    done = sdrl(project, "run", "small.yaml", "--run", "run", "--yes", "--post-hoc")
    assert done.returncode == 0, done.stderr
    after = result(project)
    for key in ("evaluations", "validation", "gate", "selected"):
        assert after[key] == before[key]
    answers = rows(project, "post-hoc")
    steps = sorted({row["step"] for row in answers})
    kept = {int(path.name[11:]) for path in checkpoints.glob("checkpoint-*")}
    assert len(kept) == 1
    assert {0, before["validation"]["best_step"]} | kept <= set(steps)
    for step in steps:
        assert sum(row["step"] == step for row in answers) == len(rows(project, "evaluate")) // 2
    page = (project / "run/report.html").read_text(encoding="utf-8")
    assert "Test accuracy by checkpoint, post hoc" in page
