"""The trainers inside one process: SFT learns, the best look is kept, stop strings end completions, a stop is clean."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sdrl.training.job import STOP, TrainingJob
from sdrl.training.metrics import read_metrics

# Warnings of torch, transformers and trl about each other are not ours to mend.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

Make = Callable[..., TrainingJob]


def rows_of(job: TrainingJob, key: str) -> list[Any]:
    return [row[key] for row in read_metrics(job.work_dir / "metrics.jsonl") if key in row]


def test_sft_lowers_the_loss_and_keeps_the_best_look_as_a_loadable_model(make_job: Make) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from sdrl.training.process import train

    job = make_job(algorithm="sft", epochs=40, prompts_per_step=8, learning_rate=2e-2, eval_every=10, threads=2)
    outcome = train(job)
    losses = rows_of(job, "loss")
    assert losses[-1] < 0.5 * losses[0]
    top = max(outcome.validation, key=lambda look: (look.accuracy, look.parsable, -look.step))
    assert (outcome.best_step, outcome.status) == (top.step, "ok")
    assert [look.step for look in outcome.validation] == [0, 10, 20, 30, 40]
    assert top.parsable > outcome.validation[0].parsable

    tokenizer = AutoTokenizer.from_pretrained(job.out_dir)
    model = AutoModelForCausalLM.from_pretrained(job.out_dir)
    ids = tokenizer("3 + 1 =\n", return_tensors="pt")
    text = tokenizer.decode(model.generate(**ids, max_new_tokens=8, do_sample=False)[0], skip_special_tokens=True)
    assert text.startswith("3 + 1 =\n")
    assert (job.out_dir / "tokenizer.json").read_bytes() == (Path(job.model) / "tokenizer.json").read_bytes()
    assert not list(job.out_dir.parent.glob("*.partial"))


LORA = {"rank": 4, "alpha": 8}


@pytest.mark.parametrize(
    ("algorithm", "changes"),
    [
        ("grpo", {"epochs": 2, "zero_variance": "replace"}),
        ("grpo", {"epochs": 1, "lora": LORA, "zero_variance": "drop"}),
        ("rloo", {"epochs": 1}),
        ("sft", {"epochs": 2}),
        ("rft", {"epochs": 1, "lora": {**LORA, "dropout": 0.1}}),
    ],
    ids=["grpo", "grpo-lora", "rloo", "sft", "rft-lora"],
)
def test_stopped_after_every_step_and_resumed_it_ends_with_the_same_weights(
    make_job: Make, algorithm: str, changes: dict[str, Any]
) -> None:
    """Every way to resume: within the first epoch, between epochs, within a later one."""
    from sdrl.training.process import train

    reward = {"truncated": -1}
    calm, rough = (
        make_job(folder, algorithm=algorithm, eval_every=3, reward=reward, **changes) for folder in ("calm", "rough")
    )
    done = train(calm)
    stop = rough.work_dir / STOP
    rough.work_dir.mkdir(parents=True)
    last_step = 4 * changes["epochs"]
    for step in range(1, last_step):
        stop.touch()
        stopped = train(rough)
        assert (stopped.status, stopped.final_step, stopped.model_dir) == ("stopped", step, None)
        assert not rough.out_dir.exists()
    stop.unlink()
    resumed = train(rough)
    assert (resumed.status, resumed.resumed_from, resumed.final_step) == ("ok", last_step - 1, last_step)
    assert resumed.validation == done.validation
    assert [look.step for look in resumed.validation] == [0, *range(3, last_step, 3), last_step]
    weights = "adapter_model.safetensors" if calm.lora else "model.safetensors"
    last = f"checkpoints/checkpoint-{last_step}/{weights}"
    assert (rough.work_dir / last).read_bytes() == (calm.work_dir / last).read_bytes()
    assert (rough.out_dir / "model.safetensors").read_bytes() == (calm.out_dir / "model.safetensors").read_bytes()


@pytest.mark.parametrize("pad", ["<pad>", "<eos>"])
def test_a_completion_ends_at_its_stop_string_and_no_padding_is_trained_on(make_job: Make, pad: str) -> None:
    from sdrl.training import trainers
    from sdrl.training.callbacks import Watcher, as_callback
    from sdrl.training.session import open_session

    # Every byte is a token and 26 letters stop, so that nearly every random completion meets one.
    stop = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    session = open_session(make_job(stop=stop, max_completion_tokens=64, validation_rows=None))
    session.tokenizer.pad_token = pad
    callback = as_callback(Watcher(session, 1, 1))
    trainer = trainers.build_trainer(session, trainers.batch_of(session), callback)
    prompts = [row.prompt for row in session.rows]
    encoded, images, _ = trainer._tokenize_prompts(prompts)
    assert encoded == [session.tokenizer(prompt, add_special_tokens=False)["input_ids"] for prompt in prompts]
    ids, _ = trainer._generate_single_turn(encoded, images, {}, 4)
    session.metrics.close()
    ends = [session.decode(row)[-1:] for row in ids]
    assert len({len(row) for row in ids}) > 1
    assert all(end in stop or row[-1] in session.eos_ids or len(row) == 64 for end, row in zip(ends, ids, strict=True))
    assert sum(end in stop for end in ends) > len(ids) // 2
    assert all(not any(letter in session.decode(row)[:-1] for letter in stop) for row in ids)


def test_another_training_does_not_go_on_from_this_ones_checkpoints(make_job: Make) -> None:
    from sdrl.spec.diagnostics import SdrlError
    from sdrl.training.process import _claim

    job = make_job()
    _claim(job)
    _claim(job)
    with pytest.raises(SdrlError, match=r"E801.*holds another training"):
        _claim(job.model_copy(update={"learning_rate": 0.5}))


def test_a_base_that_misleads_autotokenizer_is_trained_as_its_file_says_and_told_of(
    make_job: Make, base: Path, tmp_path: Path
) -> None:
    """AutoTokenizer puts the architecture's class over the file. And the base's penalties do not come along."""
    import json
    import shutil

    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    from sdrl.training.process import train

    trap = tmp_path / "trap"
    shutil.copytree(base, trap)
    config = json.loads((trap / "tokenizer_config.json").read_text())
    (trap / "tokenizer_config.json").write_text(json.dumps({**config, "tokenizer_class": "Qwen2Tokenizer"}))
    raw = json.loads((trap / "tokenizer.json").read_text())
    raw["normalizer"] = {"type": "Replace", "pattern": {"String": " "}, "content": "_"}
    (trap / "tokenizer.json").write_text(json.dumps(raw))
    (trap / "generation_config.json").write_text(
        json.dumps({"eos_token_id": [1, 5], "repetition_penalty": 1.3, "temperature": 0.2, "do_sample": True})
    )
    text = "3 + 1 =\n"
    literal = PreTrainedTokenizerFast.from_pretrained(trap)(text)["input_ids"]
    assert AutoTokenizer.from_pretrained(trap)(text)["input_ids"] != literal
    job = make_job(model=str(trap), algorithm="sft", max_steps=1, validation_rows=None)
    assert train(job).status == "ok"
    assert PreTrainedTokenizerFast.from_pretrained(job.out_dir)(text)["input_ids"] == literal
    generation = json.loads((job.out_dir / "generation_config.json").read_text())
    assert generation["eos_token_id"] == [1, 5]
    assert not {"repetition_penalty", "temperature", "do_sample"} & set(generation)
    assert "tokenizer" in rows_of(job, "alarm")
