"""Equal inputs give equal bytes: folders, hash seeds, locales and time zones do not matter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sdrl.compiler.compile import compile_spec, write_plan
from tests.compiler.project import write_project

PROGRAM = """
import sys
from pathlib import Path
from sdrl.compiler.compile import compile_spec, write_plan
compiled = compile_spec(Path(sys.argv[1]))
write_plan(compiled, Path(sys.argv[2]))
"""


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_two_folders_give_the_same_bytes(tmp_path: Path) -> None:
    plans = []
    for name in ("one", "two/deeper"):
        spec = write_project(tmp_path / name)
        write_plan(compile_spec(spec), spec.parent / "sums.plan")
        plans.append(contents(spec.parent / "sums.plan"))
    assert plans[0] == plans[1]
    assert "location.json" not in plans[0]


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C"},
        {"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8", "PYTHONUTF8": "0"},
    ],
)
def test_hash_seed_locale_and_time_zone_change_nothing(tmp_path: Path, environment: dict[str, str]) -> None:
    spec = write_project(tmp_path)
    expected = compile_spec(spec).files
    made = tmp_path / "sums.plan"
    subprocess.run([sys.executable, "-c", PROGRAM, spec, made], check=True, env={**os.environ, **environment}, cwd="/")
    assert contents(made) == expected


def test_paths_of_the_machine_stand_nowhere_in_a_plan(tmp_path: Path) -> None:
    files = compile_spec(write_project(tmp_path)).files
    assert not any(str(tmp_path).encode() in content for content in files.values())
