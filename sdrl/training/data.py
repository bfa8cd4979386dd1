"""Rows of a training: JSONL in, checked rows and data sets out.

Reads the two row files of a job; adapts the batch to few rows and says so; refuses an empty file, a row without what
the algorithm needs, and a prompt that does not fit the model. Does not render prompts: their bytes arrive final.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from sdrl.spec.diagnostics import SdrlError
from sdrl.training.job import TrainingJob

Encode = Callable[[list[str]], list[list[int]]]


@dataclass(frozen=True)
class Row:
    """One problem: the exact prompt, its gold, the option texts, and for SFT and RFT the completion to learn."""

    id: str
    prompt: str
    gold: str
    options: dict[str, str] | None = None
    completion: str | None = None


_ROW = TypeAdapter(Row)


@dataclass(frozen=True)
class Batch:
    """How an update is cut: prompts a step, completions a forward pass, forward passes a process."""

    prompts: int
    per_device: int
    accumulation: int


def read_rows(path: Path) -> list[Row]:
    """Read a row file. Raises: `SdrlError` E802 naming file and line."""
    rows: list[Row] = []
    try:
        with path.open(encoding="utf-8") as handle:
            for number, line in enumerate(handle, 1):
                if line.strip():
                    rows.append(_row(line, f"{path}:{number}"))
    except (OSError, UnicodeDecodeError) as error:
        raise SdrlError("E802", f"cannot read the rows {path}: {error}") from error
    return rows


def _row(line: str, where: str) -> Row:
    try:
        return _ROW.validate_json(line, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "line"
        raise SdrlError("E802", f"{where}: {field}: {first['msg']}") from error


def training_rows(job: TrainingJob) -> list[Row]:
    """Return the rows to learn from. Raises: `SdrlError` E802 when there are none, or one has nothing to learn."""
    rows = read_rows(job.train_rows)
    if not rows:
        raise SdrlError("E802", "there are no training rows", help="the select stage kept nothing: see its funnel")
    if not job.is_online:
        without = next((row.id for row in rows if not row.completion), None)
        if without is not None:
            raise SdrlError(
                "E802", f"row {without} has no completion to learn from", help="SFT and RFT need one in every row"
            )
    if job.reward_mode == "shuffled":
        golds = [row.gold for row in rows]
        random.Random(f"{job.seed}:shuffled").shuffle(golds)
        rows = [replace(row, gold=gold) for row, gold in zip(rows, golds, strict=True)]
    return rows


def fitting(rows: Sequence[Row], encode: Encode, context: int, job: TrainingJob) -> tuple[list[Row], list[Row]]:
    """Return the rows whose prompt leaves room for a whole completion in `context` tokens, and those left out.

    A few long prompts must not cost a paid run its training; more than a tenth means that the settings are wrong.
    Raises: `SdrlError` E803.
    """
    lengths = [len(ids) for ids in encode([row.prompt for row in rows])] if rows else []
    room = context - job.max_completion_tokens
    kept = [row for row, length in zip(rows, lengths, strict=True) if 0 < length <= room]
    left_out = [row for row, length in zip(rows, lengths, strict=True) if not 0 < length <= room]
    if len(left_out) * 10 <= len(rows):
        return kept, left_out
    longest = max(lengths)
    message = (
        f"{len(left_out)} of {len(rows)} prompts (up to {longest} tokens) leave no room for {job.max_completion_tokens}"
        f" tokens of completion in the model's context of {context}"
    )
    at_most = context - longest
    if at_most > 0:
        raise SdrlError("E803", message, help=f"set train.max_completion_tokens to at most {at_most}")
    raise SdrlError("E803", message, help="drop such samples with a filter on length")


def cut_batch(job: TrainingJob, rows: int, vocabulary: int, tokens_per_row: int) -> Batch:
    """Return how one update is cut, with fewer prompts a step where the rows are too few for one update.

    `per_device` divides the completions of a process and keeps one forward pass's logits under 1 GiB in fp32, which
    bounds memory without changing which completions share an update. Raises: `SdrlError` E804 when processes do not
    divide the update.
    """
    prompts = min(job.prompts_per_step, rows)
    copies = job.rollouts if job.is_online else 1
    if (prompts * copies) % job.processes:
        raise SdrlError(
            "E804",
            f"{prompts} prompts x {copies} completions a step cannot be shared by {job.processes} processes",
            help="make prompts_per_step x rollouts a multiple of the number of processes",
        )
    share = prompts * copies // job.processes
    bound = job.micro_batch or max(1, (1 << 30) // (4 * max(1, vocabulary) * max(1, tokens_per_row)))
    per_device = max(size for size in range(1, share + 1) if share % size == 0 and size <= max(1, bound))
    return Batch(prompts, per_device, share // per_device)


def online_columns(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Return TRL's `prompt` column and what the rewards need."""
    return {
        "prompt": [row.prompt for row in rows],
        "gold": [row.gold for row in rows],
        # Texts of JSON: Arrow would give every row the union of all rows' letters, filled with None.
        "options": [json.dumps(row.options) if row.options else "" for row in rows],
        "sample_id": [row.id for row in rows],
    }


def online_dataset(rows: Sequence[Row]) -> Any:
    """Return the data set of GRPO and RLOO."""
    from datasets import Dataset

    return Dataset.from_dict(online_columns(rows))


def sft_dataset(rows: Sequence[Row], encode_prompts: Encode, encode_completions: Encode, eos_id: int | None) -> Any:
    """Return a tokenized data set: prompt and completion encoded apart, as generation sees them, then one end token."""
    from datasets import Dataset

    prompts = encode_prompts([row.prompt for row in rows])
    completions = encode_completions([row.completion or "" for row in rows])
    end = [] if eos_id is None else [eos_id]
    return Dataset.from_dict(
        {
            "input_ids": [prompt + completion + end for prompt, completion in zip(prompts, completions, strict=True)],
            "completion_mask": [
                [0] * len(prompt) + [1] * (len(completion) + len(end))
                for prompt, completion in zip(prompts, completions, strict=True)
            ],
        }
    )
