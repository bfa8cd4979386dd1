"""Arms with a name: the baselines, ablations and controls that a gain is held against. Data only.

Each is a change to the spec, a control, or both, with what it shows. Source: the paper's Tables 3 and 4, and what its
reviewers ask for (arXiv 2505.17063; 2506.10947 for random rewards).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sdrl.compare.suite import Arm, Control
from sdrl.spec.locate import specs_dir
from sdrl.spec.method_table import GROUNDED, METHOD_TABLE

METHODS = "methods"  # the name that stands for every rival way of writing samples
OFF_TOPIC = "suites/off-topic.jsonl"  # in the folder of the shipped specs
_OFF_TOPIC_WORDS = ["rock", "star", "court", "cells", "light", "rules", "rain", "kings"]
_FINE_TUNED = {"train.algorithm": "sft", "train.learning_rate": 2e-5}  # the paper's rate (A.3), on all weights


def _arm(about: str, set_: Mapping[str, Any] | None = None, *, needs: str = "nothing", **control: Any) -> Arm:
    return Arm.model_validate(
        {"about": about, "set": dict(set_ or {}), "control": Control.model_validate(control), "needs": needs}
    )


BASELINES: Mapping[str, Arm] = {
    "reference": _arm("the spec as it stands"),
    # the paper's ablations (Table 4)
    "no-pattern": _arm("no summary of the demos' pattern", {"synthesize.pattern": "never"}, needs="instructor"),
    "no-adaptation": _arm("no harder and no easier rewrites", {"adapt.rounds": 0}),
    "easy": _arm("the easiest solvable samples", {"select.order": "easy"}),
    "hard": _arm("the lowest pass rates, the never solved among them", {"select.order": "hard"}),
    "full-set": _arm("all samples, unselected", {"select.order": "all"}),
    "random-selection": _arm("any solvable samples", {"select.order": "random"}),
    "one-shot": _arm("one sample alone", {"select.samples": 1, "select.min": 1, "train.prompts_per_step": 1}),
    # votes
    "one-vote": _arm("the first answer is the label", {"vote.draws": 1, "vote.min_agreement": None}),
    "no-threshold": _arm("the most frequent answer, however rare", {"vote.min_agreement": None}),
    # retrieval
    "no-retrieval": _arm("no passages", {"corpus": []}),
    "irrelevant-passages": _arm(
        "20 passages on geology, law and music, found by words of their own",
        {"corpus": [{"files": [OFF_TOPIC], "license": "CC0-1.0"}], "retrieve.keywords": _OFF_TOPIC_WORDS},
    ),
    # algorithms
    "sft": _arm("fine-tuning on the voted solutions", {"train.algorithm": "sft"}),
    "rft": _arm("fine-tuning on the base model's own right draws", {"train.algorithm": "rft"}),
    "rloo": _arm("leave-one-out advantages", {"train.algorithm": "rloo"}),
    # controls
    "random-reward": _arm("a coin decides the reward", reward="random"),
    "format-reward": _arm("any readable answer is rewarded", reward="format"),
    "shuffled-labels": _arm("each problem has another's gold", reward="shuffled"),
    "own-majority": _arm("the base model's own majority is the gold", labels="own-majority"),
    # training on what people wrote (the suite's `human`), as many samples and all of them
    "sft-human-same": _arm("fine-tuning on as many human samples", {"train.algorithm": "sft"}, samples="human-same"),
    "sft-human-whole": _arm("fine-tuning on all human samples", {"train.algorithm": "sft"}, samples="human-whole"),
    "rl-human-same": _arm("as many human samples", samples="human-same"),
    "rl-human-whole": _arm("all human samples", samples="human-whole"),
    # rival ways of writing samples
    **{
        method.name: _arm(
            method.does,
            {"synthesize.method": method.name} | (_FINE_TUNED if method.repeats else {}),
            needs="instructor",
        )
        for method in METHOD_TABLE.values()
        if method.name != GROUNDED
    },
}


def expanded(arm: Arm) -> Arm:
    """The arm with its baseline under it: own changes win."""
    base = BASELINES[arm.baseline] if arm.baseline else Arm.model_construct()
    control = arm.control if not arm.control.is_plain else base.control
    return arm.model_copy(
        update={
            "name": arm.name or arm.baseline,
            "about": arm.about or base.about,
            "set": {**{key: _located(key, value) for key, value in base.set.items()}, **arm.set},
            "control": control,
            "needs": "instructor" if "instructor" in (arm.needs, base.needs) else "nothing",
        }
    )


def _located(key: str, value: Any) -> Any:
    """Passages that ship by their place here: what a spec names is relative to the spec."""
    if key != "corpus":
        return value
    return [{**source, "files": [str(specs_dir() / name) for name in source["files"]]} for source in value]
