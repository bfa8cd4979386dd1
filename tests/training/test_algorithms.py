"""Each algorithm really trains on a tiny model: RLOO, RFT, adapters, groups without variance, what is truncated."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sdrl.training.job import TrainingJob
from sdrl.training.metrics import read_metrics
from tests.training.conftest import write_rows

# Warnings of torch, transformers and trl about each other are not ours to mend.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

Make = Callable[..., TrainingJob]


def rows_of(job: TrainingJob, key: str) -> list[Any]:
    return [row[key] for row in read_metrics(job.work_dir / "metrics.jsonl") if key in row]


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


@pytest.mark.parametrize("algorithm", ["grpo", "rloo"])
def test_learning_from_rollouts_raises_the_reward(make_job: Make, algorithm: str) -> None:
    """Every small letter ends a completion, so that a random model has something to be rewarded for."""
    from sdrl.training.process import train

    job = make_job(
        algorithm=algorithm,
        learning_rate=1e-2,
        epochs=6,
        prompts_per_step=4,
        rollouts=8,
        reward={"correct": 1, "wrong": 0, "parsable": 0, "truncated": -1},
        stop=[chr(code) for code in range(ord("a"), ord("z") + 1)],
        validation_rows=None,
        kl=0.0,
    )
    outcome = train(job)
    rewards = rows_of(job, "reward")
    assert (outcome.status, outcome.final_step, len(rewards)) == ("ok", 12, 12)
    assert sum(rewards[-4:]) / 4 > sum(rewards[:4]) / 4 + 0.1
    assert weights(job.out_dir) != weights(Path(job.model))


def test_right_draws_are_learned_by_adapters_too(make_job: Make) -> None:
    from sdrl.training.process import train

    changes = {"epochs": 20, "prompts_per_step": 8, "learning_rate": 3e-2, "validation_rows": None}
    job = make_job(algorithm="rft", lora={"rank": 8, "alpha": 32}, **changes)
    train(job)
    losses = rows_of(job, "loss")
    assert losses[-1] < losses[0] - 0.1
    assert weights(job.out_dir) != weights(Path(job.model))


def test_adapters_are_merged_into_a_model_that_computes_the_same(make_job: Make) -> None:
    import torch
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from sdrl.training import trainers
    from sdrl.training.callbacks import Watcher, as_callback
    from sdrl.training.export import export
    from sdrl.training.session import open_session

    job = make_job(
        algorithm="rft",
        lora={"rank": 4, "alpha": 16, "targets": ["q_proj", "v_proj"]},
        learning_rate=1e-2,
        epochs=4,
        validation_rows=None,
    )
    session = open_session(job)
    trainer = trainers.build_trainer(session, trainers.batch_of(session), as_callback(Watcher(session, 99, 99)))
    ids = session.tokenizer("3 + 1 =\n", return_tensors="pt")
    before = trainer.model(**ids).logits.detach()
    trainer.train()
    trainer.model.eval()
    with torch.no_grad():
        adapted = trainer.model(**ids).logits
        export(session, None, trainer)
        again = trainer.model(**ids).logits
        merged = AutoModelForCausalLM.from_pretrained(job.out_dir)(**ids).logits
    session.metrics.close()
    assert (adapted - before).abs().max() > 0.1, "the adapters learned nothing"
    assert torch.equal(adapted, again), "saving moved the model in training"
    assert (merged - adapted).abs().max() < 1e-4
    base, trained = (load_file(folder / "model.safetensors") for folder in (Path(job.model), job.out_dir))
    assert set(base) == set(trained)
    moved = {name for name in base if not torch.equal(base[name], trained[name])}
    assert moved and all("q_proj" in name or "v_proj" in name for name in moved)
    assert not list(job.out_dir.glob("adapter*"))
    tokenizer = AutoTokenizer.from_pretrained(job.out_dir)
    assert (job.out_dir / "tokenizer.json").read_bytes() == (Path(job.model) / "tokenizer.json").read_bytes()
    assert tokenizer("3 + 1 =\n")["input_ids"] == ids["input_ids"][0].tolist()


def test_an_adapter_on_a_module_that_the_model_lacks_is_one_clear_error(make_job: Make) -> None:
    from sdrl.spec.diagnostics import SdrlError
    from sdrl.training import trainers
    from sdrl.training.session import open_session

    session = open_session(make_job(lora={"rank": 4, "alpha": 8, "targets": ["query"]}))
    with pytest.raises(SdrlError, match=r"has no module 'query'") as refused:
        trainers.build_trainer(session, trainers.batch_of(session), None)
    session.metrics.close()
    assert refused.value.help is not None and "q_proj" in refused.value.help


class Judge:
    """Calls a completion correct by a rule of its own."""

    def __init__(self, rule: Callable[[str, str], bool]) -> None:
        self.rule = rule

    def judge_many(self, items: Any) -> list[Any]:
        from types import SimpleNamespace

        return [SimpleNamespace(verdict="correct" if self.rule(text, gold) else "incorrect") for text, gold, _ in items]


def is_even(text: str) -> bool:
    return sum(map(ord, text)) % 2 == 0


def batch_after(job: TrainingJob, judge: Any) -> tuple[Any, dict[str, Any], list[dict[str, Any]]]:
    """One generation batch of a fresh trainer: the trainer, TRL's tensors, and the rows it was made from."""
    from sdrl.training import trainers
    from sdrl.training.callbacks import Watcher, as_callback
    from sdrl.training.session import open_session

    session = open_session(job)
    session.verifier = judge
    trainer = trainers.build_trainer(session, trainers.batch_of(session), as_callback(Watcher(session, 99, 99)))
    trainer.model.train()
    inputs = next(iter(trainer.get_train_dataloader()))
    output = trainer._generate_and_score_completions(inputs)
    session.metrics.close()
    return trainer, output, trainer._rows


