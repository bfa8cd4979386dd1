"""The reward functions: four separate numbers for a completion, all from the compiled verifier.

`correct` (the verdict is correct), `wrong` (it is anything else), `parsable` (a value could be read from a wrong
answer) and `truncated` are each 0 or 1, logged apart by TRL and summed with the job's weights. A verifier that fails
yields None for every function (TRL leaves such a completion out of its group) and is counted, never a reward of 0.
Reads no files and needs no torch.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from sdrl.training.job import RewardWeights

RewardFunction = Callable[..., list[float | None]]
NAMES = ("correct", "wrong", "parsable", "truncated")
REPEATED = 4  # tokens of an n-gram whose return counts as repetition
Item = tuple[str, str, Mapping[str, str] | None]


class Verdict(Protocol):
    """The part of a judgement that rewards read."""

    @property
    def verdict(self) -> str:
        """One of correct, incorrect, unparsable, error."""
        ...


class Judge(Protocol):
    """What judges completions: `sdrl.verifier.Verifier`."""

    def judge_many(self, items: Sequence[Item]) -> Sequence[Verdict]:
        """Judge (completion, gold, options) triples, in order."""
        ...


@dataclass
class Scorer:
    """Judges each batch once for all four functions, and keeps count of what came out."""

    judge: Judge
    read: Callable[[Sequence[int]], str] | None = None
    """The text of a completion's tokens, as an endpoint returns it; None: the trainer's own decoding."""
    stop: tuple[str, ...] = ()
    eos_ids: frozenset[int] = frozenset()
    max_tokens: int = 0
    mode: Literal["correct", "random", "format", "shuffled"] = "correct"
    seed: int = 0
    errors: int = 0
    _judged: Sequence[str] | None = None
    _verdicts: list[str] = field(default_factory=list)

    def verdicts(
        self,
        completions: Sequence[str],
        golds: Sequence[str],
        options: Sequence[str | None],
        step: int,
        ids: Sequence[Sequence[int]] | None = None,
    ) -> list[str]:
        """Return one verdict a completion; the list judged last is not judged again. `options`: JSON texts or empty."""
        if completions is not self._judged:
            texts = completions if self.read is None or ids is None else [self.read(one) for one in ids]
            items: list[Item] = [
                (cut_at_stop(text, self.stop), gold, json.loads(choice) if choice else None)
                for text, gold, choice in zip(texts, golds, options, strict=True)
            ]
            self._verdicts = self._controlled([verdict.verdict for verdict in self.judge.judge_many(items)], step)
            self.errors += self._verdicts.count("error")
            self._judged = completions
        return self._verdicts

    def _controlled(self, verdicts: list[str], step: int) -> list[str]:
        """Replace the verdicts for a control experiment; the `shuffled` control acts on the golds instead."""
        if self.mode == "format":
            return ["correct" if verdict == "incorrect" else verdict for verdict in verdicts]
        if self.mode == "random":
            # Seeded by the step, not by a running generator, so that a resumed training throws the same coins.
            coin = random.Random(f"{self.seed}:{step}")
            return ["correct" if coin.random() < 0.5 else "incorrect" for _ in verdicts]
        return verdicts

    def rewards(
        self,
        completions: Sequence[str],
        ids: Sequence[Sequence[int]],
        gold: str,
        options: str | None,
        reward: RewardWeights,
    ) -> list[float | None]:
        """Return the reward of each completion of one problem, None where the verifier failed; counts nothing."""
        choice = json.loads(options) if options else None
        judged = self.judge.judge_many([(cut_at_stop(text, self.stop), gold, choice) for text in completions])
        found: list[float | None] = []
        for text, one, verdict in zip(completions, ids, judged, strict=True):
            values: dict[str, float | None] = {
                "correct": float(verdict.verdict == "correct"),
                "wrong": float(verdict.verdict != "correct"),
                "parsable": float(verdict.verdict == "incorrect"),
                "truncated": float(self.is_truncated(text, one)),
            }
            found.append(None if verdict.verdict == "error" else weighted(values, reward))
        return found

    def is_truncated(self, completion: str, ids: Sequence[int]) -> bool:
        """Return whether the token limit ended a completion: no end token, no stop string, no room left."""
        if ids and ids[-1] in self.eos_ids:
            return False
        if any(stop and stop in completion for stop in self.stop):
            return False
        return len(ids) >= self.max_tokens


def cut_at_stop(completion: str, stop: Sequence[str]) -> str:
    """Return the completion up to its first stop string, as an endpoint returns it."""
    ends = [at for at in (completion.find(text) for text in stop if text) if at >= 0]
    return completion[: min(ends)] if ends else completion


def repetition(completions: Sequence[Sequence[int]], n: int = REPEATED) -> float:
    """Return the mean share of a completion's n-grams (of tokens) that stood in it before; 0 for shorter ones."""
    shares = []
    for ids in completions:
        grams = [tuple(ids[at : at + n]) for at in range(len(ids) - n + 1)]
        shares.append(1 - len(set(grams)) / len(grams) if grams else 0.0)
    return sum(shares) / len(shares) if shares else 0.0


def reward_functions(scorer: Scorer) -> list[RewardFunction]:
    """Return the four functions in the order of `NAMES`, with TRL's keyword interface."""

    def judged(arguments: Mapping[str, Any]) -> list[str]:
        completions, golds = arguments["completions"], arguments["gold"]
        options = arguments.get("options") or [None] * len(completions)
        state = arguments.get("trainer_state")
        step = state.global_step if state is not None else 0
        return scorer.verdicts(completions, golds, options, step, arguments.get("completion_ids"))

    def share(wanted: frozenset[str], **arguments: Any) -> list[float | None]:
        return [None if verdict == "error" else float(verdict in wanted) for verdict in judged(arguments)]

    def correct(**arguments: Any) -> list[float | None]:
        if (log_metric := arguments.get("log_metric")) is not None:
            verdicts = judged(arguments)
            log_metric("verifier_errors", float(verdicts.count("error")))
            log_metric(
                "parsable_share", (verdicts.count("correct") + verdicts.count("incorrect")) / max(1, len(verdicts))
            )
            log_metric("repetition", repetition(arguments["completion_ids"]))
        return share(frozenset({"correct"}), **arguments)

    def wrong(**arguments: Any) -> list[float | None]:
        return share(frozenset({"incorrect", "unparsable"}), **arguments)

    def parsable(**arguments: Any) -> list[float | None]:
        return share(frozenset({"incorrect"}), **arguments)

    def truncated(**arguments: Any) -> list[float | None]:
        rows = zip(judged(arguments), arguments["completions"], arguments["completion_ids"], strict=True)
        return [None if verdict == "error" else float(scorer.is_truncated(text, ids)) for verdict, text, ids in rows]

    return [correct, wrong, parsable, truncated]


def weights(reward: RewardWeights) -> list[float]:
    """Return the job's weights in the order of `NAMES`."""
    return [reward.correct, reward.wrong, reward.parsable, reward.truncated]


def weighted(values: Mapping[str, float | None], reward: RewardWeights) -> float | None:
    """Return the reward of one completion: the weighted sum, or None when the verifier failed on it."""
    if all(values.get(name) is None for name in NAMES):
        return None
    return sum(weight * (values.get(name) or 0.0) for name, weight in zip(NAMES, weights(reward), strict=True))
