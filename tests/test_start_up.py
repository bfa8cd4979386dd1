"""What a start must not load, looked up in ``sys.modules`` of a fresh process, and that every command answers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sdrl.cli.main import COMMANDS, main

HEAVY = (
    "torch transformers trl accelerate peft datasets openai instructor tantivy textual "
    "math_verify sympy numpy pyarrow aiohttp re2 httpx rich"
)
VERIFY = "from sdrl.cli.main import main; main("


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
        "from sdrl.cli.main import main; main(['compile', 'specs/word-problems.yaml', '-o', FOLDER + '/p.plan'])",
        "from sdrl.cli.main import main; main(['compile', 'specs/math.yaml', '-o', FOLDER + '/p.plan'])",
        f"{VERIFY}['verify', 'specs/gsm8k.yaml', ROWS])",
        f"{VERIFY}['verify', 'specs/math.yaml', ROWS])",  # plain numbers need no worker
        "import sdrl.verifier, sdrl.spec, sdrl.compiler.plan, sdrl.stages.ballot, sdrl.report, sdrl.training.job",
    ],
)
def test_the_light_path_loads_nothing_heavy(code: str, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"completion": "#### 18 \\\\boxed{18}", "gold": "18"}\n' * 10)
    names = f"FOLDER = {str(tmp_path)!r}; ROWS = FOLDER + '/rows.jsonl'\n"
    assert loaded_after(names + code) == set()


def test_a_few_rows_are_judged_without_another_process(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"completion": "#### 18", "gold": "18"}\n' * 10)
    words = ["verify", "specs/gsm8k.yaml", str(tmp_path / "rows.jsonl")]
    code = f"import sys; from sdrl.cli.main import main; main({words!r}); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.count('"correct"') == 10
    assert not {"subprocess", "multiprocessing", "sdrl.cli.verify_workers"} & set(done.stdout.splitlines()[-1].split())


def test_a_regex_answer_loads_re2_and_nothing_else() -> None:
    program = {"version": 1, "type": "number", "extract": {"kind": "regex", "pattern": "= (.*)"}}
    assert loaded_after(f"from sdrl.verifier import Verifier; Verifier.from_program({program!r})") == {"re2"}


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert f"usage: sdrl {command}" in capsys.readouterr().out


def test_a_mistyped_command_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["complie"]) == 2
    assert "did you mean 'sdrl compile'" in capsys.readouterr().err


def test_wrong_arguments_exit_two_and_point_to_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"]) == 2
    assert "write sdrl status RUN; 'sdrl status --help' tells more" in capsys.readouterr().err
