"""Step 9: S_train: the M lowest scores by equation 7 (paper section 4.3), and a sealed validation split (ours).

The split drives early stopping and the choice of the checkpoint; test sets never do.
"""

from __future__ import annotations

from collections import Counter

from sdrl.compiler.places import is_solvable
from sdrl.spec.diagnostics import SdrlError
from sdrl.spec.lint_numbers import FEWEST_HELD_OUT
from sdrl.spec.model import Select, Validate
from sdrl.stages.context import Row, StageContext, StageOutput
from sdrl.stages.held_out import held_out
from sdrl.stages.ranking import choose

CARRIED = ("id", "part", "input", "gold", "options", "solution", "origin", "parent", "passage", "agreement")


async def run(ctx: StageContext) -> StageOutput:
    """Rows {id, split, rank, pass_rate, score fields, input, gold, options, …}; split is train or validation."""
    select = ctx.plan.settings.select
    samples = {row["id"]: row for row in ctx.samples()}
    rows = [{**{key: samples[row["id"]][key] for key in CARRIED}, **row} for row in ctx.rows("score")]
    sealed = held_out(ctx)
    held = [row for row in rows if row["id"] in sealed]
    free = [row for row in rows if row["id"] not in sealed]
    chosen = choose(free, select, lambda id_: ctx.plan.seed_for("tie", id_))
    if len(chosen) < select.min:
        counts = Counter(_why_not(row, select) for row in free)
        doubted = f", {counts['label_doubt']} with a label that the base model contradicts" * bool(
            counts["label_doubt"]
        )
        raise SdrlError(
            "E864",
            f"only {len(chosen)} samples are worth learning from (select.min is {select.min}): "
            f"{counts['never_solved']} never solved, {counts['always_solved']} always, "
            f"{counts['rarely_solved']} fewer than {select.min_solved} times{doubted}",
            help="raise synthesize.samples, let adapt write easier ones, lower select.min_solved, or lower select.min",
        )
    passages = {row["passage"] for row in rows} - {None}
    if small := too_few(len(held), len(passages), ctx.plan.settings.validate_):
        ctx.warn("W862", small)
    ids = {row["id"] for row in chosen}
    train = [{**row, "split": "train", "rank": rank} for rank, row in enumerate(chosen)]
    validation = [{**row, "split": "validation", "rank": rank} for rank, row in enumerate(held)]
    dropped = [
        {"id": row["id"], "code": _why_not(row, select), "evidence": f"{row['correct']}/{row['draws']}"}
        for row in free
        if row["id"] not in ids
    ]
    return StageOutput(train + validation, dropped, {"train": len(train), "validation": len(validation)})


def too_few(held: int, passages: int, validate: Validate) -> str | None:
    """What a validation split so small means, and where it comes from; None where it is large enough or not wanted."""
    if not validate.share or held >= FEWEST_HELD_OUT:
        return None
    meaning = "no checkpoint is chosen, the last one counts"
    if held:
        meaning = f"one answer is {100 / held:.0f} points of the accuracy that checkpoints are chosen by"
    by_passage = validate.by == "passage" and passages
    by = f"whole passages, of which there are {passages}" if by_passage else "samples"
    shown = f"{held or 'no'} sample{'s' * (held != 1)} held out for validation"
    return f"{shown}: {meaning} (validate.share {validate.share:g} of {by})"


def _why_not(row: Row, select: Select) -> str:
    if row["label_doubt"] and select.doubted == "drop" and select.order != "all":
        return "label_doubt"
    if row["correct"] == 0:
        return "never_solved"
    if row["correct"] == row["draws"]:
        return "always_solved"
    return "not_among_the_hardest" if is_solvable(row["correct"], row["draws"], select.min_solved) else "rarely_solved"
