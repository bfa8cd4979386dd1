"""Figures into a page: sections of paragraphs, tables and charts, before any renderer has seen them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import stdev
from typing import Any

from sdrl.report.blocks import Block, Chart, Page, Section, Table, Text
from sdrl.report.charts import bar, curve
from sdrl.report.more_tables import (
    alarms_table,
    answers_table,
    data_card_tables,
    post_hoc_table,
    problems_table,
    retrieval_table,
    suspects_table,
)
from sdrl.report.verdict import percent, points, shift_words, verdict

HIST_WIDTH = 15
CURVE_WIDTH = 60
CURVE_HEIGHT = 6


def build_page(figures: Mapping[str, Any], *, ascii_only: bool = False) -> Page:
    """Lay the figures out, the verdict first, then in the order of the run; a section without blocks is left out."""
    made = (
        Section("Verdict", tuple(Text(line) for line in verdict(figures))),
        Section("Accuracy", tuple(_accuracy(figures)), ("gains",)),
        Section("Funnel", tuple(_funnel(figures["funnel"])), ("funnel",)),
        Section("Readiness of the base model", tuple(_readiness(figures["readiness"]))),
        Section(
            "Pass rates of the base model",
            tuple(_pass_rates(figures, ascii_only)),
            ("pass-rates", "pass-rates-by-round"),
        ),
        Section("Labels against the known truth", tuple(_labels(figures["labels"])), ("labels",)),
        Section("Retrieval", tuple(retrieval_table(figures.get("retrieval"))), ("retrieval",)),
        Section(
            "Problems: length and likeness", tuple(problems_table(figures)), ("lengths", "lengths-real", "likeness")
        ),
        Section("Rounds", tuple(_rounds(figures["rounds"]))),
        Section("Training", tuple(_training(figures["training"], ascii_only)), _TRAINING_FIGURES),
        Section("Alarms and warnings", tuple(alarms_table(figures.get("alarms")))),
        Section(
            "Checkpoints on the test sets, post hoc",
            tuple(post_hoc_table(figures["post_hoc"])),
            ("post-hoc", "post-hoc-words", "reflection"),
        ),
        Section("Answers and reflection", tuple(answers_table(figures))),
        Section("Reward-hacking suspects", tuple(suspects_table(figures.get("suspects")))),
        Section("Time and cost", tuple(_costs(figures)), ("time", "cost")),
        Section("Data card", tuple(data_card_tables(figures.get("data")))),
    )
    models = figures["models"]
    subtitle = (
        f"{figures['run']} · instructor {models['instructor']} · base {models['base']} · {figures['algorithm']} · "
        f"plan {figures['plan_hash'][:12]}"
    )
    return Page(str(figures["name"]), subtitle, tuple(section for section in made if section.blocks))


_TRAINING_FIGURES = (
    "reward", "validation", "kl", "completion-length", "entropy", "parsable-share", "zero-variance-share", "loss",
)  # fmt: skip


def _accuracy(figures: Mapping[str, Any]) -> list[Block]:
    blocks: list[Block] = []
    for each in figures["evaluations"]:
        runs = f", {each['n_runs']} runs" if each["n_runs"] > 1 else ""
        kind = shift_words(each["shift"])
        blocks += [Text(f"{each['name']} ({kind}): {each['n_problems']:,} problems{runs}"), _set_table(each)]
        if (beside := (figures.get("few_shot") or {}).get(each["name"])) and beside["gain"] is not None:
            blocks.append(Text(_few_shot(beside)))
    if any(each.get("gain") is not None for each in figures["evaluations"]):
        blocks.append(
            Text("The two gains below the first are its parts and sum to it: right = readable × right if readable.")
        )
    validation = figures["validation"]
    if validation:
        blocks.append(
            Text(
                f"Synthetic validation split ({validation['n']} samples, chose the checkpoint): "
                f"{percent(validation['base'])} → {percent(validation['trained'])} at step {validation['best_step']}."
            )
        )
    return blocks


def _few_shot(beside: Mapping[str, Any]) -> str:
    """What worked examples in the prompt would have done instead of training."""
    base, (low, high) = beside["few_shot"], beside["interval"]
    demos = "1 demo" if beside["demos"] == 1 else f"up to {beside['demos']} demos"
    more = "better" if beside["gain"] >= 0 else "worse"
    return (
        f"With {demos} before each problem the base model is right in {percent(base['accuracy'])} of its answers "
        f"(readable {percent(base['parsable'])}); the trained model, without any, is {abs(beside['gain']) * 100:.1f} "
        f"points {more} (95 % interval {points(low)} to {points(high)})."
    )


def _readiness(found: Mapping[str, Any] | None) -> list[Block]:
    if not found:
        return []
    rows = [
        ("greedy answers that can be read", percent(found["parsable"])),
        ("  needed to go on", percent(found["wanted"])),
        ("  right", percent(found["solved"])),
        ("  cut off at the length limit", percent(found["truncated"])),
        ("  mostly repetition", percent(found["repetitive"])),
        ("  the problem said again", percent(found["echo"])),
    ]
    if "pass_1" in found:
        rows += [
            ("drawn answers that can be read", percent(found["sampled_parsable"])),
            ("  pass@1", percent(found["pass_1"])),
            (f"  pass@{found['k']}", percent(found["pass_k"])),
        ]
    return [Table((f"{found['n']} samples", "base"), tuple(rows))]


def _set_table(each: Mapping[str, Any]) -> Table:
    base, trained = each["base"] or {}, each["trained"] or {}

    def row(label: str, name: str, gain: str | None, interval: str | None) -> tuple[str, ...]:
        low_high = each.get(interval) if interval else None
        between = f"{points(low_high[0])} to {points(low_high[1])}" if low_high else ""
        moved = each.get(gain) if gain else None
        return (
            label,
            percent(base.get(name)),
            percent(trained.get(name)),
            "" if moved is None else points(moved),
            between,
        )

    rows = [
        row("right answers", "accuracy", "gain", "interval"),
        row("  readable (format)", "parsable", "gain_format", "interval_format"),
        row("  right if readable (skill)", "accuracy_if_parsable", "gain_skill", "interval_skill"),
        row("cut off at the length limit", "truncated", None, None),
    ]
    if base.get("accuracy_lenient") is not None and trained.get("accuracy_lenient") is not None:
        moved = points(trained["accuracy_lenient"] - base["accuracy_lenient"])
        rows.append((*row("right if read leniently", "accuracy_lenient", None, None)[:3], moved, ""))
    if base.get("errors") or trained.get("errors"):
        rows.append(row("not judged: the verifier failed", "errors", None, None))
    if each["n_runs"] > 1:
        rows.append(("sd over decoding runs", _deviation(base), _deviation(trained), "", ""))
    return Table(("", "base", "trained", "gain", "95 % interval"), tuple(rows))


def _deviation(measured: Mapping[str, Any]) -> str:
    """Sample deviation of the accuracies of the runs, in points."""
    runs = measured.get("by_run") or []
    return f"{100 * stdev(runs):.1f}" if len(runs) > 1 else "–"


def _funnel(funnel: Sequence[Mapping[str, Any]]) -> list[Block]:
    if not funnel:
        return []
    rows = [(row["stage"], _count(row["in"]), _count(row["rows"]), _codes(row["dropped"])) for row in funnel]
    blocks: list[Block] = [Table(("stage", "in", "out", "dropped"), tuple(rows), left=frozenset({0, 3}))]
    counts = {row["stage"]: row for row in funnel}
    written, voted = (counts.get(name) or {} for name in ("generate", "vote"))
    if written.get("rows") and (voted.get("in") or 0) > written["rows"]:
        more = voted["in"] - written["rows"]
        blocks.append(Text(f"The vote had {more:,} more samples written in place of those it dropped."))
    return blocks


def _rounds(rounds: Sequence[Mapping[str, Any]]) -> list[Block]:
    """What each round's model solved before it was trained further; nothing to tell of a single round."""
    if len(rounds) < 2:
        return []
    rows = []
    for each in rounds:
        same = "–" if each["same"] is None else percent(each["same"])
        looks = each["validation"]
        chosen = f"{percent(looks['base'])} → {percent(looks['trained'])}" if looks else "–"
        rows.append((str(each["round"]), _count(each["samples"]), same, _count(each["selected"]), chosen))
    heads = ("round", "samples", "pass rate on round 1's", "selected", "validation")
    return [Table(heads, tuple(rows), left=frozenset({0}))]


