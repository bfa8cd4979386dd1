"""The three presets: what a spec gets for keys it does not write.

``recommended`` is what we would do, ``paper`` follows the paper's text, ``released-code`` the authors' published code
with its bugs mended. Only keys in which the three differ stand here; every other value is the model's own default.
Sources: arXiv 2505.17063 (sections 3 and 4, appendix A) and the authors' repository.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "recommended": {
        "vote": {"min_agreement": 0.5, "include_generated": False, "stop_early": True},
        "filter": [{"duplicates": True}, {"decontaminate": True}, {"rouge_l": 0.7}],
        "score": {"adaptive": True, "sampling": {"temperature": 0.7}},
        "select": {"never_solved": "drop", "min_solved": 2, "fill": "none"},
        "synthesize": {"demo_probability": 1.0, "demos_per_prompt": 3},
        "train": {
            "kl": 0.01,
            "loss": "grpo",
            "prompts_per_step": 4,
            "reward": {"parsable": 0.0},
            "sampling": {"top_p": 1.0},
            "zero_variance": "drop",
        },
    },
    "paper": {
        "vote": {"min_agreement": None, "include_generated": False, "stop_early": False},
        "filter": [],
        "score": {"adaptive": False, "sampling": {"temperature": 0.7}},
        "select": {"never_solved": "last", "min_solved": 1, "fill": "none"},
        "synthesize": {"demo_probability": 1.0, "demos_per_prompt": "all"},
        "train": {
            "kl": 0.01,
            "loss": "grpo",
            "prompts_per_step": 4,
            "reward": {"parsable": 0.0},
            "sampling": {"top_p": 1.0},
            "zero_variance": "keep",
        },
    },
    "released-code": {
        "vote": {"min_agreement": None, "include_generated": True, "stop_early": False},
        "filter": [],
        "score": {"adaptive": False, "sampling": {"temperature": 1.2, "top_p": 0.95, "max_tokens": 1500}},
        "select": {"never_solved": "drop", "min_solved": 1, "fill": "none"},
        # the code attempts 503 samples and refills nothing
        "synthesize": {"demo_probability": "share", "demos_per_prompt": 3, "samples": 503, "attempts": 503},
        # its reward of 0.1 for a wrong but parsable answer holds for LogiQA and MedNLI alone: their specs write it
        "train": {
            "kl": 0.001,
            "loss": "grpo",
            "prompts_per_step": 4,
            "reward": {"parsable": 0.0},
            "sampling": {"top_p": 0.8},
            "zero_variance": "keep",
        },
    },
}


def merged(preset: Mapping[str, Any], written: Mapping[str, Any]) -> dict[str, Any]:
    """What was written over what the preset gives: tables key by key, everything else as a whole."""
    result = dict(written)
    for key, value in preset.items():
        if key not in result:
            result[key] = value
        elif isinstance(value, Mapping) and isinstance(result[key], Mapping):
            result[key] = merged(value, result[key])
    return result
