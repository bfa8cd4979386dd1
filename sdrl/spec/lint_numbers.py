"""Lints of numbers: draws that cannot differ (W305), budgets that cannot be met (W313), validation and selection too
small (W317, W318), votes that decide nothing (W319), lengths, rewards, learning rates and methods that work against
the aim (W321, W322, W327, W328).

Bounds are what the spec alone makes certain; what a run is expected to cost is the compiler's estimate.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sdrl.spec.diagnostics import Diagnostic
from sdrl.spec.method_table import METHOD_TABLE
from sdrl.spec.model import Sampling, Spec

if TYPE_CHECKING:
    from sdrl.spec.loader import Loaded

Findings = Iterator[Diagnostic]
SAME_TOP_P = 0.05
SAME_TEMPERATURE = 0.02
FEWEST_HELD_OUT = 8  # one problem of fewer is more than 12 points
MANY_SAMPLES = 100
GRPO_RATE, SFT_RATE = 1e-6, 2e-5  # on all weights, as in the paper
ADAPTER_FACTOR = 10  # adapters want about ten times the rate of all weights, in SFT and in RL
CHEAPEST = 0.004  # dollars a million prompt tokens: below the cheapest hosted model of a billion parameters


def repeated_draws(loaded: Loaded, spec: Spec) -> Findings:
    """W305: several draws of one prompt that are all the same."""
    asked: list[tuple[str, str, int, Sampling]] = [
        ("vote.sampling", "draws", spec.vote.draws, spec.vote.sampling),
        ("score.sampling", "draws", spec.score.draws, spec.score.sampling),
        ("train.sampling", "rollouts", spec.train.rollouts, spec.train.sampling),
    ]
    for path, what, number, sampling in asked:
        key, value = _same(sampling)
        if number > 1 and key:
            message = f"{number} {what} {value} are {number} times the same answer"
            advice = {"temperature": "raise the temperature, say to 0.7"}.get(key, f"leave {key} out")
            yield loaded.diagnostic("W305", f"{path}.{key}", message, help=advice)
    for index, evaluation in enumerate(spec.evaluate):
        key, value = _same(evaluation.sampling)
        if evaluation.runs > 1 and key:
            message = f"{evaluation.runs} runs {value} are {evaluation.runs} times the same"
            advice = "one run is enough, or set sampling.temperature"
            yield loaded.diagnostic("W305", f"evaluate.{index}.runs", message, help=advice)


def _same(sampling: Sampling) -> tuple[str, str]:
    """The key that makes all draws equal, or nearly so, with its value in words; empty where they can differ."""
    if sampling.temperature is not None and sampling.temperature <= SAME_TEMPERATURE:
        return "temperature", f"at temperature {sampling.temperature:g}"
    if sampling.top_k == 1:
        return "top_k", "with top_k 1"
    if sampling.top_p is not None and sampling.top_p <= SAME_TOP_P:
        return "top_p", f"with top_p {sampling.top_p:g}"
    return "", ""


def votes(loaded: Loaded, spec: Spec) -> Findings:
    """W319: a vote whose outcome is settled before it begins."""
    vote = spec.vote
    counted = vote.draws + vote.include_generated
    message = advice = ""
    path = "vote.draws"
    if METHOD_TABLE[spec.synthesize.method].of_demo:
        return  # one vote is held against an answer that is known already
    if counted == 1:
        message, advice = "with one draw there is no vote: its answer is the label", "draw more, say 8"
    elif counted == 2 and vote.tie != "drop":
        message = f"two votes agree or tie, and tie: {vote.tie} keeps both kinds"
        advice = "draw more, say 8, or write tie: drop"
    elif vote.min_agreement is not None and "min_agreement" in _written(loaded, "vote"):
        path = "vote.min_agreement"
        if vote.min_agreement * counted <= 1:
            message = f"an agreement of {vote.min_agreement:g} drops nothing: one of {counted} votes always reaches it"
            advice = "raise it, say to 0.5, or write null"
    if message:
        yield loaded.diagnostic("W319", path, message, help=advice)


def budgets(loaded: Loaded, spec: Spec) -> Findings:
    """W313: caps below what the samples asked for need at the very least."""
    least = least_asked(spec)
    samples, budget = spec.synthesize.samples, spec.budget
    shown = f"{samples:,} samples with their votes"
    if budget.requests is not None and budget.requests < least["requests"]:
        message = f"{budget.requests:,} requests cannot pay for {shown}: at least {least['requests']:,}"
        yield loaded.diagnostic("W313", "budget.requests", message, help="raise it, or lower synthesize.samples")
    if budget.tokens is not None and budget.tokens < least["tokens"]:
        message = f"{budget.tokens:,} tokens cannot pay for {shown}: the prompts alone have {least['tokens']:,} or more"
        yield loaded.diagnostic("W313", "budget.tokens", message, help="raise it, or lower synthesize.samples")
    price = spec.models.instructor.price if spec.models else None
    if budget.usd is not None and price is not None:
        cheapest = min(price.input, price.input if price.cached_input is None else price.cached_input)
        dollars = least["tokens"] * min(cheapest, price.output) / 1e6
        if budget.usd < dollars:
            message = f"{budget.usd:g} dollars cannot pay for {shown}: at least {dollars:.2g}"
            yield loaded.diagnostic("W313", "budget.usd", message, help="raise it, or lower synthesize.samples")


def prices(loaded: Loaded, spec: Spec) -> Findings:
    """W326: a price of a thousand tokens where one of a million is meant."""
    price = spec.models.instructor.price if spec.models else None
    if price is None or not 0 < price.input < CHEAPEST or price.output >= 100 * CHEAPEST:
        return
    message = f"{price.input:g} dollars a million prompt tokens is less than any endpoint asks"
    advice = f"prices are a million tokens: input: {price.input * 1000:g}, output: {price.output * 1000:g}"
    yield loaded.diagnostic("W326", "models.instructor.price", message, help=advice)


def least_asked(spec: Spec) -> dict[str, int]:
    """Requests and tokens below which no run of this spec can end well: one request a sample to write it and one to
    vote on it, a token for every word of the texts that each prompt repeats, one token a completion."""
    samples = spec.synthesize.samples
    requests = 2 * samples
    repeated = len(f"{spec.task.description} {spec.task.output_format} {spec.task.input_format or ''}".split())
    return {"requests": requests, "tokens": samples * (repeated + 2)}


def validation(loaded: Loaded, spec: Spec) -> Findings:
    """W317: a held-out share from which nothing can be told."""
    share = spec.validate_.share
    if share == 0:
        if spec.select.samples >= MANY_SAMPLES and spec.train.algorithm != "sft":
            message = "nothing is held out: the last checkpoint is kept, whatever it is worth"
            advice = "write a share, say 0.1: it costs no request"
            yield loaded.diagnostic("W317", "validate.share", message, help=advice)
        return
    held = share * most_samples(spec)
    if held < FEWEST_HELD_OUT:
        message = f"a share of {share:g} holds out about {held:.0f} samples: too few to tell checkpoints apart"
        yield loaded.diagnostic("W317", "validate.share", message, help="raise the share, or synthesize.samples")


def most_samples(spec: Spec) -> int:
    """The largest number of samples that selection can choose from: each adaptation writes one more of each."""
    adapt = spec.adapt
    rounds = min(adapt.rounds, 20) if adapt.harder or adapt.easier else 0
    further = spec.rounds - 1 if rounds else 0
    return int(spec.synthesize.samples * (2**rounds + further))


def selection(loaded: Loaded, spec: Spec) -> Findings:
    """W318: a selection that must stay empty, one-sided or smaller than asked for."""
    select, draws, pool = spec.select, spec.score.draws, most_samples(spec)
    if select.order != "all" and select.samples > pool and "samples" in _written(loaded, "select"):
        message = f"{select.samples} of at most {pool} samples can never be selected"
        advice = "lower select.samples, or raise synthesize.samples"
        yield loaded.diagnostic("W318", "select.samples", message, help=advice)
    elif select.min > pool:
        message = f"at most {pool} samples are written, and fewer than {select.min} stop the run"
        yield loaded.diagnostic("W318", "select.min", message, help="lower select.min, or raise synthesize.samples")
    if select.order not in ("hardest_solvable", "easy", "random") or select.fill != "none":
        return
    path = "select.min_solved" if "min_solved" in _written(loaded, "select") else "score.draws"
    if select.min_solved >= draws:
        message = f"a sample that is solved in all of its {draws} draws teaches nothing, and min_solved asks for that"
        if draws == 1:
            message = "one draw is right or wrong: no sample is solved sometimes, and only these are selected"
        yield loaded.diagnostic("W318", path, message, help="raise score.draws, say to 16, or lower select.min_solved")
    elif select.order == "hardest_solvable" and select.min_solved * 2 > draws:
        message = f"solved {select.min_solved} times in {draws} leaves the easy samples, and the hardest are asked for"
        yield loaded.diagnostic("W318", path, message, help="raise score.draws, or lower select.min_solved")


def lengths(loaded: Loaded, spec: Spec) -> Findings:
    """W321: an answer that is counted in one stage is cut off in another."""
    longest = spec.train.max_completion_tokens
    scored = spec.score.sampling.max_tokens
    if scored is not None and scored > longest:
        message = f"answers are scored up to {scored:,} tokens long, and rollouts end at {longest:,}"
        advice = "give score.sampling.max_tokens and train.max_completion_tokens one value"
        yield loaded.diagnostic("W321", "train.max_completion_tokens", message, help=advice)
    for index, evaluation in enumerate(spec.evaluate):
        measured = evaluation.sampling.max_tokens
        if measured is not None and measured < longest:
            message = f"rollouts may have {longest:,} tokens, and answers to '{evaluation.name}' end at {measured:,}"
            advice = "raise its sampling.max_tokens to train.max_completion_tokens"
            yield loaded.diagnostic("W321", f"evaluate.{index}.sampling.max_tokens", message, help=advice)


def rewards(loaded: Loaded, spec: Spec) -> Findings:
    """W322: a wrong or endless answer that earns as much as a right one."""
    reward = spec.train.reward
    if spec.train.algorithm not in ("grpo", "rloo"):
        return
    for path, wrong, what in (
        ("parsable", reward.wrong + max(reward.parsable, 0.0), "a wrong answer that can be read"),
        ("truncated", reward.wrong + max(reward.truncated, 0.0), "an answer that never ends"),
    ):
        if wrong >= reward.correct:
            message = f"{what} earns {wrong:g}, a right one {reward.correct:g}"
            where = path if path in _written(loaded, "train", "reward") else "correct"
            advice = "let reward.correct be the largest"
            yield loaded.diagnostic("W322", f"train.reward.{where}", message, help=advice)
            return


def learning_rates(loaded: Loaded, spec: Spec) -> Findings:
    """W327: the preset's learning rate, which is GRPO's on all weights, left where something else learns.

    The released code trains its SFT baseline at GRPO's rate, so its preset may.
    """
    train = spec.train
    is_online, is_adapter = train.algorithm in ("grpo", "rloo"), train.lora is not None
    as_released = spec.extends == "released-code" and train.algorithm == "sft" and not is_adapter
    advised = GRPO_RATE if is_online else SFT_RATE
    advised *= ADAPTER_FACTOR if is_adapter else 1
    if "learning_rate" in _written(loaded, "train") or as_released or train.learning_rate * 5 > advised:
        return
    what = "adapters learn" if is_adapter else f"{train.algorithm} learns"
    message = f"{what} next to nothing at {_rate(train.learning_rate)}, the preset's rate for GRPO on all weights"
    path = "train.lora" if is_adapter else "train.algorithm"
    yield loaded.diagnostic("W327", path, message, help=f"write train.learning_rate, say {_rate(advised)}")


def unused_solutions(loaded: Loaded, spec: Spec) -> Findings:
    """W328: a method that writes solutions of given questions, before a training that learns from no written one."""
    if METHOD_TABLE[spec.synthesize.method].repeats and spec.train.algorithm != "sft":
        message = (
            f"{spec.train.algorithm} learns from no written solution, and those are all that the method makes anew"
        )
        advice = "write train.algorithm: sft, or take metamath-rephrase"
        yield loaded.diagnostic("W328", "synthesize.method", message, help=advice)


def _rate(rate: float) -> str:
    """A rate as people write it: 2e-5, not 2e-05."""
    return f"{rate:g}".replace("e-0", "e-")


def _written(loaded: Loaded, *path: str) -> dict[str, object]:
    """What the spec itself says of a table."""
    table: object = loaded.written
    for step in path:
        table = table.get(step) if isinstance(table, dict) else None
    return table if isinstance(table, dict) else {}
