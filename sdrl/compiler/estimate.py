"""What a run will ask for: requests, draws, tokens and money by stage, expected and worst case.

Prompt sizes come from the rendered prompts (with the first demo and passage standing in), one token taken as 4 bytes;
completion sizes from the demos where there are any. All integers; money in micro-dollars. Never hashed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import Any

from sdrl.compiler.examples import prompt_values
from sdrl.compiler.plan import Plan
from sdrl.compiler.prompts import Prompts
from sdrl.compiler.replies import reply_schema
from sdrl.spec.model import Price

BYTES_PER_TOKEN = 4
KEYWORD_TRIES = 3  # what stage keywords asks at most
# expected shares, from experience: attempts written for one accepted sample, adapted samples that stay
ATTEMPTS_PER_SAMPLE = Decimal("1.15")
ADAPTED_STAY = Decimal("0.9")
USUAL_COMPLETION = 300  # tokens, where no demo shows how long an output is
WRAPPING = 16  # tokens that a chat template puts around a message

METHOD = "prompts rendered, 4 bytes a token; 1.15 attempts a sample; completions as long as the demos' outputs"


@dataclass(frozen=True)
class Load:
    """One stage's asking: HTTP requests, completions drawn, tokens in and out; a request may draw several."""

    requests: int = 0
    draws: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: Load) -> Load:
        return Load(
            self.requests + other.requests,
            self.draws + other.draws,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
        )


def estimate(plan: Plan, base_dir: Path, data: Mapping[str, bytes]) -> dict[str, Any]:
    """The estimate as JSON values: one entry a stage that asks a model, totals for the instructor, and updates."""
    sizes = _Sizes(plan, base_dir, data)
    expected, worst = _loads(plan, sizes, worst=False), _loads(plan, sizes, worst=True)
    models = plan.settings.models
    price = models.instructor.price if models else None
    free = bool(models and models.instructor.is_embedded)
    stages: list[dict[str, Any]] = []
    totals = {"expected": Load(), "worst": Load()}
    for name in expected:
        asks = "instructor" if name in INSTRUCTED else "base"
        entry: dict[str, Any] = {"stage": name, "asks": asks}
        for case, loads in (("expected", expected), ("worst", worst)):
            entry[case] = vars(loads[name]) | {
                "microusd": _cost(loads[name], price, free=free) if asks == "instructor" else 0
            }
            if asks == "instructor":
                totals[case] += loads[name]
        stages.append(entry)
    return {
        "method": METHOD,
        "stages": stages,
        "instructor": {case: vars(load) | {"microusd": _cost(load, price, free=free)} for case, load in totals.items()},
        "training": _training(plan),
    }


INSTRUCTED = ("keywords", "pattern", "generate", "vote", "adapt")


def _cost(load: Load, price: Price | None, *, free: bool) -> int | None:
    """Micro-dollars (dollars a million tokens are micro-dollars a token), rounded up; None for an unknown price."""
    if price is None:
        return 0 if free else None
    total = load.prompt_tokens * Decimal(repr(price.input)) + load.completion_tokens * Decimal(repr(price.output))
    return int(total.to_integral_value(ROUND_CEILING))


