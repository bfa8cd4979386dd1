"""TRL's trainers, built from a session: GRPO and RLOO on rollouts, SFT and RFT on given completions, with or without
adapters.

SFT and RFT are one trainer: what they learn, voted solutions or the base model's own right draws, is decided by the
rows of the job.
"""

from __future__ import annotations

import warnings
from typing import Any

from sdrl.spec.diagnostics import SdrlError
from sdrl.training import settings
from sdrl.training.data import Batch, cut_batch, online_dataset, sft_dataset
from sdrl.training.online import online_trainer
from sdrl.training.session import Session


def batch_of(session: Session) -> Batch:
    """Return how an update is cut for the session's rows and model."""
    longest = max(len(ids) for ids in session.encode([row.prompt for row in session.rows]))
    tokens = session.job.max_completion_tokens + (0 if session.job.is_online else longest)
    return cut_batch(session.job, len(session.rows), session.vocabulary, tokens)


def build_trainer(session: Session, batch: Batch, callback: Any) -> Any:
    """Return the trainer of the job's algorithm. Raises: `SdrlError` E804 with TRL's own words for a value it refuses.

    Adapters are drawn at random when the trainer is made: the seed is set here, so that they do not depend on what
    drew before.
    """
    from transformers import set_seed

    job = session.job
    arguments = settings.CONFIGS[job.algorithm](job, batch, session.device)
    config = _config(config_class(job.algorithm), arguments)
    peft_config = _adapters(session)
    set_seed(job.seed)
    try:
        if job.is_online:
            return online_trainer(session, config, online_dataset(session.rows), callback, peft_config)
        return _sft_trainer(session, config, callback, peft_config)
    except ValueError as error:
        raise SdrlError("E804", f"TRL refuses the training settings: {str(error).splitlines()[0]}") from error


def config_class(algorithm: str) -> Any:
    """Return TRL's config of an algorithm. Raises: ModuleNotFoundError."""
    import trl

    return getattr(trl, settings.CONFIG_NAMES[algorithm])


def _config(kind: Any, arguments: dict[str, Any]) -> Any:
    try:
        return kind(**arguments)
    except (TypeError, ValueError) as error:
        raise SdrlError("E804", f"TRL refuses the training settings: {str(error).splitlines()[0]}") from error


def _adapters(session: Session) -> Any:
    """Return peft's settings of the adapters, None where all weights are trained. Raises: `SdrlError` E804, E808."""
    lora = session.job.lora
    if lora is None:
        return None
    try:
        from peft import LoraConfig
    except ModuleNotFoundError as error:
        raise SdrlError(
            "E808", "train.lora needs the package peft, which is not installed", help="pip install 'sdrl[train]'"
        ) from error

    targets = lora.targets if lora.targets == "all-linear" else list(lora.targets)
    if targets != "all-linear":
        names = {name.rpartition(".")[2] for name, _ in session.model.named_modules()}
        unknown = [target for target in targets if target.rpartition(".")[2] not in names]
        if unknown:
            known = ", ".join(sorted(name for name in names if name.endswith("proj"))) or "all-linear"
            raise SdrlError("E804", f"train.lora.targets: the model has no module '{unknown[0]}'", help=f"name {known}")
    return LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=targets,
        bias="none",
        use_rslora=False,
        use_dora=False,
        init_lora_weights=True,
        task_type="CAUSAL_LM",
    )


def _sft_trainer(session: Session, config: Any, callback: Any, peft_config: Any) -> Any:
    """Return a trainer with its loss on the completion and its end token only."""
    from trl import SFTTrainer

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return SFTTrainer(
            model=session.model,
            args=config,
            train_dataset=sft_dataset(
                session.rows, session.encode, session.encode_plain, session.tokenizer.eos_token_id
            ),
            processing_class=session.tokenizer,
            callbacks=[callback],
            peft_config=peft_config,
        )
