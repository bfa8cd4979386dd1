"""A base model small enough to train in a test: random Qwen2, two layers, one token a byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sdrl.training.job import TrainingJob

NUMBER = {
    "version": 1,
    "type": "number",
    "extract": {"kind": "marker", "marker": "####"},
    "take": "last",
    "tolerance": {"abs": "1e-6", "rel": "0"},
    "options": None,
    "ignore_case": False,
    "separator": None,
}


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    folder = tmp_path_factory.mktemp("base")
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {"<pad>": 0, "<eos>": 1, **{letter: index + 2 for index, letter in enumerate(letters)}}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>", pad_token="<pad>").save_pretrained(folder)
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=len(vocab),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=128,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=1,
        pad_token_id=0,
    )
    Qwen2ForCausalLM(config).save_pretrained(folder)
    return folder


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def make_job(base: Path, tmp_path: Path) -> Callable[..., TrainingJob]:
    def make(folder: str = "one", **changes: Any) -> TrainingJob:
        here = tmp_path / folder
        here.mkdir(exist_ok=True)
        rows = [
            {"id": f"t{n}", "prompt": f"{n} + 1 =\n", "gold": str(n + 1), "completion": f"#### {n + 1}"}
            for n in range(8)
        ]
        fields: dict[str, Any] = {
            "plan_hash": "p",
            "stage_hash": "s",
            "model": str(base),
            "out_dir": here / "model",
            "work_dir": here / "work",
            "train_rows": write_rows(here / "train.jsonl", rows),
            "validation_rows": write_rows(here / "validation.jsonl", rows[:4]),
            "verifier": NUMBER,
            "reward": {"correct": 1, "wrong": 0, "parsable": 0.5, "truncated": -0.25},
            "learning_rate": 1e-3,
            "epochs": 1,
            "prompts_per_step": 2,
            "rollouts": 4,
            "max_completion_tokens": 8,
            "kl": 0.01,
            "device": "cpu",
            "threads": 1,
        }
        return TrainingJob.model_validate({**fields, **changes})

    return make
