"""GRPO and RLOO: TRL's trainers with the verifier's rewards, and what both need of us.

TRL's own but for these private steps, each held by a test against the pinned TRL: prompts are encoded by the session;
the padding after a stop string is cut off before it is trained on; the order of prompts follows from seed and epoch,
where TRL's follows from how often the process has shuffled and so differs after a resume; groups without variance are
dropped or replaced (`groups`); with `mask_truncated_completions` exactly the completions that the token limit ended are
left out of the loss, where TRL would leave out those that a stop string ended as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sdrl.training import groups
from sdrl.training.generation import bind_stop_strings, trimmed
from sdrl.training.rewards import Scorer, reward_functions
from sdrl.training.session import Session

Inputs = list[dict[str, Any]]


def online_trainer(session: Session, config: Any, dataset: Any, callback: Any, peft_config: Any) -> Any:
    """Return a GRPO or RLOO trainer for the session, with `config` as TRL's settings."""
    from trl import GRPOTrainer, RLOOTrainer

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
    kind = _with_steps(GRPOTrainer if job.algorithm == "grpo" else RLOOTrainer, session, scorer)
    return kind(
        model=session.model,
        args=config,
        reward_funcs=list(reward_functions(scorer)),
        train_dataset=dataset,
        processing_class=session.tokenizer,
        callbacks=[callback],
        peft_config=peft_config,
    )


def _with_steps(trainer: Any, session: Session, scorer: Scorer) -> Any:
    """Return the trainer's class with our private steps."""
    job = session.job
    masks_truncated = bool(job.trl.get("mask_truncated_completions"))

    class Trainer(trainer):  # type: ignore[misc]
        """TRL's trainer with our encoding, our end of a completion and our groups."""

        _rows: Inputs

        def _tokenize_prompts(self, prompts: list[str]) -> tuple[list[list[int]], None, dict[str, Any]]:
            return session.encode(prompts), None, {}

        def _generate_single_turn(self, prompt_ids: list[list[int]], *args: Any, **named: Any) -> Any:
            def draw(prompts: list[list[int]]) -> tuple[list[list[int]], Any]:
                made = super(Trainer, self)._generate_single_turn(prompts, *args, **named)
                ids, logprobs = made if isinstance(made, tuple) else (made, None)
                return [trimmed(row, session) for row in ids], logprobs

            ids, logprobs = draw(prompt_ids)
            rows = getattr(self, "_rows", None)
            if rows is not None and self.model.training and job.zero_variance == "replace":
                at = (int(self.state.global_step), int(self.accelerator.process_index))
                replaced = Replacement(session, scorer, rows, prompt_ids, ids, logprobs).fill(draw, *at)
                self._metrics["train"]["replaced_groups"].append(float(replaced))
            return (ids, logprobs) if job.algorithm == "grpo" else ids

        def _generate_and_score_completions(self, inputs: Inputs) -> dict[str, Any]:
            self._rows = inputs = list(inputs)
            output: dict[str, Any] = super()._generate_and_score_completions(inputs)
            if masks_truncated:
                _mask_truncated(self, output, scorer, session)
            if job.zero_variance != "keep" and self.model.training:
                self._metrics["train"]["teaching_share"].append(_drop_idle(self, output, job.rollouts))
            return output

        def _get_train_sampler(self, dataset: Any = None) -> Any:
            return _by_epoch(super()._get_train_sampler(dataset))

    return Trainer


class Replacement:
    """One batch's groups without variance, and the prompts that take their place; lists are changed as they are."""

    def __init__(
        self,
        session: Session,
        scorer: Scorer,
        rows: Inputs,
        prompt_ids: list[list[int]],
        ids: list[list[int]],
        logprobs: list[Any] | None,
    ) -> None:
        self.session, self.scorer, self.rows = session, scorer, rows
        self.prompt_ids, self.ids, self.logprobs = prompt_ids, ids, logprobs
        self.size = session.job.rollouts

    def fill(self, draw: Any, step: int, process: int) -> int:
        """Replace what can be replaced; returns how many groups were. Does nothing where processes share a group."""
        job, known = self.session.job, {row.id: index for index, row in enumerate(self.session.rows)}
        names = [row["sample_id"] for row in self.rows]
        if job.reward_mode != "correct" or not is_whole(names, self.size):
            return 0
        fresh = groups.substitutes(len(known), [known[name] for name in names], job.seed, step, process)
        idle, filled = [at for at in range(0, len(names), self.size) if not self._teaches(at)], 0
        for _ in range(groups.TRIES):
            pairs = list(zip(idle, fresh, strict=False))
            if not pairs:
                break
            for at, index in pairs:
                self._put(at, index)
            places = [place for at, _ in pairs for place in range(at, at + self.size)]
            new, logprobs = draw([self.prompt_ids[place] for place in places])
            for number, place in enumerate(places):
                self.ids[place] = new[number]
                if self.logprobs is not None and logprobs is not None:
                    self.logprobs[place] = logprobs[number]
            still = [at for at, _ in pairs if not self._teaches(at)]
            filled += len(pairs) - len(still)
            idle = still + idle[len(pairs) :]
        return filled

    def _teaches(self, at: int) -> bool:
        row, ids = self.rows[at], self.ids[at : at + self.size]
        texts = [self.session.text(one) for one in ids]
        return groups.teaches(self.scorer.rewards(texts, ids, row["gold"], row["options"], self.session.job.reward))

    def _put(self, at: int, index: int) -> None:
        from sdrl.training.data import online_columns

        row = online_columns([self.session.rows[index]])
        encoded = self.session.encode([self.session.rows[index].prompt])[0]
        for place in range(at, at + self.size):
            self.rows[place] = {**self.rows[place], **{name: values[0] for name, values in row.items()}}
            self.prompt_ids[place] = list(encoded)


def is_whole(names: Sequence[str], size: int) -> bool:
    """Return whether a process's batch is made of whole groups of one prompt each."""
    starts = range(0, len(names), size)
    return len(names) % size == 0 and all(len(set(names[at : at + size])) == 1 for at in starts)


def _drop_idle(trainer: Any, output: dict[str, Any], size: int) -> float:
    """Weight the advantages of the groups that teach, over all processes; returns these groups' share."""
    import torch

    advantages = output["advantages"]
    every = trainer.accelerator.gather(advantages.contiguous())
    teaching = int((every.view(-1, size).abs() > 1e-8).any(dim=1).sum())
    total = int(every.numel()) // size
    output["advantages"] = torch.mul(advantages, groups.scale(total, teaching))
    return teaching / total


def _mask_truncated(trainer: Any, output: dict[str, Any], scorer: Scorer, session: Session) -> None:
    """Take the completions that the token limit ended out of the loss."""
    import torch

    mask = output["completion_mask"]
    ids = [row[: int(length)].tolist() for row, length in zip(output["completion_ids"], mask.sum(1), strict=True)]
    ended = [not scorer.is_truncated(session.text(row), row) for row in ids]
    output["completion_mask"] = mask * torch.tensor(ended, device=mask.device).unsqueeze(1).to(mask.dtype)
    if "num_items_in_batch" in output:
        output["num_items_in_batch"] = trainer.accelerator.gather(output["completion_mask"].sum()).sum()


def _by_epoch(sampler: Any) -> Any:
    """Give TRL's sampler the `set_epoch` that Trainer calls before each epoch; epoch 0 is shuffled as in TRL."""

    def set_epoch(epoch: int) -> None:
        sampler.generator.manual_seed(sampler.seed + epoch)

    if sampler.shuffle:
        sampler.set_epoch = set_epoch
    return sampler
