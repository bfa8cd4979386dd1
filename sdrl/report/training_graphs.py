"""Pictures of a training: its curves, round beside round, and its checkpoints on the test sets. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sdrl.report import svg
from sdrl.report.graph import Graph, known

_CURVES: tuple[tuple[str, str, bool, str], ...] = (
    (
        "reward", "Reward", False,
        "Mean reward of the rollouts. It should rise; a rise that validation does not follow is a warning.",
    ),
    (
        "loss", "Loss", False,
        "Loss of the training process. For GRPO it hovers near zero and says little; for SFT and RFT it should fall.",
    ),
    (
        "kl", "KL to the base model", False,
        "How far the model has moved from the base. A sudden climb is a sign of collapse or of reward hacking.",
    ),
    (
        "entropy", "Entropy", False,
        "Uncertainty of the policy. A fall to zero means that rollouts no longer differ and nothing is learned.",
    ),
    (
        "completion_length", "Completion length", False,
        "Mean tokens a completion. Growth to the limit, or a fall to almost none, is a reason to read samples.",
    ),
    (
        "zero_variance_share", "Groups without signal", True,
        "Share of rollout groups whose rewards are all equal: they teach nothing.",
    ),
    (
        "parsable_share", "Readable completions", True,
        "Share of rollouts from which the verifier could read an answer.",
    ),
)  # fmt: skip


def training_graphs(figures: Mapping[str, Any]) -> list[Graph]:
    """Every curve that training and, after it, the checkpoints left."""
    found = [_curve(figures, *about) for about in _CURVES]
    found += [make(figures) for make in (_validation, _post_hoc, _post_hoc_words, _by_round)]
    return [each for each in found if each is not None]


def _curve(figures: Mapping[str, Any], name: str, title: str, is_share: bool, caption: str) -> Graph | None:
    series, marked = _rounds(figures, lambda one: one["curves"].get(name))
    longest = max((len(each.points) for each in series), default=0)
    if longest < 2:
        return None
    many = "" if longest <= 12 else " Thin: every step; thick: the mean of its neighbours."
    picture = svg.lines(title, series, x_label="step", is_share=is_share, marked=marked)
    return Graph(name.replace("_", "-"), title, caption + many, picture)


def _rounds(
    figures: Mapping[str, Any], values: Callable[[Mapping[str, Any]], Any]
) -> tuple[list[svg.Series], int | None]:
    """A series a round (the last ones, as many as there are colours), and the chosen step where there is one round."""
    training = figures["training"]
    if not training:
        return [], None
    if not training["rounds"]:
        return [svg.Series("", known(values(training)))], training["best_step"]
    shown = training["rounds"][-svg.COLOURS :]
    return [svg.Series(f"round {one['round']}", known(values(one))) for one in shown], None


def _validation(figures: Mapping[str, Any]) -> Graph | None:
    series, marked = _rounds(figures, lambda one: one["validation"])
    if not any(each.points for each in series):
        return None
    caption = (
        "Accuracy on held-back synthetic samples, which choose the checkpoint; it is therefore a little flattering and "
        "no measure of the gain. The test sets were asked once, after training."
    )
    picture = svg.lines("Validation", series, x_label="step", is_share=True, marked=marked)
    return Graph("validation", "Validation accuracy", caption, picture)


def _post_hoc(figures: Mapping[str, Any]) -> Graph | None:
    found = figures["post_hoc"]
    if not found:
        return None
    shown = list(found["sets"].items())[: svg.COLOURS]
    series = [svg.Series(name, [(each["step"], each["accuracy"]) for each in points]) for name, points in shown]
    caption = (
        "Accuracy on the test sets by checkpoint, measured after everything was chosen (the paper's Figures 25 and "
        "26). Step 0 is the base model. It selects nothing: a better point than the chosen one is luck or a lesson for "
        "the next spec, never a result."
    )
    picture = svg.lines("Test accuracy", series, x_label="step", is_share=True, marked=found["chosen"])
    return Graph("post-hoc", "Test accuracy by checkpoint, post hoc", caption, picture)


def _post_hoc_words(figures: Mapping[str, Any]) -> Graph | None:
    found = figures["post_hoc"]
    if not found:
        return None
    name, points = next(iter(found["sets"].items()))
    shares = [(each["step"], each["reflection_share"]) for each in points if each["reflection_share"] is not None]
    if not shares:
        return None
    caption = (
        f"Share of answers to {name} with a phrase of reflection ('wait', 'let me check', …), by checkpoint; a list of "
        "English phrases, so it counts words and not thought. Lengths stand in the table."
    )
    picture = svg.lines("Reflection", [svg.Series("", shares)], x_label="step", is_share=True, marked=found["chosen"])
    return Graph("reflection", "Answers with reflection by checkpoint", caption, picture)


def _by_round(figures: Mapping[str, Any]) -> Graph | None:
    rounds = figures["pass_rates_by_round"][-svg.COLOURS :]
    if len(rounds) < 2:
        return None
    labels = ["never", *[f"≤{k * 10}" for k in range(1, 10)], "<100", "always"]
    groups = []
    for each in rounds:
        counts = [each["never"], *each["tenths"], each["always"]]
        groups.append((f"round {each['round']}", [count / max(1, each["n"]) for count in counts]))
    caption = (
        f"Pass rates of round 1's {rounds[0]['n']:,} samples under the model that each round began with. Columns that "
        "move to the right are what the round before taught."
    )
    picture = svg.columns("Pass rates by round", labels, groups, y_label="share, by pass rate in %")
    return Graph("pass-rates-by-round", "Pass rates by round", caption, picture)
