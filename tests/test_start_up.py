"""What a start must not load, looked up in ``sys.modules`` of a fresh process, and that every command answers."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sdrl.cli.main import COMMANDS, main

HEAVY = (
    "torch transformers trl accelerate peft datasets openai instructor tantivy textual "
    "math_verify sympy pyarrow aiohttp"
)


def loaded_after(code: str) -> set[str]:
    """The heavy modules a fresh interpreter holds after running ``code``."""
    script = f"{code}\nimport sys\nprint(' '.join(m for m in {HEAVY!r}.split() if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split()) if done.stdout.strip() else set()


@pytest.mark.parametrize(
    "code",
    [
        "import sdrl.cli.main",
        "from sdrl.cli.main import main; main(['--version'])",
        "from sdrl.cli.main import main; main(['validate', 'specs/gsm8k.yaml'])",
        "from sdrl.cli.main import main; main(['plan', 'specs/gsm8k.yaml'])",
        "import sdrl.verifier, sdrl.spec, sdrl.compiler.plan, sdrl.stages.ballot, sdrl.report, sdrl.training.job",
    ],
)
def test_the_light_path_loads_nothing_heavy(code: str) -> None:
    assert loaded_after(code) == set()


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert f"usage: sdrl {command}" in capsys.readouterr().out


def test_a_mistyped_command_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["complie"]) == 2
    assert "did you mean 'compile'" in capsys.readouterr().err


def test_wrong_arguments_exit_two_and_point_to_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"]) == 2
    assert "run 'sdrl status --help'" in capsys.readouterr().err
