"""Parts for the tests of the embedded models: a tiny random model folder and real server processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Served:
    """A running server; `url` is its OpenAI base URL."""

    url: str
    process: subprocess.Popen[bytes]


Start = Callable[..., Served]


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Qwen2 of two layers over single characters, with two end tokens and a position limit of 256."""
    import torch
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    vocabulary = {name: number for number, name in enumerate(["<eos>", "<pad>", "<unk>", "<end>"])}
    for character in [chr(code) for code in range(32, 127)] + ["\n"]:
        vocabulary[character] = len(vocabulary)
    raw = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.Split(Regex("(?m)."), "isolated")
    raw.decoder = decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw,
        eos_token="<eos>",
        pad_token="<pad>",
        unk_token="<unk>",
        additional_special_tokens=["<end>"],
    )
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=len(vocabulary),
        hidden_size=64,
        intermediate_size=160,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        eos_token_id=[0, 3],
        pad_token_id=1,
        bos_token_id=None,
        tie_word_embeddings=True,
    )
    model = Qwen2ForCausalLM(config)
    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.2)
        else:
            torch.nn.init.uniform_(parameter, 0.5, 1.5)
    folder = tmp_path_factory.mktemp("models") / "tiny"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start a server process with these arguments and wait until it listens; all are ended with the session."""
    running: list[subprocess.Popen[bytes]] = []

    def launch(*arguments: str | Path) -> Served:
        ready = tmp_path_factory.mktemp("server") / "ready.json"
        process = popen("--ready-file", ready, *arguments)
        running.append(process)
        while not ready.exists():
            try:
                process.wait(timeout=0.02)
            except subprocess.TimeoutExpired:
                continue
            errors = process.stderr.read().decode() if process.stderr else ""
            raise AssertionError(f"the server ended: {errors}")
        found: dict[str, Any] = json.loads(ready.read_text())
        assert found["pid"] == process.pid
        return Served(f"http://127.0.0.1:{found['port']}/v1", process)

    yield launch
    for process in running:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stderr):
            if stream is not None and not stream.closed:
                stream.close()


def popen(*arguments: str | Path) -> subprocess.Popen[bytes]:
    """A server process with pipes for standard input and errors."""
    command = [sys.executable, "-m", "sdrl.embedded.server", *map(str, arguments)]
    environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE", "HF_HUB_OFFLINE": "1"}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)


@pytest.fixture(scope="session")
def open_server() -> Callable[..., subprocess.Popen[bytes]]:
    """Start a server process without waiting for it."""
    return popen


@pytest.fixture(scope="session")
def instructor(start: Start) -> Served:
    """The scripted instructor with its declared rates."""
    return start("--role", "instructor")


@pytest.fixture(scope="session")
def base(start: Start, tiny_model: Path) -> Served:
    """The tiny model behind the server."""
    return start("--role", "base", "--model", tiny_model)
