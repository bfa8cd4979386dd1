"""A verifier of another package: the one in docs/how-to/own-verifier.md, installed into a folder and used."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from sdrl.verifier import ProgramError, Unreadable, Verifier
from sdrl.verifier import plugin as plugins

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "own-verifier.md"
PROGRAM = {"type": "program", "extract": {"kind": "tag", "name": "answer"}}


def blocks() -> dict[str, str]:
    """The files that the page shows, by the name that stands in the fence's first line."""
    found = re.findall(r"```\w+ title=(\S+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return dict(found)


def test_the_package_of_the_page_installs_and_judges(tmp_path: Path) -> None:
    files = blocks()
    assert set(files) == {"pyproject.toml", "countdown.py", "countdown.yaml", "answers.jsonl"}
    package, target = tmp_path / "package", tmp_path / "installed"
    package.mkdir()
    for name, text in files.items():
        folder = package if name in ("pyproject.toml", "countdown.py") else tmp_path
        (folder / name).write_text(text, encoding="utf-8")
    here = ["--no-build-isolation"] if find_spec("setuptools") else []  # spares fetching what is installed
    words = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", *here, "--target", target, "."]
    subprocess.run(words, cwd=package, check=True, capture_output=True)
    shown = verify(tmp_path, ROOT, target)
    rows = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [row["verdict"] for row in rows] == ["correct", "incorrect", "incorrect", "unparsable"]
    assert rows[2]["reason"] == "uses other numbers"
    alone = verify(tmp_path, ROOT)
    assert (shown.returncode, alone.returncode) == (0, 1)
    assert "no installed package offers 'countdown'" in alone.stderr


def verify(folder: Path, *places: Path) -> subprocess.CompletedProcess[str]:
    """``sdrl verify`` of the page's files, with these folders of packages."""
    words = [sys.executable, "-m", "sdrl", "verify", "countdown.yaml", "answers.jsonl"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, places))}
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_every_verifier_of_ours_is_an_entry_point_too() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"][plugins.GROUP]
    assert declared == {
        name: f"sdrl.verifier.{module}:{attribute}" for name, (module, attribute) in plugins.OWN.items()
    }
    for name in declared:
        assert Verifier.from_program({**PROGRAM, "entry_point": name})


class _Stubborn:
    def read(self, slot: str, options: Any) -> str | None:
        if slot == "several":
            raise Unreadable("several values", conflict=True)
        if slot == "broken":
            raise RuntimeError("broken")
        return None if slot == "none" else slot

    def same(self, prediction: str, gold: str) -> bool:
        return prediction == gold


def offer(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    def entry_points(*, group: str, name: str) -> list[EntryPoint]:
        return [EntryPoint(name, value, group)]

    monkeypatch.setattr("importlib.metadata.entry_points", entry_points)


def test_a_plugin_says_why_it_reads_nothing_and_whether_that_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "_load", lambda name: _Stubborn)
    verifier = Verifier.from_program({**PROGRAM, "entry_point": "stubborn"})
    verdicts = {
        slot: verifier.judge(f"<answer>{slot}</answer>", "x").verdict for slot in ("x", "none", "several", "broken")
    }
    assert verdicts == {"x": "correct", "none": "unparsable", "several": "incorrect", "broken": "error"}
    assert verifier.judge("<answer>several</answer>", "x").reason == "several values"


def test_a_package_that_cannot_be_loaded_is_a_program_error_and_ours_cannot_be_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    offer(monkeypatch, "no_such_module_at_all:Thing")
    with pytest.raises(ProgramError, match="cannot be loaded"):
        Verifier.from_program({**PROGRAM, "entry_point": "theirs"})
    assert Verifier.from_program({**PROGRAM, "entry_point": "sql-sqlite"})
