"""The export to TRL: ``train.py``, which trains on the rows with the shipped verifier, and the plan's settings.

The settings are those that the run's own training pins, written out in full, so that a default of TRL that changes
changes nothing. The forward passes are cut for one process and a large vocabulary; ``train.py`` shares them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sdrl.compiler.plan import Plan
from sdrl.export.parts import Files, as_json, shipped
from sdrl.export.plain import shared_files
from sdrl.export.samples import Sample
from sdrl.export.source import Source
from sdrl.models.weights import weights_of
from sdrl.spec.diagnostics import Exit, SdrlError
from sdrl.stages.train import describe
from sdrl.training.data import cut_batch
from sdrl.training.job import TrainingJob
from sdrl.training.settings import CONFIG_NAMES, CONFIGS

VOCABULARY = 152_064  # of Qwen 2.5 and 3, the widest in common use here
_CLASSES = {"grpo": "GRPOTrainer", "rloo": "RLOOTrainer"}
_NEEDS = ("trl>=1.16,<1.17", "transformers>=5,<6", "torch>=2.9", "accelerate>=1.5", "datasets>=4")
_ABOUT = """\
`train.py` trains in plain TRL on `data/train.jsonl`, with the settings of `trl.json` and `verifier.py` as the reward:

    pip install -r requirements.txt
    python train.py --model BASE -o trained
"""


def trl_files(source: Source, split: dict[str, list[Sample]]) -> Files:
    """The shared files, ``train.py`` and ``trl.json``.

    Raises:
        SdrlError: the plan trains without rollouts, for which TRL needs no reward.
    """
    algorithm = source.plan.settings.train.algorithm
    if algorithm not in _CLASSES:
        raise SdrlError(
            "",
            f"the plan trains with {algorithm}, which has no rollouts and so no reward to export to TRL",
            help="use --to hf: its rows carry the completions to learn from",
            exit=Exit.USAGE,
        )
    lora = ["peft>=0.18"] if source.plan.settings.train.lora else []
    return {
        **shared_files(source, split, also=[*_NEEDS, *lora], about=_ABOUT + _differences(source.plan)),
        "train.py": shipped("train.py"),
        "trl.json": as_json(_settings(source, len(split["train"]))),
    }


def base_on_hub(plan: Plan) -> tuple[str | None, str | None]:
    """Hub name and revision of the base model; None where it is a folder of this machine."""
    models = plan.settings.models
    if models is None:
        return None, None
    weights = weights_of(models.base.model, plan.identities["base"], plan.base_dir)
    return (weights.name, weights.revision) if weights.folder is None else (None, None)


def training_job(source: Source) -> TrainingJob:
    """The training that the plan asks for, as if in this folder."""
    return describe(
        source.plan, "train", model="", out_dir=Path("trained"), work_dir=Path("trained"), has_validation=False
    )


def _settings(source: Source, rows: int) -> dict[str, Any]:
    plan, job = source.plan, training_job(source)
    one = job.model_copy(update={"processes": 1})
    batch = cut_batch(one, max(1, rows), VOCABULARY, job.max_completion_tokens)
    config = CONFIGS[job.algorithm](job, batch, "cuda")
    shown = {name: value for name, value in config.items() if name not in _ELSEWHERE}
    model, revision = base_on_hub(plan)
    return {
        "trainer_class": _CLASSES[job.algorithm],
        "config_class": CONFIG_NAMES[job.algorithm],
        "model": model,
        "revision": revision,
        "end_ids": list(job.end_ids),
        "lora": job.lora.model_dump() if job.lora else None,
        # one reward function, already weighted
        "config": {**shown, "reward_weights": None, "log_level": "passive", "disable_tqdm": False},
    }


_ELSEWHERE = frozenset({"output_dir", "save_total_limit"})


def _differences(plan: Plan) -> str:
    treated = plan.settings.train.zero_variance
    told = "The head of `train.py` lists where it departs from the run's own training."
    return f"\n{told}\n" if treated == "keep" else f"\n{told} The run itself: groups without variance: {treated}.\n"