def _codes(dropped: Mapping[str, int] | None) -> str:
    ranked = sorted((dropped or {}).items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{code} {count}" for code, count in ranked)


def _count(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else "–"


def draws_of(rates: Mapping[str, Any]) -> str:
    """How many draws a sample had: ``64``, or ``8 to 64`` where scoring was adaptive."""
    return str(rates["draws"]) if rates["fewest"] == rates["draws"] else f"{rates['fewest']} to {rates['draws']}"


def _pass_rates(figures: Mapping[str, Any], ascii_only: bool) -> list[Block]:
    rates = figures["pass_rates"]
    if not rates:
        return []
    names = ("before", "after", "selected")
    rows = {name: [rates[name]["never"], *rates[name]["tenths"], rates[name]["always"]] for name in names}
    tops = {name: max(rows[name]) for name in names}
    labels = ["never", *[f"<={k * 10:>3} %" for k in range(1, 10)], "<100 %", "always"]
    titles = [f"{_HIST_TITLES[name]} ({rates[name]['n']:,})" for name in names]
    head = "".join(f"{title:<{HIST_WIDTH + 8}}" for title in titles)
    lines = [f"{'solved':<8}{head}".rstrip()]
    for index, label in enumerate(labels):
        cells = []
        for name in names:
            count = rows[name][index]
            drawn = bar(count, tops[name], HIST_WIDTH, ascii_only=ascii_only)
            cells.append(f"{drawn + (' ' if drawn else '') + (str(count) if count else '.'):<{HIST_WIDTH + 8}}")
        lines.append(f"{label:<8}{''.join(cells)}".rstrip())
    means = "".join(f"{percent(rates[name]['mean']):<{HIST_WIDTH + 8}}" for name in names)
    lines.append(f"{'mean':<8}{means}".rstrip())
    blocks: list[Block] = [Text(f"Share of right answers in {draws_of(rates)} draws a sample."), Chart(tuple(lines))]
    for origin, moved in figures["adaptation"].items():
        blocks.append(
            Text(
                f"Rewritten to be {origin}: {moved['n']} samples; mean pass rate {percent(moved['parents'])} of the "
                f"originals, {percent(moved['adapted'])} of the rewritten."
            )
        )
    return blocks


_HIST_TITLES = {"before": "initial", "after": "with adapted", "selected": "selected"}


def _training(training: Mapping[str, Any] | None, ascii_only: bool) -> list[Block]:
    if not training:
        return []
    stop = "; stopped early" if training["early_stopped"] else ""
    best = f"; the model is that of step {training['best_step']}" if training["best_step"] is not None else ""
    blocks: list[Block] = [Text(f"{training['steps']} steps{best}{stop}.")]
    curves = training["curves"]
    shown = "reward" if "reward" in curves else "loss" if "loss" in curves else None
    if shown:
        blocks.append(Chart(tuple(_curve_lines(shown, curves[shown], ascii_only))))
    rows = [_change(name, values) for name, values in curves.items() if name != shown]
    if rows:
        blocks.append(Table(("mean of", "first tenth", "last tenth"), tuple(rows)))
    if training["validation"]:
        looks = ", ".join(f"{step}: {percent(accuracy)}" for step, accuracy in training["validation"])
        blocks.append(Text(f"Validation accuracy by step: {looks}."))
    return blocks


def _curve_lines(name: str, values: Sequence[Sequence[float | None]], ascii_only: bool) -> list[str]:
    known = [(float(step), value) for step, value in values if step is not None and value is not None]
    lines, low, high = curve(known, width=CURVE_WIDTH, height=CURVE_HEIGHT, ascii_only=ascii_only)
    if not lines:
        return []
    marks = {0: f"{high:.3f}", len(lines) - 1: f"{low:.3f}"}
    wall = "|" if ascii_only else "│"
    drawn = [f"{marks.get(index, ''):>8} {wall}{line}".rstrip() for index, line in enumerate(lines)]
    corner = "+" if ascii_only else "└"
    floor_ = ("-" if ascii_only else "─") * min(CURVE_WIDTH, len(known))
    foot = f"{'':>8}  {'step ' + str(round(known[0][0])):<{max(1, len(floor_) - 6)}}{round(known[-1][0]):>6}"
    return [f"{'':>8} {name}", *drawn, f"{'':>8} {corner}{floor_}", foot]


def _change(name: str, values: Sequence[Sequence[float | None]]) -> tuple[str, str, str]:
    known = [value for _, value in values if value is not None]
    n = max(1, len(known) // 10)
    return CURVE_NAMES.get(name, name), _short(sum(known[:n]) / n), _short(sum(known[-n:]) / n)


CURVE_NAMES = {
    "reward": "reward",
    "kl": "KL to the base, nats a token",
    "entropy": "entropy, nats a token",
    "completion_length": "tokens a rollout",
    "loss": "loss",
    "zero_variance_share": "share of groups without signal",
    "parsable_share": "share of readable rollouts",
    "reward_correct": "share correct",
    "reward_parsable": "share readable but wrong",
    "reward_truncated": "share cut off",
    "reward_wrong": "share not correct",
}


def _short(value: float) -> str:
    return f"{value:.1f}" if abs(value) >= 100 else f"{value:.4f}"


def _labels(labels: Mapping[str, Any] | None) -> list[Block]:
    if not labels:
        return []
    titles = {"written": "as written", "voted": "voted and kept", "adapted": "adapted, voted", "selected": "selected"}
    rows = [
        (title, _count(labels[name]["n"]), _count(labels[name]["wrong"]), percent(labels[name]["wrong_share"]),
         _count(labels[name]["ambiguous"]))
        for name, title in titles.items()
    ]  # fmt: skip
    blocks: list[Block] = [Table(("labels", "samples", "wrong", "share", "ambiguous"), tuple(rows))]
    blocks.append(Text(_filter_words("The vote dropped", labels["vote"])))
    blocks.append(Text(_filter_words("The base model's doubt marks", labels["doubt"])))
    return blocks


def _filter_words(start: str, quality: Mapping[str, Any]) -> str:
    everything = quality["bad_dropped"] + quality["bad_passed"]
    return (
        f"{start} {quality['dropped']} of {quality['dropped'] + quality['passed']} samples: {quality['bad_dropped']} "
        f"of them bad (precision {percent(quality['precision'])}), of {everything} bad ones in all (recall "
        f"{percent(quality['recall'])})."
    )


def _costs(figures: Mapping[str, Any]) -> list[Block]:
    usage, spent = figures["usage"] or {}, spent_by_stage(figures)
    rows = [(row["stage"], time_words(row["seconds"]), *_spent(spent.get(row["stage"]))) for row in figures["funnel"]]
    if not rows:
        return []
    staged = {row["stage"] for row in figures["funnel"]}
    rows += [(name, "–", *_spent(sums)) for name, sums in spent.items() if name not in staged]
    total = sum(row["seconds"] or 0.0 for row in figures["funnel"])
    rows.append(("all", time_words(total), *_spent(_sums([usage]) if usage else None)))
    blocks: list[Block] = [Table(("stage", "time", "requests", "cached", "tokens", "usd"), tuple(rows))]
    saved = usage.get("saved_by_cache") or {}
    if saved.get("requests"):
        blocks.append(
            Text(
                f"The request cache answered {saved['requests']:,} requests ({saved['tokens']:,} tokens, "
                f"${saved['usd']:.2f}) that were paid for before."
            )
        )
    return blocks


def spent_by_stage(figures: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Requests, cached ones, tokens and dollars of each stage that asked a model, in the order of the run.

    What was asked for beside the stages (``post-hoc``) comes last.
    """
    by_stage: dict[str, list[Mapping[str, Any]]] = {}
    for name, spent in ((figures["usage"] or {}).get("by") or {}).items():
        by_stage.setdefault(name.partition("/")[0], []).append(spent)
    order = [*(row["stage"] for row in figures["funnel"]), *by_stage]
    return {stage: _sums(by_stage[stage]) for stage in dict.fromkeys(order) if stage in by_stage}


def _sums(some: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    names = ("requests", "cached", "tokens", "usd")
    return {name: sum(float(spent.get(name) or 0) for spent in some) for name in names}


def _spent(sums: Mapping[str, float] | None) -> tuple[str, ...]:
    if sums is None:
        return "", "", "", ""
    return (*(f"{sums[name]:,.0f}" for name in ("requests", "cached", "tokens")), f"{sums['usd']:.2f}")


def time_words(seconds: float | None) -> str:
    """Seconds in words: ``21.0 s``, ``1 min 06 s``; a dash for None."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
