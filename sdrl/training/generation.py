"""How the model in training completes: where a completion ends, and greedy ones for looks at the validation split.

One meaning of a stop string for all: the text of the new tokens holds it, as an endpoint means it. The library's own
`stop_strings` also looks into the prompt, so that a text which begins there would end a rollout and no reply. Judges
nothing.
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
    """Let every `generate` of the model end at the job's stop strings; TRL passes none that mean the same."""
    if not session.job.stop:
        return
    generate = model.generate

    def ending(*args: Any, **named: Any) -> Any:
        named["stopping_criteria"] = _stopping(session, named["input_ids"].shape[1])
        return generate(*args, **named)

    model.generate = ending


def _stopping(session: Session, prompt_length: int) -> Any:
    """Return the criteria that end a row whose new text holds a stop string. Looks at the last tokens only.

    Every token is looked at when it comes, so a stop string ends in the newest one, and it has at least a byte of text
    a token; the eight more are for tokens that decode to nothing.
    """
    import torch
    from transformers import StoppingCriteria, StoppingCriteriaList

    stop = session.job.stop
    reach = 8 + max(len(text.encode()) for text in stop)

    class HoldsStopString(StoppingCriteria):  # type: ignore[misc]
        """True for the rows that are over."""

        def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
            new = input_ids[:, max(prompt_length, input_ids.shape[1] - reach) :].tolist()
            held = [any(text in tail for text in stop) for tail in map(session.decode, new)]
            return torch.tensor(held, device=input_ids.device)

    return StoppingCriteriaList([HoldsStopString()])


def trimmed(ids: list[int], session: Session) -> list[int]:
    """Return a rollout's ids up to the token that completes a stop string; the padding behind it was not sampled."""
    stop = session.job.stop
    if not stop or not any(text in session.decode(ids) for text in stop):
        return ids
    low, high = 1, len(ids)
    while low < high:
        middle = (low + high) // 2
        is_over = any(text in session.decode(ids[:middle]) for text in stop)
        low, high = (low, middle) if is_over else (middle + 1, high)
    return ids[:low]


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
            width = batch["input_ids"].shape[1]
            output = model.generate(
                input_ids=batch["input_ids"],
                attention_mask=batch["attention_mask"],
                generation_config=GenerationConfig(**settings),
                stopping_criteria=_stopping(session, width) if job.stop else None,
                synced_gpus=job.is_sharded,
            )
            new = output[:, width:].tolist()
            for index, ids in zip(chosen, new, strict=True):
                completions[index] = _completion(ids, session)
        model.train(was_training)
    return [completions[index] for index in range(len(prompts))]


def _completion(ids: list[int], session: Session) -> Completion:
    end = next((at for at, one in enumerate(ids) if one in session.eos_ids), None)
    kept = trimmed(ids if end is None else ids[: end + 1], session)
    text = session.text(kept)
    cut = cut_at_stop(text, session.job.stop)
    is_truncated = end is None and cut == text and len(kept) >= session.job.max_completion_tokens
    return Completion(cut, tuple(kept), is_truncated)
