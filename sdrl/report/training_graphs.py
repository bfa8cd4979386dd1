"""Pictures of a training: its curves, round beside round, and its checkpoints on the test sets. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sdrl.report import svg
from sdrl.report.graph import Graph, known
from sdrl.report.verdict import percent

_CURVES: tuple[tuple[str, str, str, bool, str], ...] = (
    (
        "reward", "Reward", "mean reward", False,
        "It should rise; a rise that validation does not follow is a warning.",
    ),
    (
        "kl", "KL to the base model", "nats a token", False,
        "How far the model has moved. A climb that stays is a sign of collapse or of reward hacking; single peaks are "
        "rare tokens.",
    ),
    (
        "completion_length", "Completion length", "tokens", False,
        "Mean tokens of a rollout. Growth to the limit, or a fall to almost none, is a reason to read samples.",
    ),
    (
        "entropy", "Entropy", "nats a token", False,
        "Uncertainty of the policy. Near zero, rollouts no longer differ and nothing more is learned.",
    ),
    (
        "parsable_share", "Readable completions", "share of rollouts", True,
        "Rollouts from which the verifier could read an answer.",
    ),
    (
        "zero_variance_share", "Groups without signal", "share of groups", True,
        "Groups of rollouts whose rewards are all equal: they teach nothing.",
    ),
    (
        "loss", "Loss", "loss", False,
        "For GRPO it hovers near zero and says little; for SFT and RFT it should fall.",
    ),
)  # fmt: skip


def training_graphs(figures: Mapping[str, Any]) -> list[Graph]:
    """Every curve that training and, after it, the checkpoints left."""
    found = [_curve(figures, *about) for about in _CURVES]
    found[1:1] = [_validation(figures)]
    found += [make(figures) for make in (_post_hoc, _post_hoc_words, _reflection)]
    return [each for each in found if each is not None]


def _curve(
    figures: Mapping[str, Any], name: str, title: str, y_label: str, is_share: bool, caption: str
) -> Graph | None:
    series, marked = _rounds(figures, lambda one: one["curves"].get(name))
    longest = max((len(each.points) for each in series), default=0)
    if longest < 2:
        return None
    many = "" if longest <= svg.FEW else " Thin: every step; thick: the mean of its neighbours."
    picture = svg.lines(title, series, x_label="step", y_label=y_label, is_share=is_share, marked=marked)
    last = next(each for each in reversed(series) if each.points)
    return Graph(name.replace("_", "-"), title, f"{_moved(last, is_share)} {caption}{many}", picture)


def _moved(each: svg.Series, is_share: bool) -> str:
    """Where a curve began, ended and was highest, in words."""

    def told(value: float) -> str:
        return percent(value) if is_share else f"{value:.3g}".replace("-", "\u2212")

    values = [value for _, value in each.points]
    step, most = max(each.points, key=lambda point: point[1])
    where = f"In {each.name}: " if each.name else ""
    n = len(values) // 10
    if n < 2:
        (first_step, first), (last_step, last) = each.points[0], each.points[-1]
        ends = f"{told(first)} at step {first_step:g}, {told(last)} at step {last_step:g}"
    else:
        first, last = sum(values[:n]) / n, sum(values[-n:]) / n
        ends = f"mean of the first {n} steps {told(first)}, of the last {n} {told(last)}"
    said = f"{where}{ends}; highest {told(most)} at step {step:g}."
    return said[0].upper() + said[1:]


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
    last = next(each for each in reversed(series) if each.points)
    seen = _moved(last, True) if len(last.points) > 1 else f"{svg.number(last.points[0][1], True)}, looked at once."
    caption = (
        f"{seen} Held-back synthetic samples, which choose the checkpoint: a little flattering, and no measure of the "
        "gain. The test sets were asked once, after training."
    )
    picture = svg.lines("Validation", series, x_label="step", y_label="right answers", is_share=True, marked=marked)
    return Graph("validation", "Validation accuracy", caption, picture)


def _post_hoc(figures: Mapping[str, Any]) -> Graph | None:
    found = figures["post_hoc"]
    if not found:
        return None
    shown = list(found["sets"].items())[: svg.COLOURS]
    series = [svg.Series(name, [(each["step"], each["accuracy"]) for each in points]) for name, points in shown]
    caption = (
        f"{_chosen_and_best(shown[0], found['chosen'])} Accuracy on the test sets by checkpoint, measured after "
        "everything was chosen (the paper's Figures 25 and 26); step 0 is the base model. It selects nothing: a better "
        "point than the chosen one is luck or a lesson for the next spec, never a result."
    )
    picture = svg.lines(
        "Test accuracy", series, x_label="step", y_label="right answers", is_share=True, marked=found["chosen"]
    )
    return Graph("post-hoc", "Test accuracy by checkpoint, post hoc", caption, picture)


def _chosen_and_best(named: tuple[str, list[Mapping[str, Any]]], chosen: int | None) -> str:
    name, points = named
    best = max(points, key=lambda each: float(each["accuracy"]))
    here = next((each for each in points if each["step"] == chosen), None)
    told = f"On {name} the chosen checkpoint has {percent(here['accuracy'])}, " if here else f"On {name} "
    return f"{told}the best of {len(points)} has {percent(best['accuracy'])} (step {best['step']})."


def _by_checkpoint(figures: Mapping[str, Any], key: str) -> tuple[list[svg.Series], int | None]:
    """A figure of the answers by checkpoint, a series a test set; none where it was not measured."""
    found = figures["post_hoc"]
    if not found:
        return [], None
    series = [
        svg.Series(name, [(each["step"], each[key]) for each in points if each[key] is not None])
        for name, points in list(found["sets"].items())[: svg.COLOURS]
    ]
    return [each for each in series if each.points], found["chosen"]


def _post_hoc_words(figures: Mapping[str, Any]) -> Graph | None:
    series, chosen = _by_checkpoint(figures, "median_words")
    if not series:
        return None
    title = "Length of answers by checkpoint"
    picture = svg.lines(title, series, x_label="step", y_label="median words", is_share=False, marked=chosen)
    first, last = series[0].points[0], series[0].points[-1]
    caption = (
        f"Median words of an answer to {series[0].name}: {first[1]:g} at step {first[0]:g}, {last[1]:g} at the last."
    )
    return Graph("post-hoc-words", title, caption, picture)


def _reflection(figures: Mapping[str, Any]) -> Graph | None:
    series, chosen = _by_checkpoint(figures, "reflection_share")
    if not series:
        return None
    title = "Answers with reflection by checkpoint"
    picture = svg.lines(title, series, x_label="step", y_label="share of answers", is_share=True, marked=chosen)
    ends = [percent(each.points[-1][1]) for each in series]
    caption = (
        f"At the last step {', '.join(f'{end} on {each.name}' for end, each in zip(ends, series, strict=True))}. Share "
        "of answers with a phrase such as 'wait' or 'let me check'; a list of English phrases, so it counts words and "
        "not thought."
    )
    return Graph("reflection", title, caption, picture)