class _Sizes:
    """Tokens of each prompt (averaged over parts) and of what comes back."""

    def __init__(self, plan: Plan, base_dir: Path, data: Mapping[str, bytes]) -> None:
        self._plan = plan
        self.prompt = {name: self._prompt(name, base_dir, data) for name in plan.templates}
        outputs = [len(demo.output.encode()) for part in plan.parts for demo in part.demos]
        inputs = [len(demo.input.encode()) for part in plan.parts for demo in part.demos]
        self.output = _tokens(sum(outputs) / len(outputs)) if outputs else USUAL_COMPLETION
        self.sample = self.output + (_tokens(sum(inputs) / len(inputs)) if inputs else USUAL_COMPLETION // 2)
        self.longest_passage = plan.settings.retrieve.passage_words * 2 if plan.corpus else 0

    def _prompt(self, name: str, base_dir: Path, data: Mapping[str, bytes]) -> int:
        plan, prompts = self._plan, Prompts(self._plan)
        total = 0.0
        for part in plan.parts:
            values, _ = prompt_values(plan, part, base_dir, data)[name]
            if name == "pattern" and not part.demos:
                continue
            if name == "answer":
                text = prompts.answer(part, values["input"], values["options"])
            else:
                text = prompts.messages(name, part, **values)[0]["content"]
            total += part.share * len(text.encode())
        schema = reply_schema(name, plan.settings.answer)
        return _tokens(total) + (WRAPPING + _tokens(len(json.dumps(schema[1]))) if schema else WRAPPING)


def _tokens(size: float) -> int:
    return math.ceil(size / BYTES_PER_TOKEN)


def _loads(plan: Plan, sizes: _Sizes, *, worst: bool) -> dict[str, Load]:
    settings = plan.settings
    synthesize, vote, score = settings.synthesize, settings.vote, settings.score
    attempts = (
        synthesize.most_attempts
        if worst
        else min(synthesize.most_attempts, _ceil(synthesize.samples * ATTEMPTS_PER_SAMPLE))
    )
    writing = synthesize.sampling.max_tokens or 4096
    solving = vote.sampling.max_tokens or 4096
    answering = score.sampling.max_tokens or 4096
    written = writing if worst else min(writing, sizes.sample)
    solved = solving if worst else min(solving, sizes.output)
    answered = answering if worst else min(answering, sizes.output)
    parts = len(plan.parts)
    with_demos = sum(bool(part.demos) for part in plan.parts) if synthesize.pattern != "never" else 0
    asks_keywords = bool(plan.corpus) and settings.retrieve.keywords == "auto"
    adapting = settings.adapt.rounds > 0 and (settings.adapt.harder or settings.adapt.easier)
    rewrites = synthesize.samples if adapting else 0
    adapted = rewrites if worst else _ceil(rewrites * ADAPTED_STAY)
    pool = synthesize.samples + adapted
    more_passage = sizes.longest_passage if worst else 0
    rewriting = max(sizes.prompt["harder"], sizes.prompt["easier"])
    loads = {
        "keywords": _one_each(
            (KEYWORD_TRIES if worst else 1) * parts * asks_keywords, sizes.prompt["keywords"], min(writing, 200)
        ),
        "pattern": _one_each(with_demos, sizes.prompt["pattern"], min(writing, 200)),
        "generate": _one_each(attempts, sizes.prompt["generate"] + more_passage, written),
        "vote": _many_each(attempts, vote.draws, sizes.prompt["solve"], solved, worst=worst),
        "probe": _one_each(synthesize.samples, sizes.prompt["answer"], answered),
        "adapt": _one_each(rewrites, rewriting, written)
        + _many_each(adapted, vote.draws, sizes.prompt["solve"], solved, worst=worst),
        "score": _many_each(pool, score.draws, sizes.prompt["answer"], answered, worst=worst),
        "evaluate": Load(),
    }
    for evaluation in plan.evaluations:
        longest = evaluation.sampling.get("max_tokens") or 4096
        load = _many_each(
            2 * evaluation.rows,
            evaluation.runs,
            sizes.prompt["answer"],
            longest if worst else min(longest, sizes.output),
            worst=worst,
        )
        loads["evaluate"] += load
    return loads


def _one_each(count: int, prompt: int, completion: int) -> Load:
    return Load(count, count, count * prompt, count * completion)


def _many_each(count: int, draws: int, prompt: int, completion: int, *, worst: bool) -> Load:
    """``draws`` completions of each of ``count`` prompts: in one request, or one by one where an endpoint has no n."""
    requests = count * draws if worst else count
    return Load(requests, count * draws, requests * prompt, count * draws * completion)


def _training(plan: Plan) -> dict[str, int]:
    """Updates and rollouts, where every sample that may be selected is."""
    train, select = plan.settings.train, plan.settings.select
    samples = min(select.samples, 2 * plan.settings.synthesize.samples)
    prompts = _ceil(Decimal(samples) * Decimal(repr(train.epochs)))
    is_online = train.algorithm in ("grpo", "rloo")
    return {
        "samples": samples,
        "updates": -(-prompts // train.prompts_per_step),
        "completions": prompts * train.rollouts if is_online else 0,
    }


def _ceil(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_CEILING))
