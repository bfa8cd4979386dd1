"""The command lines for GPUs, checked by vLLM's own argument parser in vLLM's own environment."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from sdrl.models.vllm import Installation, vllm_server
from sdrl.models.weights import Weights
from sdrl.spec.model import Server
from tests.vllm.parts import vllm_python

pytestmark = pytest.mark.vllm

PARSE = """
import json, sys
from vllm.entrypoints.launchers.cli_args import make_arg_parser
from vllm.utils.argparse_utils import FlexibleArgumentParser
names = ("host", "port", "model", "served_model_name", "revision", "tokenizer_revision", "generation_config", "seed",
         "load_format", "tensor_parallel_size", "data_parallel_size", "trust_remote_code", "dtype")
found = []
for words in json.loads(sys.stdin.read()):
    try:
        parsed = make_arg_parser(FlexibleArgumentParser()).parse_args(words)
    except SystemExit:
        found.append(None)
    else:
        found.append({name: getattr(parsed, name) for name in names})
print("PARSED " + json.dumps(found, default=str))
"""
CUDA = Installation("python", "0.31.0", is_cpu=False)
SPREADS = (Server(), Server(tensor_parallel=8), Server(tensor_parallel=2, data_parallel=4))


def words_for(spread: Server) -> list[str]:
    plan = vllm_server("base", Weights(None, "Qwen/Qwen2.5-7B", "c0ffee"), spread, found=CUDA)
    return [word.replace("{port}", "8000") for word in list(plan.command)[3:]]


@pytest.fixture(scope="module")
def parsed() -> list[dict[str, Any] | None]:
    """What vLLM read: each command of ``SPREADS``, then one with a flag that does not exist."""
    commands = [*map(words_for, SPREADS), [*words_for(SPREADS[0]), "--no-such-flag", "1"]]
    done = subprocess.run(
        [vllm_python(), "-c", PARSE], input=json.dumps(commands), capture_output=True, text=True, check=False
    )
    line = next((line for line in done.stdout.splitlines() if line.startswith("PARSED ")), None)
    assert line is not None, done.stderr[-2000:]
    found: list[dict[str, Any] | None] = json.loads(line.removeprefix("PARSED "))
    return found


@pytest.mark.parametrize("which", range(len(SPREADS)))
def test_vllm_reads_our_command_as_we_mean_it(parsed: list[dict[str, Any] | None], which: int) -> None:
    assert parsed[which] == {
        "host": "127.0.0.1",
        "port": 8000,
        "model": "Qwen/Qwen2.5-7B",
        "served_model_name": ["sdrl-base"],
        "revision": "c0ffee",
        "tokenizer_revision": "c0ffee",
        "generation_config": "vllm",
        "seed": 0,
        "load_format": "safetensors",
        "tensor_parallel_size": SPREADS[which].tensor_parallel,
        "data_parallel_size": SPREADS[which].data_parallel,
        "trust_remote_code": False,
        "dtype": "auto",
    }


def test_the_parser_would_refuse_a_flag_that_vllm_does_not_have(parsed: list[dict[str, Any] | None]) -> None:
    assert parsed[len(SPREADS)] is None
