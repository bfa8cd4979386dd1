"""Step 10: GRPO (or RLOO, SFT, RFT) on S_train in a process of its own (paper section 4.4); its metrics become rows.

Writes ``RUN/training`` (job, rows, checkpoints) and ``RUN/model``. The checkpoint is chosen on the sealed validation
split; no test set is in reach of the process.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sdrl.compiler.contract import for_rollouts
from sdrl.compiler.plan import Plan, derive_seed
from sdrl.compiler.rounds import named, round_of
from sdrl.models.weights import refuse_changed_weights, weights_of
from sdrl.spec.diagnostics import Exit, SdrlError
from sdrl.stages.context import Row, StageContext, StageOutput, trained_folder, trained_identity
from sdrl.stages.controls import Controls, human_rows, own_majority, read_control
from sdrl.stages.right_draws import right_draws
from sdrl.stages.training_rows import training_row
from sdrl.training.job import LoraSettings, RewardWeights, RolloutSampling, TrainingJob
from sdrl.training.launch import run_training
from sdrl.training.metrics import read_metrics

EVERY_CHECKPOINT = 10_000  # more than a training writes


async def run(ctx: StageContext) -> StageOutput:
    """One row a logged training step: {step, loss, reward, kl, …, validation_accuracy?}."""
    control = read_control(ctx.run_dir)
    job = await job_of(ctx, control)
    outcome = await run_training(
        job, on_metrics=lambda row: _announce(ctx, row), should_stop=ctx.should_stop, hidden=_keys(ctx)
    )
    if outcome.status == "stopped":
        raise SdrlError(
            "E873", "training was stopped at a checkpoint", help="the same command goes on", exit=Exit.STOPPED
        )
    outcome.raise_if_failed()
    rows = last_of_each_step(job.work_dir / "metrics.jsonl")
    notes = {
        "best_step": outcome.best_step,
        "final_step": outcome.final_step,
        "early_stopped": outcome.early_stopped,
        "reward_mode": job.reward_mode,
        "labels": control.labels,
        "model": trained_identity(job.out_dir),
    }
    if control.human:
        notes |= {"samples": control.samples, "learned": len(job.train_rows.read_text(encoding="utf-8").splitlines())}
    return StageOutput(rows, notes=notes)


def last_of_each_step(metrics: Path) -> list[Row]:
    """The metrics, one row a step: what a kill lost is in the file too, and does not count."""
    rows: dict[int, Row] = {}
    for row in read_metrics(metrics):
        if "step" in row and "alarm" not in row:
            rows[row["step"]] = {**rows.get(row["step"], {}), **row}
    return [rows[step] for step in sorted(rows)]


def _announce(ctx: StageContext, row: Row) -> None:
    if "alarm" in row:
        said = {"kind": row["alarm"], "message": row.get("message", row["alarm"]), "remedy": row.get("remedy")}
        ctx.emit("alarm", {"stage": ctx.stage, **said})
    elif "step" in row:
        ctx.emit("metric", {"stage": ctx.stage, "max_steps": row.get("max_steps"), **row})


def _keys(ctx: StageContext) -> frozenset[str]:
    """Variables that hold keys: training asks no endpoint, so its processes get none."""
    models = ctx.plan.settings.models
    variable = models.instructor.key_env if models else None
    return frozenset({variable} if variable else ())


async def job_of(ctx: StageContext, control: Controls | None = None) -> TrainingJob:
    """The training that the plan asks for, over the rows of select; its row files are written.

    ``control`` is that of the run folder, where it is read already.
    """
    settings = ctx.plan.settings
    train = settings.train
    work = ctx.run_dir / named("train", ctx.round).replace("train", "training")
    control = control or read_control(ctx.run_dir)
    chosen = ctx.rows("select")
    if control.labels == "own-majority":
        chosen = own_majority(chosen)
    held = [training_row(ctx, row) for row in chosen if row["split"] == "validation"]
    learned = [row for row in chosen if row["split"] == "train"]
    if control.human:
        learned = human_rows(ctx.run_dir, control, len(learned), ctx.plan.parts[0].name)
    if train.algorithm == "rft":
        write_rows(work / "train.jsonl", await right_draws(ctx, learned, train.per_sample))
    else:
        write_rows(work / "train.jsonl", [training_row(ctx, row) for row in learned])
    write_rows(work / "validation.jsonl", held)
    job = describe(
        ctx.plan,
        ctx.stage,
        model=_base_model(ctx),
        out_dir=trained_folder(ctx.run_dir, ctx.round, settings.rounds),
        work_dir=work,
        has_validation=bool(held),
        reward_mode=control.reward,
    )
    return job.model_copy(update={"keep_checkpoints": EVERY_CHECKPOINT}) if ctx.keeps_checkpoints else job


def describe(
    plan: Plan,
    stage: str,
    *,
    model: str,
    out_dir: Path,
    work_dir: Path,
    has_validation: bool,
    reward_mode: str = "correct",
) -> TrainingJob:
    """The training that a plan asks for in ``stage``, with its row files in ``work_dir``. Writes nothing."""
    settings, rollouts = plan.settings, for_rollouts(plan)
    train = settings.train
    placed = placement(plan)
    return TrainingJob(
        plan_hash=plan.hash,
        stage_hash=plan.stage(stage).hash,
        algorithm=train.algorithm,
        model=model,
        revision=settings.models.base.revision if settings.models and round_of(stage) == 1 else None,
        out_dir=out_dir,
        work_dir=work_dir,
        train_rows=work_dir / "train.jsonl",
        validation_rows=work_dir / "validation.jsonl" if has_validation else None,
        verifier=plan.verifier,
        reward=RewardWeights(**train.reward.model_dump()),
        reward_mode=reward_mode,  # type: ignore[arg-type]  # the job checks the value
        learning_rate=train.learning_rate,
        epochs=train.epochs,
        prompts_per_step=train.prompts_per_step,
        rollouts=train.rollouts,
        max_completion_tokens=rollouts.max_tokens,
        kl=train.kl,
        loss=train.loss,
        zero_variance=train.zero_variance,
        lora=LoraSettings.model_validate(train.lora.model_dump()) if train.lora else None,
        sampling=RolloutSampling.model_validate(
            {"temperature": rollouts.temperature, "top_p": rollouts.top_p, "top_k": rollouts.top_k}
        ),
        stop=rollouts.stop,
        end_ids=rollouts.end_ids,
        seed=plan.seed_for(stage) if train.seed is None else derive_seed(train.seed, stage),
        patience=train.early_stop.patience if train.early_stop else None,
        trl=train.trl | placed.pop("trl"),
        **placed,
    )


def placement(plan: Plan) -> dict[str, Any]:
    """The job's fields that the hardware plan decides, and TRL's under ``trl``; without GPUs in the spec: none."""
    hardware, train = plan.settings.hardware, plan.settings.train
    if not hardware.gpus:
        return {"trl": {}}
    planned = plan.estimate.get("hardware") or {}
    fields: dict[str, Any] = {
        "device": "cuda",
        "processes": hardware.gpus * hardware.nodes,
        "nodes": hardware.nodes,
        "layout": "fsdp2" if planned.get("layout") == "fsdp2" else "ddp",
        "micro_batch": planned.get("micro_batch"),
        "checkpointing": train.trl.get("gradient_checkpointing", planned.get("checkpointing")),
        "trl": {},
    }
    if planned.get("rollouts") == "vllm":
        own = {"vllm_mode": "colocate", "vllm_enable_sleep_mode": True}
        own["vllm_gpu_memory_utilization"] = planned["vllm_share"]
        fields["trl"] = {name: value for name, value in own.items() if name not in train.trl}
    return fields


def _base_model(ctx: StageContext) -> str:
    """The base model's folder, or its hub name where none is at hand; later that of the last round's model."""
    if ctx.round > 1:
        return str(trained_folder(ctx.run_dir, ctx.round - 1, ctx.plan.settings.rounds))
    models = ctx.plan.settings.models
    assert models is not None  # the executor refuses a plan without models
    identity = ctx.plan.identities["base"]
    weights = weights_of(models.base.model, identity, ctx.plan.base_dir)
    if weights.folder is not None:
        refuse_changed_weights("base", weights.folder, identity)
    return str(weights.folder) if weights.folder else weights.name


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write the rows of a training process's file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "".join(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n" for row in rows), encoding="utf-8"
    )