@pytest.mark.parametrize("algorithm", ["grpo", "rloo"])
def test_groups_without_variance_are_replaced_by_other_prompts(make_job: Make, algorithm: str) -> None:
    """Whatever is answered to the batch's first prompt is wrong; to the others, some is right."""
    job = make_job(algorithm=algorithm, prompts_per_step=4, rollouts=8, zero_variance="replace", kl=0.0)
    _, _, rows = batch_after(job.model_copy(update={"zero_variance": "keep"}), Judge(lambda text, gold: is_even(text)))
    hopeless = rows[0]["gold"]
    trainer, output, rows = batch_after(job, Judge(lambda text, gold: gold != hopeless and is_even(text)))
    assert hopeless not in {row["gold"] for row in rows}
    assert len(rows) == 32
    assert len({row["sample_id"] for row in rows}) == 4
    assert bool((output["advantages"].view(-1, 8).abs() > 1e-6).any(dim=1).all())
    assert trainer._metrics["train"]["teaching_share"] == [1.0]
    assert trainer._metrics["train"]["replaced_groups"] == [1.0]
    texts = trainer.processing_class.batch_decode(output["prompt_ids"], skip_special_tokens=True)
    assert texts == [row["prompt"] for row in rows], "each prompt was trained with its own completions"


def test_dropped_groups_leave_the_mean_to_those_that_teach(make_job: Make) -> None:
    judge = Judge(lambda text, gold: int(gold) % 2 == 1 and is_even(text))
    job = make_job(prompts_per_step=4, rollouts=8, kl=0.0)
    _, kept, _ = batch_after(job, judge)
    trainer, dropped, _ = batch_after(job.model_copy(update={"zero_variance": "drop"}), judge)
    share = trainer._metrics["train"]["teaching_share"][0]
    assert 0 < share < 1
    assert dropped["advantages"].tolist() == pytest.approx((kept["advantages"] / share).tolist())


def test_masking_leaves_out_what_the_token_limit_ended_and_not_what_a_stop_string_ended(make_job: Make) -> None:
    stop = [chr(code) for code in range(ord("a"), ord("g"))]
    job = make_job(
        stop=stop, max_completion_tokens=24, rollouts=8, prompts_per_step=4, trl={"mask_truncated_completions": True}
    )
    judge = Judge(lambda text, gold: is_even(text))
    trainer, output, _ = batch_after(job, judge)
    lengths = output["completion_mask"].sum(1).tolist()
    texts = trainer.processing_class.batch_decode(output["completion_ids"], skip_special_tokens=True)
    stopped = [any(letter in text for letter in stop) for text in texts]
    assert any(stopped) and not all(stopped)
    ended = [one or 1 in row.tolist() for one, row in zip(stopped, output["completion_ids"], strict=True)]
    assert [length > 0 for length in lengths] == ended
    assert int(output["num_items_in_batch"]) == sum(lengths)


def test_a_verifier_that_fails_is_counted_and_never_a_reward(make_job: Make) -> None:
    from types import SimpleNamespace

    class Failing:
        def judge_many(self, items: Any) -> list[Any]:
            return [SimpleNamespace(verdict="error" if n % 2 else "correct") for n, _ in enumerate(items)]

    trainer, output, _ = batch_after(make_job(kl=0.0), Failing())
    assert output["advantages"].abs().max() == 0, "all that could be judged was right, and the rest counts for nothing"
    assert trainer._metrics["train"]["verifier_errors"] == [4.0]
    assert trainer._metrics["train"]["rewards/correct/mean"] == [1.0]


def test_a_training_that_has_nothing_to_learn_from_says_so(make_job: Make, tmp_path: Path) -> None:
    """Real alarms of a real training: no completion is ever right, and every one reaches the limit."""
    from sdrl.training.process import train

    rows = [{"id": f"v{n}", "prompt": f"{n} + 1 =\n", "gold": str(n + 1)} for n in range(2)]
    job = make_job(
        reward={"correct": 1, "wrong": 0, "parsable": 0, "truncated": 0},
        max_completion_tokens=4,
        max_steps=2,
        validation_rows=write_rows(tmp_path / "v.jsonl", rows),
    )
    train(job)
    alarms = [row for row in read_metrics(job.work_dir / "metrics.jsonl") if "alarm" in row]
    assert [row["alarm"] for row in alarms] == ["zero_variance", "clipped"]
    assert all(row["step"] == 1 and row["message"] and row["remedy"] for row in alarms)
    row = next(row for row in read_metrics(job.work_dir / "metrics.jsonl") if "loss" in row)
    assert row["zero_variance_share"] == 1.0
    assert row["longest_completion"] == 4
    assert row["repetition"] is not None
