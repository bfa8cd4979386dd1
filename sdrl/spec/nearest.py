"""What a person most likely meant: the nearest of the words that exist.

Other tools' words for our keys come first (``lr``, ``batch_size``), then a beginning, then small edits.
"""

from __future__ import annotations

from collections.abc import Iterable

_OTHERS_WORDS = {
    "api_base": "endpoint",
    "api_key": "key_env",
    "batch_size": "prompts_per_step",
    "base_url": "endpoint",
    "beta": "kl",
    "choices": "options",
    "completion": "output",
    "eval": "evaluate",
    "url": "endpoint",
    "group_size": "rollouts",
    "kl_coef": "kl",
    "lr": "learning_rate",
    "max_length": "max_completion_tokens",
    "max_new_tokens": "max_tokens",
    "max_tokens": "max_completion_tokens",
    "n": "draws",
    "num_epochs": "epochs",
    "num_generations": "rollouts",
    "path": "file",
    "preset": "extends",
    "prompt": "input",
    "question": "input",
    "answer": "output",
    "version": "sdrl",
}


def closest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate a person most likely meant, if any comes near."""
    import difflib

    names = {_folded(name): name for name in reversed(list(candidates))}
    wanted = _folded(word)
    if wanted in names:
        return names[wanted]
    starts = [name for key, name in names.items() if len(wanted) > 2 and key.startswith(wanted)]
    if len(starts) == 1:
        return starts[0]
    other = _OTHERS_WORDS.get(wanted)
    if other in names:
        return names[other]
    hits = difflib.get_close_matches(wanted, names, n=1, cutoff=0.6)
    if hits:
        return names[hits[0]]
    within = [name for key, name in names.items() if len(wanted) > 2 and wanted in key]
    return within[0] if len(within) == 1 else None


def _folded(word: str) -> str:
    return word.lower().replace("-", "_").replace(" ", "_")
