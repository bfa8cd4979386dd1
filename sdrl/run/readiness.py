"""Whether the base model is ready to be trained: figures of probe and score, and the gate with its remedies.

Reinforcement learning strengthens what a model already does now and then. A base model whose answers cannot be read
earns no reward; one that is right once in 64 tries can learn. Figures are counted from sealed rows, so that a
taken-over stage is judged like a fresh one. Each remedy is one key of the spec. Asks no model.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import comb
from typing import Any

from sdrl.compiler.chat import read_chat_template
from sdrl.compiler.plan import Plan
from sdrl.models.weights import weights_of
from sdrl.run.artifacts import Artifacts, Row
from sdrl.spec.diagnostics import Exit, SdrlError

N_GRAM = 4  # words
REPETITIVE = 0.5  # of a completion's n-grams stood in it before
LEAST_WORDS = 12  # fewer say nothing about repetition
COMMON = 0.2  # of the completions show a habit
LEAST_REWARD = 0.1
_LABEL = re.compile(r"#{1,6} .{1,40}|[A-Z][^:\n]{0,30}:")


def readiness_of(plan: Plan, artifacts: Artifacts) -> dict[str, Any] | None:
    """The figures, shares in [0, 1]; None before the probe is sealed.

    Greedy answers: ``n``, ``parsable``, ``solved``, ``truncated``, ``repetitive`` (most of it was said before),
    ``echo`` (the problem is said again). After scoring also ``sampled_parsable``, ``pass_1`` and ``pass_k`` (right at
    least once in ``k`` draws, unbiased: arXiv 2107.03374 eq. 1). ``wanted`` is the share that must be parsable.
    """
    rows = _sealed(plan, artifacts, "probe")
    if not rows:
        return None
    inputs = {row["id"]: row["input"] for row in artifacts.rows("vote")}
    completions = [row["completion"] for row in rows]
    figures: dict[str, Any] = {
        "n": len(rows),
        "wanted": round(wanted(plan), 6),
        "parsable": _share(row["verdict"] in ("correct", "incorrect") for row in rows),
        "solved": _share(row["verdict"] == "correct" for row in rows),
        "truncated": _share(row.get("finish_reason") == "length" for row in rows),
        "repetitive": _share(repetition(text) > REPETITIVE for text in completions),
        "echo": _share(_says_again(row["completion"], inputs.get(row["id"], "")) for row in rows),
    }
    if scored := _sealed(plan, artifacts, "score"):
        k = min(row["draws"] for row in scored)
        figures |= {
            "sampled_parsable": round(sum(row["parsable"] for row in scored) / sum(row["draws"] for row in scored), 6),
            "pass_1": _mean(row["correct"] / row["draws"] for row in scored),
            "pass_k": _mean(pass_at(k, row["draws"], row["correct"]) for row in scored),
            "k": k,
        }
    return figures


def refuse_unready(plan: Plan, artifacts: Artifacts) -> None:
    """Raise SdrlError E865, exit 6, when fewer answers than needed can be read, greedy or sampled."""
    figures = readiness_of(plan, artifacts)
    if figures is None:
        return
    what = "greedy answers" if figures["parsable"] < figures["wanted"] else "draws"
    least = min(figures["parsable"], figures.get("sampled_parsable", 1.0))
    if least >= figures["wanted"]:
        return
    rows = artifacts.rows("probe")
    sample = next((row["completion"] for row in rows if row["verdict"] not in ("correct", "incorrect")), "")
    habits = [
        f"{figures[name]:.1%} {says}"
        for name, says in (
            ("truncated", "end at the token limit"),
            ("repetitive", "repeat themselves"),
            ("echo", "say the problem again"),
        )
        if figures[name] >= COMMON
    ]
    raise SdrlError(
        "E865",
        f"only {least:.1%} of the base model's {what} can be read, and {figures['wanted']:.1%} are needed "
        f"(probe.min_parsable){', '.join(['', *habits])}; one of them: {sample[:160]!r}",
        help="one of these keys may do: " + "; ".join(remedies(plan, figures, rows, artifacts.rows("vote"))),
        exit=Exit.GATE,
    )


def wanted(plan: Plan) -> float:
    """The share of answers that must be parsable.

    ``probe.min_parsable``; with a reward for parsable answers one readable rollout a group is enough to learn the form
    from, and SFT is taught it by the voted solutions.
    """
    train, least = plan.settings.train, plan.settings.probe.min_parsable
    if train.algorithm == "sft":
        return 0.0
    return min(least, 1 / train.rollouts) if train.reward.parsable > 0 else least


def remedies(plan: Plan, figures: Mapping[str, Any], probed: Sequence[Row], voted: Sequence[Row]) -> Iterator[str]:
    """Keys with values, the likeliest first: each is one line of the spec."""
    solutions = [str(row["solution"]) for row in voted if row.get("solution")]
    cuts = [text for text in plan.base.stop if sum(text in one for one in solutions) > COMMON * len(solutions)]
    models = plan.settings.models
    if cuts and models is not None and models.base.stop != "auto":
        yield f"models.base.stop: auto ({cuts[0]!r} cuts right answers)"
    elif label := _habit([row["completion"] for row in probed], solutions, plan.verifier["extract"].get("marker")):
        yield f"models.base.stop: {json.dumps([label], ensure_ascii=False)} (the model goes on with it)"
    if plan.base.kind == "raw" and _has_chat_template(plan):
        yield "models.base.prompt: chat (its folder has a chat template)"
    yield _two_examples(plan, solutions)
    train = plan.settings.train
    if train.reward.parsable <= 0 and figures["parsable"] * train.rollouts >= 1:
        yield f"train.reward.parsable: {LEAST_REWARD} (a readable wrong answer is worth something)"
    if train.algorithm != "sft" and solutions:
        yield f"train.algorithm: sft (a short training on the {len(solutions)} voted solutions)"


def repetition(text: str) -> float:
    """The share of a text's word n-grams that stood in it before; 0 for a short text."""
    words = text.split()
    grams = list(zip(*(words[at:] for at in range(N_GRAM)), strict=False))
    return 1 - len(set(grams)) / len(grams) if len(words) >= LEAST_WORDS else 0.0


