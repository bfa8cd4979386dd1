"""Looks at the sealed validation split: greedy accuracy by the same verifier, and what follows from it.

A look is taken before the first update and every `eval_every` steps; the best one's weights are kept in
WORK/best-STEP until a later checkpoint makes sure that a resume finds them. Never sees a test set.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from sdrl.training.data import Row
from sdrl.training.generation import Completion, greedy
from sdrl.training.job import Curve
from sdrl.training.metrics import DIGITS
from sdrl.training.rewards import Judge
from sdrl.training.session import Session


class Look(Protocol):
    """Takes one look at the validation split at a step."""

    def __call__(self, step: int) -> Curve:
        """Return the look."""
        ...


def score(step: int, rows: Sequence[Row], completions: Sequence[Completion], judge: Judge) -> Curve:
    """Return the shares of correct, parsable and truncated completions; a verifier's error is counted apart."""
    items = [(completion.text, row.gold, row.options) for row, completion in zip(rows, completions, strict=True)]
    verdicts = [judged.verdict for judged in judge.judge_many(items)]
    n = max(1, len(rows))

    def share(count: int) -> float:
        # As the metrics file keeps it: a look read back after a resume must tie with a new one that is as good.
        return round(count / n, DIGITS)

    return Curve(
        step=step,
        accuracy=share(verdicts.count("correct")),
        parsable=share(verdicts.count("correct") + verdicts.count("incorrect")),
        truncated=share(sum(one.is_truncated for one in completions)),
        errors=verdicts.count("error"),
        rows=len(rows),
        mean_tokens=round(sum(len(one.ids) for one in completions) / n, 2),
    )


def look(session: Session, trainer: Any, step: int) -> Curve:
    """Take one look with the model as it is; with several processes each completes its share of the rows."""
    accelerator = trainer.accelerator
    mine = session.validation[accelerator.process_index :: accelerator.num_processes]
    prompts = [row.prompt for row in mine]
    if session.job.is_sharded and len(prompts) * accelerator.num_processes < len(session.validation):
        prompts.append(session.validation[0].prompt)  # all work together on every token: none may have a row less
    found = list(zip(mine, greedy(session, trainer, prompts), strict=False))
    if accelerator.num_processes > 1:
        from accelerate.utils import gather_object

        found = gather_object(found)
    return score(step, [row for row, _ in found], [done for _, done in found], session.verifier)


def best_folder(work_dir: Path, step: int) -> Path:
    """Return where the weights of a best look lie."""
    return work_dir / f"best-{step}"


def metrics_row(curve: Curve) -> dict[str, Any]:
    """Return the metrics row of a look."""
    return {
        "step": curve.step,
        "validation_accuracy": curve.accuracy,
        "validation_parsable": curve.parsable,
        "validation_truncated": curve.truncated,
        "validation_errors": curve.errors,
        "validation_rows": curve.rows,
        "validation_tokens": curve.mean_tokens,
    }


def curve_of(rows: Sequence[dict[str, Any]], up_to: int) -> list[Curve]:
    """Return the looks recorded up to a step, so that a resumed training knows its best."""
    looks: dict[int, Curve] = {}
    for row in rows:
        if "validation_accuracy" in row and row["step"] <= up_to:
            looks[row["step"]] = Curve(
                step=row["step"],
                accuracy=row["validation_accuracy"],
                parsable=row["validation_parsable"],
                truncated=row["validation_truncated"],
                errors=row["validation_errors"],
                rows=row["validation_rows"],
                mean_tokens=row["validation_tokens"],
            )
    return [looks[step] for step in sorted(looks)]
