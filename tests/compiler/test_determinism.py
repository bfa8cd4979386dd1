"""Equal inputs give equal bytes, wherever and whenever; and a plan reads back as it was written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sdrl.compiler.compile import compile_spec, write_plan
from sdrl.compiler.plan_file import read_plan
from sdrl.spec.locate import specs_dir
from tests.compiler.golden import shipped as shipped_specs
from tests.compiler.project import SPEC, write_project

PROGRAM = """
import os, sys
from pathlib import Path
from sdrl.compiler.compile import compile_spec, write_plan
os.umask(int(sys.argv[3], 8))
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


ENVIRONMENTS = [
    ({"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C", "PYTHONUTF8": "1"}, "/", "022"),
    ({"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8", "PYTHONUTF8": "0"}, "/tmp", "077"),
    (
        {"PYTHONHASHSEED": "77", "TZ": "America/Lima", "LC_ALL": "tr_TR.UTF-8", "COLUMNS": "40", "HOME": "/"},
        None,
        "002",
    ),
]


@pytest.mark.parametrize(("environment", "cwd", "umask"), ENVIRONMENTS, ids=("C", "Tokyo", "Lima"))
def test_hash_seed_locale_time_zone_umask_and_working_folder_change_nothing(
    tmp_path: Path, environment: dict[str, str], cwd: str | None, umask: str
) -> None:
    own = write_project(tmp_path / "a place", SPEC.replace("add the numbers.", "İ ß é 漢 \U0001f600."))
    shipped = specs_dir() / "text-to-sql.yaml"
    for spec in (own, shipped):
        expected = compile_spec(spec).files
        made = tmp_path / f"{spec.stem}.plan"
        named = spec.name if cwd is None and spec is own else spec
        where = cwd or spec.parent
        words = [sys.executable, "-c", PROGRAM, named, made, umask]
        subprocess.run(words, check=True, env={**os.environ, **environment}, cwd=where)
        found = contents(made)
        found.pop("location.json")
        assert found == expected


@pytest.mark.parametrize("path", shipped_specs(), ids=lambda path: path.stem)
def test_a_shipped_plan_reads_back_as_it_was_compiled(tmp_path: Path, path: Path) -> None:
    compiled = compile_spec(path)
    write_plan(compiled, tmp_path / "plan")
    assert read_plan(tmp_path / "plan") == compiled.plan
    assert compile_spec(path).files == compiled.files


# no marker and no <think>: what a worked example hides, or answers twice, is an error of the spec, and rightly so
WORDS = st.text(st.characters(blacklist_categories=("C", "Z"), blacklist_characters="#<"), min_size=1, max_size=12)
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "retrieve": st.fixed_dictionaries({"passages": st.integers(1, 10**6), "shuffle": st.booleans()}),
        "vote": st.fixed_dictionaries({"draws": st.integers(2, 64), "tie": st.sampled_from(["drop", "random"])}),
        "select": st.fixed_dictionaries({"samples": st.integers(5, 99), "min": st.integers(1, 5)}),
        "train": st.fixed_dictionaries({"learning_rate": st.floats(1e-9, 0.1), "kl": st.floats(0, 1)}),
        "seed": st.integers(0, 2**31 - 1),
        "demos": st.lists(st.fixed_dictionaries({"input": WORDS, "output": WORDS.map("{} #### 1".format)}), max_size=3),
    },
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(chosen=SETTINGS)
def test_any_plan_reads_back_as_it_was_compiled(tmp_path: Path, chosen: dict[str, object]) -> None:
    kept = [line for line in SPEC.split("\n") if line.split(":")[0] not in chosen]
    text = "\n".join(kept) if "demos" not in chosen else "\n".join(line for line in kept if "- {input" not in line)
    text += "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in chosen.items())
    spec = write_project(tmp_path, text)
    compiled = compile_spec(spec)
    write_plan(compiled, tmp_path / "plan")
    assert read_plan(tmp_path / "plan") == compiled.require()


def test_paths_of_the_machine_stand_nowhere_in_a_plan(tmp_path: Path) -> None:
    files = compile_spec(write_project(tmp_path)).files
    assert not any(str(tmp_path).encode() in content for content in files.values())
