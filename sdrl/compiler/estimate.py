"""What a run will ask for: requests, draws, tokens and money by stage, expected and worst case.

Expected: the requests that the stages send (``schedule``), prompts as they are rendered (``sizes``), and what models
usually do (``typical``). Worst: every attempt is made, every reply is as long as it may be, and an endpoint that does
not honour ``n`` is asked draw by draw; only failed tries of an endpoint come on top. All integers; money in
micro-dollars. Never hashed.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import Any

from sdrl.compiler.courses import expected_attempts, expected_refills, score_course, vote_course
from sdrl.compiler.load import Load, many_each, one_each
from sdrl.compiler.method_loads import Writing
from sdrl.compiler.method_use import asks_pattern, reads_passages
from sdrl.compiler.plan import Plan
from sdrl.compiler.rounds import kind_of, named
from sdrl.compiler.schedule import KEYWORD_TRIES, VOTE_WAVES, calls_for, score_wave
from sdrl.compiler.sizes import NO_LIMIT, Size, Sizes
from sdrl.compiler.typical import SCRIPTED_REMARKS, USUAL_REMARKS
from sdrl.spec.model import Price
from sdrl.spec.stage_keys import ASKING

INSTRUCTED = ("keywords", "pattern", "generate", "vote", "adapt")


def estimate(plan: Plan, sizes: Sizes) -> dict[str, Any]:
    """The estimate as JSON values: one entry a stage that asks a model, totals for both models, and updates."""
    usual = _Expected(plan, sizes)
    loads = {"expected": usual.loads(), "worst": _Worst(plan, sizes).loads()}
    models = plan.settings.models
    price = models.instructor.price if models else None
    free = bool(models and models.instructor.is_embedded)
    stages: list[dict[str, Any]] = []
    for name in loads["expected"]:
        is_instructed = kind_of(name) in INSTRUCTED
        entry: dict[str, Any] = {"stage": name, "asks": "instructor" if is_instructed else "base"}
        for case in loads:
            load = loads[case][name].rounded()
            cost = _cost(load, price, free=free, rounds_up=case == "worst") if is_instructed else 0
            entry[case] = load | {"microusd": cost}
        if name in usual.rows:  # what a run restates its forecast from
            entry["rows"] = {kind: round(count, 3) for kind, count in usual.rows[name].items()}
            entry["votes"] = usual.votes.get(name, Load()).rounded()
        stages.append(entry)
    return {
        "method": _method(sizes, plan.settings.synthesize.samples),
        "stages": stages,
        "instructor": {case: _total(stages, "instructor", case) for case in loads},
        "base": {case: _total(stages, "base", case) for case in loads},
        "training": _training(plan),
    }


def _method(sizes: Sizes, samples: int) -> str:
    writing = sizes.writing
    unusable, lost = 1 - writing.readable, writing.outvoted + writing.repeated(samples)
    return (
        f"prompts rendered with real passages and demos; tokens: instructor {sizes.instructor.how}, base "
        f"{sizes.base.how}; of the written samples {unusable:.1%} unusable, {lost:.1%} dropped by vote and filters; "
        f"{sizes.answering.solved:.0%} solved by the base; a harder form {writing.harder:g} and an easier one "
        f"{writing.easier:g} times as long; failed tries of an endpoint come on top"
    )


def _total(stages: list[dict[str, Any]], asks: str, case: str) -> dict[str, int | None]:
    chosen = [entry[case] for entry in stages if entry["asks"] == asks]
    keys = ("requests", "draws", "prompt_tokens", "completion_tokens")
    costs = [load["microusd"] for load in chosen]
    return {key: sum(load[key] for load in chosen) for key in keys} | {
        "microusd": None if None in costs else sum(costs)
    }


def _cost(load: dict[str, int], price: Price | None, *, free: bool, rounds_up: bool) -> int | None:
    """Micro-dollars (dollars a million tokens are micro-dollars a token), rounded up; None for an unknown price.

    A run rounds each request up, so that in the worst case every one costs a micro-dollar more.
    """
    if price is None:
        return 0 if free else None
    prompts, completions = Decimal(repr(price.input)), Decimal(repr(price.output))
    total = load["prompt_tokens"] * prompts + load["completion_tokens"] * completions
    rounding = load["requests"] if rounds_up and total else 0
    return int(total.to_integral_value(ROUND_CEILING)) + rounding


class _Expected:
    """What is usual."""

    def __init__(self, plan: Plan, sizes: Sizes) -> None:
        self._settings = plan.settings
        self._plan = plan
        self._sizes = sizes
        writing = sizes.writing
        loses_votes = self._settings.vote.min_agreement is not None or self._settings.vote.tie == "drop"
        compares = any(step.is_on and step.name in ("rouge_l", "minhash") for step in self._settings.filter)
        self._voted = 1 - writing.outvoted * loses_votes
        self._stay = self._voted - writing.repeated(self._settings.synthesize.samples) * compares
        self._adapted = self._voted - writing.close * compares
        self.rows: dict[str, dict[str, float]] = {}
        """Of a stage: how many examples it writes, and how many it votes on."""
        self.votes: dict[str, Load] = {}
        """Of a stage: the part of its load that is votes."""

    def loads(self) -> dict[str, Load]:
        """By stage."""
        settings, sizes = self._settings, self._sizes
        synthesize = settings.synthesize
        samples, most, readable = synthesize.samples, synthesize.most_attempts, sizes.writing.readable
        attempts = expected_attempts(samples, most, readable)
        came = min(samples, attempts * readable)
        refills = expected_refills(samples, most - came / readable, readable, self._stay, came)
        accepted = min(samples, (came + refills * readable) * self._stay)
        rewritten, factor = self._rewritten(accepted)
        voted = rewritten * readable
        longest = synthesize.sampling.max_tokens or NO_LIMIT
        writing = Writing.usual(self._plan, sizes)
        again = max(0.0, came / readable + refills - attempts)
        pool = accepted + voted * self._adapted
        base_factor = (accepted + factor * voted * self._adapted) / pool if pool else 1.0
        self.votes = {"vote": self._votes(came + refills * readable, 1.0), "adapt": self._votes(voted, factor)}
        self.rows = {
            "generate": {"writes": attempts, "votes": 0},
            "vote": {"writes": again, "votes": came + refills * readable},
            "adapt": {"writes": rewritten, "votes": voted},
        }
        return {
            "keywords": one_each(
                _keyword_parts(self._plan), sizes.keywords().expected, min(longest, sizes.writing.keywords_tokens)
            ),
            "pattern": one_each(
                _pattern_parts(self._plan), sizes.pattern().expected, min(longest, sizes.writing.pattern_tokens)
            ),
            "generate": writing.load(attempts),
            "vote": self.votes["vote"] + writing.load(again),
            "probe": self._base(accepted, 1, 1, greedy=True, factor=1.0),
            "adapt": self._rewrites(accepted, factor) + self.votes["adapt"],
            "score": self._scoring(pool, base_factor),
            **self._further(voted * self._adapted, pool, factor, base_factor),
            "evaluate": sum((self._evaluation(at) for at in range(len(self._plan.evaluations))), Load()),
        }

    def _further(self, newest: float, pool: float, factor: float, base_factor: float) -> dict[str, Load]:
        """What rounds beyond the first ask: each adapts the samples that the one before wrote, and scores all.

        Solved shares and lengths are taken as the base model's: what a trained model solves is not known.
        """
        readable = self._sizes.writing.readable
        loads: dict[str, Load] = {}
        for at in range(2, self._settings.rounds + 1):
            rewritten, longer = self._rewritten(newest)
            loads[named("probe", at)] = self._base(newest, 1, 1, greedy=True, factor=factor)
            factor *= longer
            voted = rewritten * readable
            adapt = named("adapt", at)
            self.rows[adapt] = {"writes": rewritten, "votes": voted}
            self.votes[adapt] = self._votes(voted, factor)
            loads[adapt] = self._rewrites(newest, factor) + self.votes[adapt]
            newest = voted * self._adapted
            pool += newest
            loads[named("score", at)] = self._scoring(pool, base_factor)
        return loads

    def _rewritten(self, accepted: float) -> tuple[float, float]:
        """Samples that are rewritten, and the length of the new ones beside theirs."""
        adapt, solved, writing = self._settings.adapt, self._sizes.answering.solved, self._sizes.writing
        if adapt.rounds == 0:
            return 0.0, 1.0
        harder, easier = solved * adapt.harder, (1 - solved) * adapt.easier
        share = harder + easier
        return accepted * share, (harder * writing.harder + easier * writing.easier) / share if share else 1.0

    def _rewrites(self, accepted: float, factor: float) -> Load:
        adapt, solved = self._settings.adapt, self._sizes.answering.solved
        most = self._settings.synthesize.sampling.max_tokens or NO_LIMIT
        written = min(most, factor * self._sizes.written())
        load = Load()
        for name, share in (("harder", solved * adapt.harder), ("easier", (1 - solved) * adapt.easier)):
            count = accepted * share * (adapt.rounds > 0)
            load += one_each(count, self._sizes.rewrite(name).expected, written)
        return load

    def _votes(self, count: float, factor: float) -> Load:
        vote, sizes = self._settings.vote, self._sizes
        solved = min(vote.sampling.max_tokens or NO_LIMIT, factor * sizes.output(sizes.instructor))
        draws, calls = float(vote.draws), float(calls_for(vote.draws))
        if vote.stop_early:
            draws, calls = vote_course(vote.draws, sizes.writing.agreement, vote.min_agreement or 0.0)
        return many_each(count, draws, calls, sizes.solve(factor).expected, solved) + self._remarks(count * self._voted)

    def _remarks(self, count: float) -> Load:
        """Grades and tags of what the vote keeps, where filters ask for them."""
        tokens = SCRIPTED_REMARKS if self._sizes.is_scripted else USUAL_REMARKS
        asked = [ASKING[step.name] for step in self._settings.filter if step.is_on and step.name in ASKING]
        return sum((one_each(count, self._sizes.rewrite(name).expected, tokens[name]) for name in asked), Load())

    def _scoring(self, pool: float, factor: float) -> Load:
        score, answering = self._settings.score, self._sizes.answering
        draws, calls = float(score.draws), float(calls_for(score.draws))
        if score.adaptive:
            share = self._settings.validate_.share
            draws, calls = score_course(
                pool, share, score.draws, self._settings.select, answering.solved, answering.spread
            )
        return self._base(pool, draws, calls, greedy=score.sampling.temperature == 0, factor=factor)

    def _base(self, count: float, draws: float, calls: float, *, greedy: bool, factor: float) -> Load:
        sizes, answering = self._sizes, self._sizes.answering
        most = self._settings.score.sampling.max_tokens or NO_LIMIT
        worked = factor * sizes.output(sizes.base) + 1  # the token that ends it
        answered = min(most, worked * (answering.greedy if greedy else answering.sampled))
        return many_each(count, draws, calls, sizes.answer(factor).expected, answered)

    def _evaluation(self, at: int) -> Load:
        evaluation, answering = self._plan.evaluations[at], self._sizes.answering
        most = evaluation.sampling.get("max_tokens") or NO_LIMIT
        worked = self._sizes.worked(evaluation) + 1
        greedy = evaluation.sampling.get("temperature") == 0
        prompt = self._sizes.question(evaluation).expected
        load = Load()
        for share in (answering.greedy if greedy else answering.sampled, answering.trained):
            answered = min(most, worked * share)
            load += many_each(evaluation.rows, evaluation.runs, calls_for(evaluation.runs), prompt, answered)
        return load


class _Worst:
    """What cannot be exceeded."""

    def __init__(self, plan: Plan, sizes: Sizes) -> None:
        self._plan = plan
        self._settings = plan.settings
        self._sizes = sizes

    def loads(self) -> dict[str, Load]:
        """By stage."""
        settings, sizes = self._settings, self._sizes
        synthesize, adapt = settings.synthesize, settings.adapt
        samples, most = synthesize.samples, synthesize.most_attempts
        rewrites = samples if adapt.rounds and (adapt.harder or adapt.easier) else 0
        written = synthesize.sampling.max_tokens or NO_LIMIT
        writing, solve = Writing.worst(self._plan, sizes), sizes.solve()
        rewriting = max(sizes.rewrite("harder").most, sizes.rewrite("easier").most)
        question = sizes.answer()
        answered = settings.score.sampling.max_tokens or NO_LIMIT
        return {
            "keywords": one_each(KEYWORD_TRIES * _keyword_parts(self._plan), sizes.keywords().most, written),
            "pattern": one_each(_pattern_parts(self._plan), sizes.pattern().most, written),
            "generate": writing.load(most),
            "vote": self._votes(most, solve) + writing.load(max(0, most - samples)),
            "probe": self._base(samples, 1, question.most, answered),
            "adapt": one_each(rewrites, rewriting, written) + self._votes(rewrites, solve),
            "score": self._scoring(samples + rewrites, question.most, answered),
            **self._further(samples, rewrites, rewriting, question.most, answered),
            "evaluate": sum((self._evaluation(at) for at in range(len(self._plan.evaluations))), Load()),
        }

    def _further(self, samples: int, rewrites: int, rewriting: int, question: int, answered: int) -> dict[str, Load]:
        """What rounds beyond the first ask at most: every sample of the round before is rewritten once more."""
        written = self._settings.synthesize.sampling.max_tokens or NO_LIMIT
        loads: dict[str, Load] = {}
        for at in range(2, self._settings.rounds + 1):
            votes = self._votes(rewrites, self._sizes.solve())
            loads[named("probe", at)] = self._base(rewrites, 1, question, answered)
            loads[named("adapt", at)] = one_each(rewrites, rewriting, written) + votes
            pool = samples + at * rewrites
            loads[named("score", at)] = self._scoring(pool, question, answered)
        return loads

    def _votes(self, count: int, prompt: Size) -> Load:
        vote = self._settings.vote
        models = self._settings.models
        honours_n = bool(models and models.instructor.endpoint in ("embedded", "vllm"))
        calls = _most_calls(vote.draws, waves=VOTE_WAVES if vote.stop_early else 1, honours_n=honours_n)
        written = self._settings.synthesize.sampling.max_tokens or NO_LIMIT
        asked = [ASKING[step.name] for step in self._settings.filter if step.is_on and step.name in ASKING]
        remarks = sum((one_each(count, self._sizes.rewrite(name).most, written) for name in asked), Load())
        return many_each(count, vote.draws, calls, prompt.most, vote.sampling.max_tokens or NO_LIMIT) + remarks

    def _scoring(self, count: int, prompt: int, answered: int) -> Load:
        score = self._settings.score
        rounds = -(-score.draws // score_wave(score.draws)) if score.adaptive else 1
        return self._base(count, score.draws, prompt, answered, waves=rounds)

    def _base(self, count: int, draws: int, prompt: int, answered: int, waves: int = 1) -> Load:
        models = self._settings.models
        honours_n = bool(models and models.base.serve in ("embedded", "vllm"))
        return many_each(count, draws, _most_calls(draws, waves=waves, honours_n=honours_n), prompt, answered)

    def _evaluation(self, at: int) -> Load:
        evaluation = self._plan.evaluations[at]
        answered = evaluation.sampling.get("max_tokens") or NO_LIMIT
        prompt = self._sizes.question(evaluation).most
        return self._base(2 * evaluation.rows, evaluation.runs, prompt, answered)


def _most_calls(draws: int, *, waves: int = 1, honours_n: bool) -> int:
    """Calls at most: a wave starts one, and one more where it crosses the grid of ``DRAWS_PER_CALL``.

    Where ``n`` is refused all draws of the first wave are asked for together once, then each alone.
    """
    if honours_n:
        return min(draws, calls_for(draws) + waves - 1)
    return draws + 1 if draws > 1 else draws


def _keyword_parts(plan: Plan) -> int:
    return len(plan.parts) if reads_passages(plan) and plan.settings.retrieve.keywords == "auto" else 0


def _pattern_parts(plan: Plan) -> int:
    return sum(bool(part.demos) for part in plan.parts) if asks_pattern(plan) else 0


def _training(plan: Plan) -> dict[str, int]:
    """Updates and rollouts, where every sample that may be selected is; of RFT, with all draws that it may learn."""
    select, pool = plan.settings.select, 2 * plan.settings.synthesize.samples
    return training_of(plan, pool if select.order == "all" else min(select.samples, pool))


def training_of(plan: Plan, samples: int) -> dict[str, int]:
    """Samples, updates and rollouts of a training on so many samples."""
    train = plan.settings.train
    rows = samples * (min(train.per_sample, plan.settings.score.draws) if train.algorithm == "rft" else 1)
    is_online = train.algorithm in ("grpo", "rloo")
    prompts = _times(rows, train.epochs)
    # rollouts come in whole updates; given answers end each epoch with what is left
    given = _times(-(-rows // train.prompts_per_step), train.epochs)
    updates = -(-prompts // train.prompts_per_step) if is_online else given
    return {
        "samples": samples,
        "updates": updates * plan.settings.rounds,
        "completions": prompts * train.rollouts * plan.settings.rounds if is_online else 0,
    }


def _times(count: int, epochs: float) -> int:
    return int((Decimal(count) * Decimal(repr(epochs))).to_integral_value(ROUND_CEILING))
