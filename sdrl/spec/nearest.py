"""What a person most likely meant: the nearest of the words that exist.

Other tools' words for our keys and values (``lr``, ``multiple_choice``) count, beside beginnings and small edits.
"""

from __future__ import annotations

from collections.abc import Iterable

# one entry a word: reads as a table
# fmt: off
_OTHERS_WORDS = {
    # keys
    "answer": "output", "api_base": "endpoint", "api_key": "key_env", "base_url": "endpoint", "batch_size":
    "prompts_per_step", "beta": "kl", "chat_template": "prompt", "choices": "options", "completion": "output",
    "eval": "evaluate", "eval_file": "evaluate", "few_shot": "demos", "examples": "demos", "data": "corpus",
    "documents": "corpus", "gradient_accumulation_steps": "prompts_per_step", "group_size": "rollouts",
    "instruction": "description", "kl_coef": "kl", "labels": "options", "lr": "learning_rate",
    "max_length": "max_completion_tokens", "max_new_tokens": "max_tokens", "max_tokens": "max_completion_tokens",
    "model_name": "model", "model_name_or_path": "model", "n": "draws", "num_epochs": "epochs",
    "num_generations": "rollouts", "num_samples": "samples", "num_train_epochs": "epochs", "path": "file",
    "per_device_train_batch_size": "prompts_per_step", "peft": "lora", "preset": "extends", "prompt": "input",
    "question": "input", "student": "base", "system_prompt": "system", "target": "gold", "teacher": "instructor",
    "test": "evaluate", "test_file": "file", "threshold": "min_agreement", "train_batch_size": "prompts_per_step",
    "training": "train", "url": "endpoint", "version": "sdrl", "num_votes": "draws",
    # values
    "bool": "boolean", "categorical": "label", "category": "label", "class": "label", "classification": "label",
    "decimal": "number", "equation": "math", "expression": "math", "float": "number", "free_text": "text",
    "int": "number", "integer": "number", "latex": "math", "mcq": "choice", "mcqa": "choice",
    "multi_label": "set", "multilabel": "set", "multiple_choice": "choice", "str": "text", "string": "text",
    "yes_no": "boolean", "hf": "embedded", "transformers": "embedded", "sequence": "set", "list": "set",
}
# fmt: on


def closest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate a person most likely meant, if any comes near."""
    import difflib

    names = {_folded(name): name for name in reversed(list(candidates))}
    wanted = _folded(word)
    if wanted in names:
        return names[wanted]
    other = _OTHERS_WORDS.get(wanted)
    if other in names:
        return names[other]
    starts = [name for key, name in names.items() if len(wanted) > 2 and key.startswith(wanted)]
    if len(starts) == 1:
        return starts[0]
    hits = difflib.get_close_matches(wanted, names, n=1, cutoff=0.6)
    if hits:
        return names[hits[0]]
    within = [name for key, name in names.items() if len(wanted) > 2 and wanted in key]
    return within[0] if len(within) == 1 else None


def _folded(word: str) -> str:
    return word.lower().replace("-", "_").replace(" ", "_")