def pass_at(k: int, draws: int, correct: int) -> float:
    """The chance that at least one of ``k`` of the draws is correct. Source: arXiv 2107.03374 eq. 1."""
    return 1.0 - comb(draws - correct, k) / comb(draws, k)


def _habit(completions: Sequence[str], solutions: Sequence[str], marker: str | None) -> str | None:
    """A stop string for the label that many completions begin a line with, and hardly a solution does.

    A line that holds the answer's marker is never one: stopping there would take the answer away.
    """
    counts: Counter[str] = Counter()
    for text in completions:
        found = (match[0] for line in text.split("\n")[1:] if (match := _LABEL.match(line.strip())))
        counts.update({label for label in found if marker is None or marker not in label})
    for label, count in counts.most_common(5):
        in_solutions = sum(f"\n{label}" in f"\n{one}" for one in solutions)
        if count >= COMMON * len(completions) and in_solutions <= 0.01 * len(solutions):
            return f"\n{label}"
    return None


def _two_examples(plan: Plan, solutions: Sequence[str]) -> str:
    ends = dict.fromkeys(one.strip().rsplit("\n", 1)[-1][:80] for one in sorted(solutions, key=len))
    shown = " or ".join(list(ends)[:2])
    if "extra_rules" in plan.templates["answer"]:
        return (
            f"prompts.answer.extra_rules: {json.dumps([f'End as in these two examples: {shown}'], ensure_ascii=False)}"
        )
    told = f"{plan.settings.task.output_format} Two examples: {shown}"
    return f"task.output_format: {json.dumps(told, ensure_ascii=False)}"


def _has_chat_template(plan: Plan) -> bool:
    models = plan.settings.models
    folder = weights_of(models.base.model, plan.identities["base"], plan.base_dir).folder if models else None
    return folder is not None and read_chat_template(folder) is not None


def _says_again(completion: str, problem: str) -> bool:
    head = " ".join(problem.split())[:60]
    return len(head) >= 20 and head in " ".join(completion.split())


def _sealed(plan: Plan, artifacts: Artifacts, stage: str) -> list[Row]:
    return artifacts.rows(stage) if artifacts.is_sealed(stage, plan.stage(stage).hash) else []


def _share(holds: Iterator[bool] | Any) -> float:
    return _mean(map(float, holds))


def _mean(values: Any) -> float:
    found = list(values)
    return round(sum(found) / len(found), 6) if found else 0.0
