"""Greedy completions of the model in training, in batches, and the trimming that stop strings need.

Same prompt bytes, stop strings, token limit and end tokens as the rollouts. Used by the looks at the validation
split. Judges nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sdrl.training.rewards import cut_at_stop
from sdrl.training.session import Session

_BATCH = 64


@dataclass(frozen=True)
class Completion:
    """One completion: its text before any stop string, its token ids, end token included."""

    text: str
    ids: tuple[int, ...]
    is_truncated: bool


def bind_stop_strings(model: Any, session: Session) -> None:
    """Give `generate` the tokenizer it needs for stop strings; TRL passes none."""
    if session.job.stop:
        from functools import partial

        model.generate = partial(model.generate, tokenizer=session.tokenizer)


def trimmed(ids: list[int], session: Session) -> list[int]:
    """Return a rollout's ids without the padding after a stop string, which TRL would train on as if sampled.

    Only rows that a stop string ended are touched: those are padded by `generate`, and where pad and end token are
    one, TRL keeps the first of that padding as an end token.
    """
    pad = int(session.tokenizer.pad_token_id)
    if not session.job.stop:
        return ids
    if pad not in session.eos_ids:
        end = len(ids)
        while end > 1 and ids[end - 1] == pad:
            end -= 1
        return ids[:end]
    if len(ids) > 1 and ids[-1] == pad and any(text in session.decode(ids[:-1]) for text in session.job.stop):
        return ids[:-1]
    return ids


def greedy(session: Session, trainer: Any, prompts: Sequence[str]) -> list[Completion]:
    """Return one greedy completion a prompt, in order. Draws no random number, so training is not moved by it."""
    import torch
    from transformers import GenerationConfig
    from trl.models import unwrap_model_for_generation

    job, tokenizer = session.job, session.tokenizer
    encoded = session.encode(list(prompts))
    # Prompts of like length share a batch: less padding, and the order depends on the rows alone.
    order = sorted(range(len(prompts)), key=lambda index: (len(encoded[index]), index))
    settings = {
        "max_new_tokens": job.max_completion_tokens,
        "do_sample": False,
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": sorted(session.eos_ids),
        "stop_strings": list(job.stop) or None,
    }
    completions: dict[int, Completion] = {}
    with unwrap_model_for_generation(trainer.model_wrapped, trainer.accelerator) as model, torch.no_grad():
        was_training = model.training
        model.eval()
        for start in range(0, len(order), _BATCH):
            chosen = order[start : start + _BATCH]
            batch = tokenizer.pad(
                {"input_ids": [encoded[index] for index in chosen]}, padding_side="left", return_tensors="pt"
            )
            batch = batch.to(model.device)
            extra = {} if not job.stop or hasattr(model.generate, "keywords") else {"tokenizer": tokenizer}
            output = model.generate(
                input_ids=batch["input_ids"],
                attention_mask=batch["attention_mask"],
                generation_config=GenerationConfig(**settings),
                **extra,
            )
            new = output[:, batch["input_ids"].shape[1] :].tolist()
            for index, ids in zip(chosen, new, strict=True):
                completions[index] = _completion(ids, session)
        model.train(was_training)
    return [completions[index] for index in range(len(prompts))]


def _completion(ids: list[int], session: Session) -> Completion:
    end = next((at for at, one in enumerate(ids) if one in session.eos_ids), None)
    kept = ids if end is None else ids[: end + 1]
    text = session.decode(kept)
    cut = cut_at_stop(text, session.job.stop)
    is_truncated = end is None and cut == text and len(kept) >= session.job.max_completion_tokens
    return Completion(cut, tuple(kept), is_truncated)
