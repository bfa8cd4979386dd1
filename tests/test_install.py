"""Installed as a wheel, editable and from a checkout, sdrl behaves the same; the core install is small.

The wheel is built here and installed into a fresh environment from the package registry, as a user's ``pip install .``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FORBIDDEN = {"torch", "transformers", "trl", "openai", "instructor", "textual", "tantivy", "datasets", "aiohttp"}
MOST_PACKAGES = 30


def run(words: list[str], cwd: Path, **env: str) -> str:
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False, env={**clean, **env})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The python of a fresh environment that holds the core install."""
    folder = tmp_path_factory.mktemp("core")
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv" / "bin" / "python"
    constraints = str(ROOT / "constraints.txt")
    run([str(python), "-m", "pip", "install", "-q", "-c", constraints, str(ROOT)], folder)
    return python


def test_the_core_install_is_small_and_has_no_heavy_library(core: Path, tmp_path: Path) -> None:
    listed = json.loads(run([str(core), "-m", "pip", "list", "--format", "json"], tmp_path))
    names = {package["name"].lower() for package in listed}
    assert "sdrl" in names
    assert len(names) <= MOST_PACKAGES, sorted(names)
    assert not names & FORBIDDEN


def compiled_hash(python: Path | str, folder: Path, **env: str) -> tuple[str, str]:
    """The list of examples, and the plan hash of an example compiled afresh, as this installation gives them."""
    folder.mkdir()
    listed = run([str(python), "-m", "sdrl", "init"], folder, **env)
    run([str(python), "-m", "sdrl", "init", "mine", "--from", "gsm8k"], folder, **env)
    run([str(python), "-m", "sdrl", "validate", "mine.yaml"], folder, **env)
    run([str(python), "-m", "sdrl", "compile", "mine.yaml"], folder, **env)
    return listed, json.loads((folder / "mine.plan" / "plan.json").read_text())["hash"]


def test_wheel_editable_and_checkout_make_the_same_plan(core: Path, tmp_path: Path) -> None:
    from_wheel = compiled_hash(core, tmp_path / "wheel")
    editable = compiled_hash(sys.executable, tmp_path / "editable")
    checkout = compiled_hash(sys.executable, tmp_path / "checkout", PYTHONPATH=str(ROOT))
    assert from_wheel == editable == checkout


def test_every_installation_finds_the_verifiers_that_ship(core: Path, tmp_path: Path) -> None:
    program = {"type": "program", "extract": {"kind": "whole"}, "entry_point": "sql-sqlite"}
    code = (
        "from importlib.metadata import entry_points; from sdrl.verifier import Verifier;"
        f"made = Verifier.from_program({program!r});"
        "print(made.judge('SELECT 1', 'SELECT 1', {'input': 'CREATE TABLE t (x);'}).verdict,"
        " *(point.value for point in entry_points(group='sdrl.verifiers', name='sql-sqlite')))"
    )
    assert run([str(core), "-c", code], tmp_path).split() == ["correct", "sdrl.verifier.sql_sqlite:SqlSqlite"]
    for env in ({}, {"PYTHONPATH": str(ROOT)}):  # an editable install of an older state has no entry point
        assert run([sys.executable, "-c", code], tmp_path, **env).split()[0] == "correct"


def test_the_wheel_runs_the_embedded_models_from_what_it_ships(core: Path, tmp_path: Path) -> None:
    code = "from sdrl.compiler.identities import embedded_folder; print(embedded_folder() / 'toy_base')"
    folder = Path(run([str(core), "-c", code], tmp_path).strip())
    assert (folder / "model.safetensors").stat().st_size <= 4 * 1024 * 1024
    assert "site-packages" in str(folder)
