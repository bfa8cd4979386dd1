"""The command lines of the servers that sdrl starts: the embedded models and vLLM's OpenAI server.

Generation defaults of a model folder never apply (``--generation-config vllm``): what is sampled is what a request
says.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from sdrl.models.servers import HOST, ServerPlan
from sdrl.models.weights import Weights
from sdrl.spec.diagnostics import SdrlError
from sdrl.spec.model import Server

EMBEDDED_DEADLINE_S = 180.0
VLLM_DEADLINE_S = 1200.0
_MOST_WORKERS = 4
_QUIET = {
    "OMP_WAIT_POLICY": "PASSIVE",  # spinning OpenMP threads slow everything else down (3 to 5 times, measured)
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "PYTHONUNBUFFERED": "1",
}


def embedded_instructor(
    name: str, truth: Path | None, hidden: frozenset[str] = frozenset(), port: int = 0
) -> ServerPlan:
    """The scripted instructor; ``truth`` gets the true answers of what it writes; port 0 is any free one."""
    command = [sys.executable, "-m", "sdrl.embedded.server", "--role", "instructor", "--port", str(port)]
    command += ["--ready-file", "{ready}", "--watch-stdin"]
    command += ["--truth", str(truth)] if truth else []
    return ServerPlan(name, command, "file", EMBEDDED_DEADLINE_S, _QUIET, hidden)


def embedded_base(name: str, folder: Path, hidden: frozenset[str] = frozenset(), port: int = 0) -> ServerPlan:
    """A causal model folder through transformers: one worker process a core, at most four."""
    workers = max(1, min(_MOST_WORKERS, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1))
    command = [sys.executable, "-m", "sdrl.embedded.server", "--role", "base", "--model", str(folder)]
    command += ["--port", str(port)]
    command += ["--ready-file", "{ready}", "--watch-stdin", "--workers", str(workers)]
    return ServerPlan(name, command, "file", EMBEDDED_DEADLINE_S, _QUIET, hidden)


def vllm_server(name: str, weights: Weights, spread: Server, hidden: frozenset[str] = frozenset()) -> ServerPlan:
    """vLLM's own server module. Raises SdrlError when vLLM is not installed."""
    if find_spec("vllm") is None:
        raise SdrlError(
            "E848",
            f"models.{name} is to be served by vLLM, which is not installed here",
            help="pip install 'sdrl[vllm]' on a machine with GPUs, or write 'serve: embedded' or the URL of a server",
        )
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--host", HOST, "--port", "{port}"]
    command += ["--model", str(weights.folder or weights.name), "--served-model-name", served_name(name)]
    if weights.folder is None and weights.revision:
        command += ["--revision", weights.revision, "--tokenizer-revision", weights.revision]
    command += ["--generation-config", "vllm", "--seed", "0", "--load-format", "safetensors"]
    command += [
        "--tensor-parallel-size",
        str(spread.tensor_parallel),
        "--data-parallel-size",
        str(spread.data_parallel),
    ]
    environment = {**_QUIET, "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
    del environment["OMP_NUM_THREADS"]  # its CPU build sets threads by itself
    return ServerPlan(name, command, "health", VLLM_DEADLINE_S, environment, hidden)


def served_name(role: str) -> str:
    """What a managed vLLM calls its model."""
    return f"sdrl-{role}"
