"""A run folder made up from a seed, whole in every file a report reads; no figure in it comes from a model."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path
from typing import Any

from sdrl.run.artifacts import Artifacts
from sdrl.run.folder import RunFolder, write_json
from sdrl.run.result import evaluations_of

N_SAMPLES = 60
N_PROBLEMS = 100
DRAWS = 16
STEPS = 40
VERIFIER = {
    "version": 1,
    "type": "number",
    "extract": {"kind": "marker", "marker": "####"},
    "take": "last",
    "tolerance": {"abs": "0.000001", "rel": "0"},
    "options": None,
    "ignore_case": True,
}
PLAN = {
    "name": "fixture",
    "hash": "0123456789abcdef" * 4,
    "verifier": VERIFIER,
    "settings": {
        "models": {"instructor": {"model": "scripted-instructor"}, "base": {"model": "toy-base"}},
        "train": {"algorithm": "grpo"},
        "seed": 0,
    },
}


def write_run(root: Path, *, until: str = "evaluate", has_truth: bool = True, hostile: str = "") -> Path:
    """Write a run that ended after the stage ``until``; ``hostile`` stands in every free text. Returns its folder."""
    folder = RunFolder(root)
    folder.create()
    write_json(folder.plan / "plan.json", {**PLAN, "name": PLAN["name"] + hostile})
    writer = _Writer(folder, hostile)
    for stage in ("vote", "adapt", "score", "select", "train", "evaluate"):
        getattr(writer, stage)()
        if stage == until:
            break
    if has_truth:
        lines = [json.dumps(row) + "\n" for row in writer.truth]
        folder.truth.write_text("".join(lines), encoding="utf-8")
    write_json(folder.result, writer.result(is_whole=until == "evaluate"))
    return root


class _Writer:
    """Writes one stage after the other; each reads what the earlier ones left in ``self``."""

    def __init__(self, folder: RunFolder, hostile: str) -> None:
        self.hostile = hostile
        self.artifacts = Artifacts(folder, folder.root)
        self.rng = random.Random(7)
        self.truth: list[dict[str, Any]] = []
        self.samples: list[dict[str, Any]] = []
        self.scores: list[dict[str, Any]] = []
        self.selected: list[dict[str, Any]] = []
        self.funnel: list[dict[str, Any]] = []

    def seal(
        self,
        stage: str,
        rows: list[dict[str, Any]],
        dropped: list[dict[str, Any]] | None = None,
        *,
        seconds: float = 1.5,
        notes: dict[str, Any] | None = None,
    ) -> None:
        lost = dropped or []
        came_in = len(rows) + len(lost)
        seal = self.artifacts.write(
            stage, "h", rows, lost, came_in=came_in, seconds=seconds, notes=notes or {}, versions={}
        )
        self.funnel.append({key: seal[key] for key in ("stage", "in", "rows", "dropped", "seconds")})

    def sample(self, origin: str, parent: str | None = None) -> dict[str, Any]:
        """A voted row: one label in ten is wrong, one writer's answer in five; one text in fifteen is ambiguous."""
        number = len(self.truth)
        true = str(self.rng.randrange(100))
        text = f"Problem {number} of the fixture?{self.hostile}"
        flags = ["ambiguous"] if self.rng.random() < 1 / 15 else []
        digest = hashlib.sha256(text.encode()).hexdigest()
        self.truth.append({"input_sha256": digest, "input": text, "gold": true, "n_steps": 2, "flags": flags})
        written = true if self.rng.random() < 0.8 else "999"
        return {
            "id": digest[:16],
            "input": text,
            "options": None,
            "output": f"{self.hostile}#### {written}",
            "gold": true if self.rng.random() < 0.9 else "998",
            "agreement": 0.75,
            "origin": origin,
            "parent": parent,
        }

    def vote(self) -> None:
        self.samples = [self.sample("initial") for _ in range(N_SAMPLES)]
        ties = [{**self.sample("initial"), "gold": None, "code": "vote_tie"} for _ in range(3)]
        weak = [{**self.sample("initial"), "gold": "997", "code": "low_agreement"} for _ in range(4)]
        twins = [{**self.sample("initial"), "code": "near_duplicate"} for _ in range(6)]
        self.seal("vote", self.samples, [*ties, *weak, *twins], seconds=21.0)

    def adapt(self) -> None:
        made = [self.sample("harder" if n % 2 else "easier", row["id"]) for n, row in enumerate(self.samples)]
        self.seal("adapt", made, seconds=33.4)
        self.samples += made

    def score(self) -> None:
        for row in self.samples:
            correct = min(DRAWS, max(0, round(self.rng.gauss(0.5, 0.4) * DRAWS)))
            self.scores.append(
                {"id": row["id"], "draws": DRAWS, "correct": correct, "pass_rate": round(correct / DRAWS, 6)}
                | {"label_doubt": row["gold"] == "998" and self.rng.random() < 0.7}
            )
        self.seal("score", self.scores, seconds=75.0)

    def select(self) -> None:
        rates = {row["id"]: row for row in self.scores}
        solvable = [row for row in self.samples if 0 < rates[row["id"]]["correct"] < DRAWS]
        chosen = sorted(solvable, key=lambda row: rates[row["id"]]["correct"])[:40]
        self.selected = [{**row, **rates[row["id"]], "split": "train", "rank": n} for n, row in enumerate(chosen)]
        held = [{**row, **rates[row["id"]], "split": "validation", "rank": 0} for row in solvable[40:50]]
        self.seal("select", self.selected + held)

    def train(self) -> None:
        rows: list[dict[str, Any]] = []
        for step in range(1, STEPS + 1):
            reward = 0.3 + 0.5 * (1 - 0.93**step) + self.rng.uniform(-0.04, 0.04)
            rows.append(
                {
                    "step": step,
                    "max_steps": STEPS,
                    "loss": 0.01,
                    "reward": round(reward, 4),
                    "kl": round(step / 4000, 5),
                }
                | {"entropy": 0.4, "completion_length": 31.5, "rewards": {"correct": round(reward, 4)}}
            )
            if step % 20 == 0:
                rows[-1]["validation_accuracy"] = 0.5 + step / 100
        self.seal("train", rows, seconds=4000.0, notes={"best_step": STEPS, "early_stopped": False})

    def evaluate(self) -> None:
        rows = []
        for name, shift, gain in (("test", "iid", 0.25), ("ood", "ood", 0.1)):
            for problem in range(N_PROBLEMS):
                for model, right in (("base", 0.5), ("trained", 0.5 + gain)):
                    luck = self.rng.random()
                    unread = 0.85 if model == "base" else 0.97
                    verdict = "correct" if luck < right else "incorrect" if luck < unread else "unparsable"
                    about = {"set": name, "shift": shift, "problem": str(problem), "run": 0, "model": model}
                    rows.append(
                        {
                            **about,
                            "verdict": verdict,
                            "completion": f"{self.hostile}so #### {problem}",
                            "gold": str(problem),
                            "finish_reason": "stop" if luck < 0.98 else "length",
                            "lenient": verdict == "correct" or (verdict == "unparsable" and problem % 2 == 0),
                        }
                    )
        self.seal("evaluate", rows, seconds=12.0)

    def result(self, *, is_whole: bool) -> dict[str, Any]:
        spent = {"requests": 1200, "cached": 300, "tokens": 250_000, "usd": 1.25}
        usage = {**spent, "requests": 1500, "by": {"vote/instructor": spent, "score/base": {**spent, "usd": 0}}}
        usage["saved_by_cache"] = {"requests": 300, "tokens": 50_000, "usd": 0.25}
        return {
            "status": "done" if is_whole else "stopped",
            "exit": 0 if is_whole else 5,
            "evaluations": evaluations_of(self.artifacts, 0),
            "validation": {"n": 10, "base": 0.5, "trained": 0.9, "gain": 0.4, "best_step": 40} if is_whole else None,
            "gate": {"min_gain": 0.0, "met": True},
            "funnel": self.funnel,
            "usage": usage,
        }
