"""TRL's trainers, built from a session: GRPO with the verifier's rewards, SFT on given completions.

The GRPO trainer is TRL's own but for three private steps, each held by a test against the pinned TRL: prompts are
encoded by the session; the padding after a stop string is cut off before it is trained on; the order of prompts follows
from seed and epoch, where TRL's follows from how often the process has shuffled and so differs after a resume.
"""

from __future__ import annotations

import warnings
from typing import Any

from sdrl.spec.diagnostics import SdrlError
from sdrl.training import settings
from sdrl.training.data import Batch, cut_batch, grpo_dataset, sft_dataset
from sdrl.training.generation import bind_stop_strings, trimmed
from sdrl.training.rewards import Scorer, reward_functions
from sdrl.training.session import Session


def batch_of(session: Session) -> Batch:
    """Return how an update is cut for the session's rows and model."""
    longest = max(len(ids) for ids in session.encode([row.prompt for row in session.rows]))
    tokens = session.job.max_completion_tokens + (longest if session.job.algorithm == "sft" else 0)
    return cut_batch(session.job, len(session.rows), session.vocabulary, tokens)


def check_fields(session_or_job: Any) -> None:
    """Check the user's TRL fields before anything slow happens. Raises: `SdrlError` E804."""
    job = session_or_job
    if job.algorithm == "grpo":
        from trl import GRPOConfig as Config
    else:
        from trl import SFTConfig as Config
    settings.check_trl(job.trl, Config)


def _config(kind: Any, arguments: dict[str, Any]) -> Any:
    """Build a TRL config. Raises: `SdrlError` E804 with TRL's own words for a value that it refuses."""
    try:
        return kind(**arguments)
    except (TypeError, ValueError) as error:
        raise SdrlError("E804", f"TRL refuses the training settings: {str(error).splitlines()[0]}") from error


def grpo_trainer(session: Session, batch: Batch, callback: Any) -> Any:
    """Return a GRPO trainer for the session."""
    from trl import GRPOConfig, GRPOTrainer

    class Trainer(GRPOTrainer):  # type: ignore[misc]
        """TRL's trainer with our encoding and our end of a completion."""

        def _tokenize_prompts(self, prompts: list[str]) -> tuple[list[list[int]], None, dict[str, Any]]:
            return session.encode(prompts), None, {}

        def _generate_single_turn(self, *args: Any, **named: Any) -> tuple[list[list[int]], Any]:
            ids, logprobs = super()._generate_single_turn(*args, **named)
            return [trimmed(row, session) for row in ids], logprobs

        def _get_train_sampler(self, dataset: Any = None) -> Any:
            return _by_epoch(super()._get_train_sampler(dataset))

    job = session.job
    scorer = Scorer(
        judge=session.verifier,
        read=session.text,
        stop=job.stop,
        eos_ids=session.eos_ids,
        max_tokens=job.max_completion_tokens,
        mode=job.reward_mode,
        seed=job.seed,
    )
    bind_stop_strings(session.model, session)
    return Trainer(
        model=session.model,
        args=_config(GRPOConfig, settings.grpo(job, batch, session.device)),
        reward_funcs=list(reward_functions(scorer)),
        train_dataset=grpo_dataset(session.rows),
        processing_class=session.tokenizer,
        callbacks=[callback],
    )


def _by_epoch(sampler: Any) -> Any:
    """Give TRL's sampler the `set_epoch` that Trainer calls before each epoch; epoch 0 is shuffled as in TRL."""

    def set_epoch(epoch: int) -> None:
        sampler.generator.manual_seed(sampler.seed + epoch)

    if sampler.shuffle:
        sampler.set_epoch = set_epoch
    return sampler


def sft_trainer(session: Session, batch: Batch, callback: Any) -> Any:
    """Return an SFT trainer for the session: loss on the completion and its end token only."""
    from trl import SFTConfig, SFTTrainer

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return SFTTrainer(
            model=session.model,
            args=_config(SFTConfig, settings.sft(session.job, batch, session.device)),
            train_dataset=sft_dataset(
                session.rows, session.encode, session.encode_plain, session.tokenizer.eos_token_id
            ),
            processing_class=session.tokenizer,
            callbacks=[callback],
        )
