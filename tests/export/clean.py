"""Each export used as a stranger would, in environments that have no sdrl: ``python -m tests.export.clean [FOLDER]``.

Makes virtual environments below FOLDER (default: a temporary one), installs there what each export names, and uses it:
verdicts of the plain script, two GRPO steps of TRL, verl's parquet files, template and reward function, verifiers' own
check of every gold, the hub's data set loaded. Prints a line a target. Needs a package index; minutes. verl itself
needs GPUs and is not installed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sdrl.export import TARGETS, export_run
from tests.export.made_run import ROOT, TOY_BASE, write_run

VERL = """
import importlib.util, json, pathlib, sys
from datasets import load_dataset
here = pathlib.Path(sys.argv[1])
spec = importlib.util.spec_from_file_location("reward", here / "reward.py")
reward = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reward)
rows = load_dataset("parquet", data_files={"train": str(here / "train.parquet")})["train"]
def ask(row, text):
    return reward.compute_score(row["data_source"], text, row["reward_model"]["ground_truth"], row["extra_info"])
right = sum(ask(row, "#### " + row["reward_model"]["ground_truth"])["score"] for row in rows)
wrong = sum(ask(row, "#### -1")["score"] for row in rows)
print(f"{len(rows)} rows, reward {right:g} of right and {wrong:g} of wrong answers")
"""
HUB = """
import sys
from datasets import load_dataset
found = load_dataset(sys.argv[1])
print(", ".join(f"{name} {len(rows)} rows" for name, rows in found.items()))
"""


class Environment:
    """A virtual environment without sdrl."""

    def __init__(self, folder: Path, *needed: str) -> None:
        self.bin = folder / "bin"
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        if needed:
            self.run("python", "-m", "pip", "install", "--quiet", *torch_index(), *needed)
        alone = self.run("python", "-I", "-c", "import sdrl", check=False)
        assert "No module named 'sdrl'" in alone.stderr, alone.stderr

    def run(
        self, program: str, *words: str, text: str | None = None, cwd: Path | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """A program of the environment; what it said is shown where it fails."""
        kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
        kept |= {"PATH": f"{self.bin}:{kept['PATH']}", "OMP_WAIT_POLICY": "PASSIVE", "HF_HUB_OFFLINE": "1"}
        kept["HF_HOME"] = str(self.bin.parent / "hf")  # no other data set's cache
        done = subprocess.run(
            [str(self.bin / program), *words],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            cwd=cwd,
            env=kept,
        )
        if check and done.returncode:
            sys.exit(f"{program} {' '.join(words)}\n{done.stdout}{done.stderr}")
        return done


def torch_index() -> list[str]:
    """The options that take PyTorch's CPU build where there is no GPU."""
    found = subprocess.run(
        [sys.executable, str(ROOT / ".ci/torch_index.py")], capture_output=True, text=True, check=True
    )
    return found.stdout.split()


def used(folder: Path, exports: dict[str, Path]) -> Iterator[tuple[str, str]]:
    """Each target with what came of its use."""
    bare = Environment(folder / "bare")
    rows = (exports["verifier"] / "data/train.jsonl").read_text(encoding="utf-8")
    judged = bare.run("python", "verifier.py", text=rows, cwd=exports["verifier"]).stdout.splitlines()
    verdicts = [json.loads(line)["verdict"] for line in judged]
    yield "verifier", f"{verdicts.count('correct')} of {len(verdicts)} solutions correct, nothing installed"
    assert verdicts and set(verdicts) == {"correct"}

    trl = Environment(folder / "trl", "-r", str(exports["trl"] / "requirements.txt"))
    words = ("train.py", "--model", str(TOY_BASE), "-o", str(folder / "trained"), "--max-steps", "2", "--cpu")
    told = json.loads(trl.run("python", *words, cwd=exports["trl"]).stdout.splitlines()[-1])
    version = trl.run("python", "-c", "import trl; print(trl.__version__)").stdout.strip()
    yield "trl", f"trl {version}: {told['steps']} steps, mean rewards {told['rewards']}"
    assert told["steps"] == 2 and (folder / "trained/model.safetensors").is_file()

    verl = exports["verl"]
    template = trl.run("python", str(verl / "raw_template.py"), str(TOY_BASE)).stdout
    said = trl.run("python", "-c", VERL, str(verl), cwd=folder).stdout.strip()
    for script in ("grpo.sh", "ppo.sh"):
        subprocess.run(["bash", "-n", str(verl / script)], check=True)
    yield "verl", f"{said}; both scripts are shell"
    assert "message[" in template

    checked = Environment(folder / "verifiers", str(exports["verifiers"]))
    name = next(path.parent.name for path in exports["verifiers"].glob("*/taskset.py"))
    words = (name, "--only-gold", "--runtime.type", "subprocess", "-o", str(folder / "golds"))
    checked.run("vf-validate", *words, cwd=folder)
    summary = json.loads(next((folder / "golds").rglob("summary.json")).read_text(encoding="utf-8"))
    version = checked.run("python", "-c", "import verifiers; print(verifiers.__version__)").stdout.strip()
    yield "verifiers", f"verifiers {version}: {summary['outcomes']['valid']} of {summary['total']} golds valid"
    assert summary["valid_rate"] == 1.0

    told_rows = trl.run("python", "-c", HUB, str(exports["hf"] / "dataset"), cwd=folder).stdout.strip()
    files = sorted((exports["hf"] / "dataset/data").glob("*.jsonl"))
    wanted = [f"{path.stem} {len(path.read_text(encoding='utf-8').splitlines())} rows" for path in files]
    yield "hf", told_rows
    assert told_rows == ", ".join(wanted)


def main() -> None:
    """Export a made-up run to every target, use each, print a line each."""
    with tempfile.TemporaryDirectory(prefix="exports-") as scratch:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else scratch).resolve()
        run = write_run(folder / "run")
        exports = {target: folder / "out" / target for target in TARGETS}
        for target, out in exports.items():
            export_run(run, target, out)
        for target, said in used(folder, exports):
            sys.stdout.write(f"{target:<10} {said}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
