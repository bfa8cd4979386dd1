"""Jobs, rows, batches, settings and metrics: what a training process reads and writes. No torch."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sdrl.spec.diagnostics import SdrlError
from sdrl.training import data, launch, metrics, settings
from sdrl.training.job import Outcome, TrainingJob, read_job, read_outcome, write_job, write_outcome

Make = Callable[..., TrainingJob]


def test_a_job_reads_back_as_written(make_job: Make, tmp_path: Path) -> None:
    job = make_job(stop=["\n\n"], trl={"epsilon": 0.3})
    assert read_job(write_job(job, tmp_path / "job.json")) == job


def test_a_job_that_cannot_be_read_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SdrlError, match=r"E801.*missing\.json"):
        read_job(tmp_path / "missing.json")
    (tmp_path / "bad.json").write_text('{"plan_hash": 1}')
    with pytest.raises(SdrlError, match=r"E801.*bad\.json is not a training job: plan_hash"):
        read_job(tmp_path / "bad.json")


def test_identity_follows_what_decides_the_weights_and_not_where_they_lie(make_job: Make) -> None:
    here, there = make_job("one"), make_job("two")
    assert here.identity() == there.identity()
    assert here.identity() == here.model_copy(update={"threads": 2}).identity()
    assert here.identity() != here.model_copy(update={"learning_rate": 2e-3}).identity()
    there.train_rows.write_text(there.train_rows.read_text() + "\n")
    assert here.identity() != there.identity()


def test_an_outcome_reads_back_and_a_failed_one_raises_its_code(tmp_path: Path) -> None:
    assert read_outcome(tmp_path) is None
    failed = Outcome(status="failed", code="E806", message="no model", log="train.log")
    write_outcome(failed, tmp_path)
    assert read_outcome(tmp_path) == failed
    with pytest.raises(SdrlError, match="E806: no model"):
        failed.raise_if_failed()


def test_no_rows_and_a_bad_row_are_named(make_job: Make) -> None:
    job = make_job()
    job.train_rows.write_text("")
    with pytest.raises(SdrlError, match="E802: there are no training rows"):
        data.training_rows(job)
    job.train_rows.write_text('{"id": "a", "prompt": "p", "gold": "1"}\n{"id": "b", "prompt": "p"}\n')
    with pytest.raises(SdrlError, match=r"E802.*train.jsonl:2: gold"):
        data.training_rows(job)
    with pytest.raises(SdrlError, match=r"E802.*train.jsonl:2: gold"):
        data.training_rows(job.model_copy(update={"algorithm": "sft"}))


def test_shuffled_golds_are_the_same_golds_in_another_order(make_job: Make) -> None:
    plain, shuffled = (data.training_rows(make_job(reward_mode=mode)) for mode in ("correct", "shuffled"))
    assert [row.prompt for row in plain] == [row.prompt for row in shuffled]
    assert sorted(row.gold for row in plain) == sorted(row.gold for row in shuffled)
    assert [row.gold for row in plain] != [row.gold for row in shuffled]


def test_a_few_prompts_without_room_are_left_out_and_many_are_refused_with_the_fix(make_job: Make) -> None:
    job = make_job()
    rows = [data.Row(f"t{n}", "p" * (11 if n == 3 else 10), "1") for n in range(10)]

    def encode(texts: list[str]) -> list[list[int]]:
        return [[0] * len(text) for text in texts]

    assert data.fitting(rows, encode, 19, job) == (rows, [])
    assert data.fitting(rows, encode, 18, job) == ([*rows[:3], *rows[4:]], [rows[3]])
    assert data.fitting([], encode, 18, job) == ([], [])
    with pytest.raises(SdrlError, match=r"E803: 10 of 10 prompts \(up to 11 tokens\)") as found:
        data.fitting(rows, encode, 17, job)
    assert found.value.help == "set train.max_completion_tokens to at most 6"


def test_few_prompts_shrink_the_update_and_memory_bounds_the_forward_pass(make_job: Make) -> None:
    job = make_job(prompts_per_step=4, rollouts=16)
    assert data.cut_batch(job, rows=100, vocabulary=100, tokens_per_row=8) == data.Batch(4, 64, 1)
    assert data.cut_batch(job, rows=3, vocabulary=100, tokens_per_row=8) == data.Batch(3, 48, 1)
    wide = data.cut_batch(job, rows=100, vocabulary=150_000, tokens_per_row=512)
    assert wide.per_device * wide.accumulation == 64
    assert wide.per_device * 512 * 150_000 * 4 <= 1 << 30
    with pytest.raises(SdrlError, match=r"E804.*3 processes"):
        data.cut_batch(job.model_copy(update={"processes": 3}), rows=100, vocabulary=100, tokens_per_row=8)


@pytest.mark.parametrize(
    ("trl", "message", "help_"),
    [
        ({"top_entropy_quantil": 0.2}, "no field of TRL's GRPOConfig", "did you mean top_entropy_quantile?"),
        ({"learning_rate": 1e-3}, "is set by train.learning_rate", "remove learning_rate from train.trl"),
        ({"load_best_model_at_end": True}, "is set by validate", "remove load_best_model_at_end from train.trl"),
        ({"epsilon": True}, "must be a number, not true", "write a number"),
        ({"num_iterations": 1.5}, "must be a whole number, not '1.5'", "write a whole number"),
    ],
)
def test_a_trl_field_is_checked_by_name_and_type(make_job: Make, trl: dict[str, Any], message: str, help_: str) -> None:
    settings.check_trl(make_job(trl={"epsilon": 1, "epsilon_high": None}))
    with pytest.raises(SdrlError, match=message) as refused:
        settings.check_trl(make_job(trl=trl))
    assert (refused.value.code, refused.value.help) == ("E804", help_)


def test_a_field_of_another_algorithm_is_refused(make_job: Make) -> None:
    settings.check_trl(make_job(algorithm="rft", trl={"packing": True}))
    with pytest.raises(SdrlError, match="packing is no field of TRL's RLOOConfig"):
        settings.check_trl(make_job(algorithm="rloo", trl={"packing": True}))


def test_the_users_trl_fields_come_last_and_no_generation_field_is_the_librarys_to_fill(make_job: Make) -> None:
    job = make_job(stop=["\n\n"], trl={"epsilon": 0.3})
    found = settings.grpo(job, data.Batch(2, 8, 1), "cpu")
    assert (found["epsilon"], found["beta"], found["reward_weights"]) == (0.3, 0.01, [1, 0, 0.5, -0.25])
    assert found["generation_kwargs"] is None and (found["top_k"], found["min_p"]) == (0, None)
    assert found["repetition_penalty"] == 1
    assert (found["use_cpu"], found["bf16"], found["gradient_checkpointing"]) == (True, False, False)


def test_updates_are_counted_as_the_trainer_counts_them(make_job: Make) -> None:
    job = make_job(epochs=5)
    assert settings.planned_steps(job, rows=500, prompts=4) == 625
    assert settings.planned_steps(job, rows=5, prompts=2) == 10
    assert settings.planned_steps(make_job(algorithm="rloo", epochs=5), rows=5, prompts=2) == 10
    assert settings.planned_steps(make_job(algorithm="sft", epochs=2), rows=5, prompts=2) == 6
    assert settings.planned_steps(make_job(algorithm="rft", epochs=2), rows=5, prompts=2) == 6
    assert settings.planned_steps(make_job(epochs=5, max_steps=7), rows=500, prompts=4) == 7
    assert settings.cadence(make_job(eval_every=3), 100) == (3, 3)
    assert settings.cadence(make_job(), 100) == (10, 10)


def test_metrics_survive_a_torn_line_and_lose_the_steps_that_a_kill_undid(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    log = metrics.MetricsLog(path)
    for step in (1, 2, 3):
        log.write({"step": step, "loss": float("nan")})
    log.close()
    with path.open("a") as handle:
        handle.write('{"step": 4, "lo')
    log = metrics.MetricsLog(path)
    log.write({"resumed_from": 2})
    log.write({"step": 3, "loss": 0.5})
    log.close()
    rows = metrics.read_metrics(path)
    assert [row.get("step") for row in rows] == [1, 2, None, 3]
    assert rows[0]["loss"] is None
    assert rows[-1]["loss"] == 0.5


def test_the_command_line_is_one_that_a_person_can_run(make_job: Make, tmp_path: Path) -> None:
    line = launch.command(make_job(), tmp_path / "job.json")
    assert line[1:4] == ["-m", "accelerate.commands.launch", "--cpu"]
    assert line[-3:] == ["-m", "sdrl.training", str(tmp_path / "job.json")]
    two = launch.command(make_job(processes=2), tmp_path / "job.json")
    assert two[1:3] == ["-m", "torch.distributed.run"]
    assert two[two.index("--nproc_per_node") + 1] == "2"
    assert two[-3:] == line[-3:]
    assert launch.environment(make_job(), {"A": "b"})["OMP_WAIT_POLICY"] == "PASSIVE"


def test_rows_keep_their_own_options_in_the_data_set(make_job: Make) -> None:
    rows = [
        data.Row("a", "p", "A", {"A": "x"}),
        data.Row("b", "p", "1"),
    ]
    found = data.online_dataset(rows)
    assert [json.loads(text) if text else None for text in found["options"]] == [{"A": "x"}, None]
