"""What the tests of real vLLM share: its interpreter, a user's folder with the demo on vLLM, and its prompts."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from sdrl.compiler.compile import compile_spec
from sdrl.compiler.plan import Plan
from sdrl.compiler.prompts import Prompts
from sdrl.models.vllm import VARIABLE
from sdrl.spec.locate import specs_dir

SMALLER = {
    r"synthesize: \{.*\}": "synthesize: {samples: 24, sampling: {temperature: 0.7, max_tokens: 512}}",
    r"vote: \{.*\}": "vote: {draws: 4, sampling: {temperature: 0.7, max_tokens: 256}}",
    r"score: \{.*\}": "score: {draws: 64, adaptive: false, sampling: {temperature: 0.7, max_tokens: 80}}",
    r"select: \{.*\}": "select: {samples: 8, min: 4, min_solved: 1}",
    r"serve: embedded": "serve: vllm",
    r"epochs: 2": "epochs: 1",
    r"rollouts: 16": "rollouts: 4",
    r"(shift: iid|file: data/word-problems-test.jsonl)": r"\1\n    limit: 80",
    r"(file: data/word-problems-ood.jsonl)": r"\1\n    limit: 20",
}


def vllm_python() -> str:
    """The interpreter that has vLLM. ``make test-vllm`` makes it and sets the variable."""
    return os.environ[VARIABLE]


def small_project(folder: Path) -> None:
    """The demo's files in ``folder``, and ``small.yaml``: fewer of everything, the base model on vLLM."""
    for name in ("data", "passages", "prompts"):
        shutil.copytree(specs_dir() / name, folder / name)
    text = (specs_dir() / "word-problems.yaml").read_text()
    for pattern, replacement in SMALLER.items():
        text, count = re.subn(pattern, replacement, text, count=1)
        assert count == 1, pattern
    (folder / "small.yaml").write_text(text)


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "sdrl", *words]


def marked(folder: Path) -> dict[str, str]:
    """The environment for a run in ``folder``: whatever the run starts carries its mark."""
    return {**os.environ, "SDRL_TEST_PROJECT": str(folder)}


def sdrl(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words), cwd=folder, env=marked(folder), capture_output=True, text=True, check=False, timeout=540
    )


def demo_plan() -> Plan:
    return compile_spec(specs_dir() / "word-problems.yaml").require()


def demo_prompts(plan: Plan) -> list[str]:
    """The 600 prompts of the demo's test set, as the base model gets them."""
    rows = (specs_dir() / "data/word-problems-test.jsonl").read_text().splitlines()
    prompts = Prompts(plan)
    return [prompts.answer(plan.parts[0], json.loads(row)["question"], None) for row in rows]


def processes_of(folder: Path) -> list[int]:
    """Processes that carry the mark of ``folder`` or write to a file in it; zombies do not count.

    vLLM's engine and workers rename themselves, which overwrites their environment.
    """
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            variables = (entry / "environ").read_bytes().split(b"\0")
            output = Path(os.readlink(entry / "fd" / "1"))
        except OSError:
            continue
        is_ours = f"SDRL_TEST_PROJECT={folder}".encode() in variables or output.is_relative_to(folder)
        if state != "Z" and is_ours:
            found.append(int(entry.name))
    return found
