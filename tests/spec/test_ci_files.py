"""The pre-commit hook and the GitHub action of this repository, run as their hosts run them, without a network."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from sdrl.spec.locate import specs_dir

ROOT = Path(__file__).parents[2]
GOOD = (specs_dir() / "gsm8k.yaml").read_text(encoding="utf-8")
BAD = GOOD.replace("type: number", "type: nummber")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A PATH whose ``sdrl`` is the one under test."""
    program = tmp_path / "bin" / "sdrl"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m sdrl "$@"\n')
    program.chmod(0o755)
    home = {"HOME": str(tmp_path), "PRE_COMMIT_HOME": str(tmp_path / "pre-commit"), "GIT_CONFIG_NOSYSTEM": "1"}
    return {"PATH": f"{program.parent}:/usr/bin:/bin", **home}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "specs").mkdir(parents=True)
    (folder / "specs" / "good.yaml").write_text(GOOD, encoding="utf-8")
    (folder / "docker-compose.yml").write_text("services: {web: {image: nginx}}\n")
    return folder


def run(words: list[str], folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=600)


def test_the_hook_passes_good_specs_and_other_files_and_stops_a_bad_one(
    project: Path, environment: dict[str, str]
) -> None:
    [hook] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert (hook["id"], hook["language"]) == ("sdrl-validate", "python")
    local = {"repos": [{"repo": "local", "hooks": [{**hook, "language": "system"}]}]}  # no network to install it from
    (project / ".pre-commit-config.yaml").write_text(json.dumps(local))
    run(["git", "init", "-q"], project, environment)
    run(["git", "add", "."], project, environment)
    hooks = [sys.executable, "-m", "pre_commit", "run", "--all-files"]
    passed = run(hooks, project, environment)
    assert passed.returncode == 0, passed.stdout + passed.stderr
    (project / "specs" / "bad.yaml").write_text(BAD, encoding="utf-8")
    run(["git", "add", "."], project, environment)
    stopped = run(hooks, project, environment)
    assert stopped.returncode == 1
    assert "specs/bad.yaml:14:9: E205" in stopped.stdout


def action() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
    return loaded


def play(
    step: dict[str, Any], inputs: dict[str, str], folder: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a step's shell lines as the runner does, its expressions filled in."""
    known = {f"inputs.{name}": inputs.get(name, given["default"]) for name, given in action()["inputs"].items()}
    known |= {"github.action_path": str(ROOT), "runner.temp": str(folder)}
    filled = {key: re.sub(r"\$\{\{ (.*?) \}\}", lambda m: known[m[1]], value) for key, value in step["env"].items()}
    output = {"GITHUB_OUTPUT": str(folder / "output")}
    assert "${{" not in step["run"]  # an input in the shell's text would be read as a command
    return run(["bash", "-e", "-o", "pipefail", "-c", step["run"]], folder, {**environment, **filled, **output})


def test_the_action_annotates_and_leaves_its_report(project: Path, environment: dict[str, str]) -> None:
    step = action()["runs"]["steps"][1]
    assert play(step, {}, project, environment).returncode == 0
    (project / "specs" / "bad.yaml").write_text(BAD, encoding="utf-8")
    found = play(step, {"paths": "specs/good.yaml\nspecs/bad.yaml\n"}, project, environment)
    assert found.returncode == 1, found.stderr
    assert found.stdout.startswith("::error title=sdrl (E205),file=specs/bad.yaml,line=14,")
    report = Path((project / "output").read_text().splitlines()[-1].removeprefix("sarif="))
    assert [result["ruleId"] for result in json.loads(report.read_text())["runs"][0]["results"]] == ["E205"]


def test_the_action_fails_on_warnings_when_strict_and_on_paths_without_specs(
    project: Path, environment: dict[str, str]
) -> None:
    step = action()["runs"]["steps"][1]
    (project / "specs" / "good.yaml").write_text(re.sub(r"  license: .*\n", "", GOOD), encoding="utf-8")
    assert play(step, {}, project, environment).returncode == 0
    assert play(step, {"strict": "true"}, project, environment).returncode == 1
    assert play(step, {"paths": "docker-compose.yml", "format": "text"}, project, environment).returncode == 1
    assert play(step, {"paths": "nowhere $(touch owned)"}, project, environment).returncode == 1
    assert not (project / "owned").exists()


@pytest.mark.parametrize(("version", "wanted"), [("", str(ROOT)), ("0.1.0", "sdrl==0.1.0")])
def test_the_action_installs_itself_or_the_version_asked_for(
    version: str, wanted: str, project: Path, environment: dict[str, str]
) -> None:
    stub = Path(environment["PATH"].split(":", 1)[0]) / "python3"
    stub.write_text('#!/bin/sh\necho "$@"\n')
    stub.chmod(0o755)
    done = play(action()["runs"]["steps"][0], {"version": version}, project, environment)
    assert done.stdout.split() == ["-m", "pip", "install", "--quiet", wanted]


def test_the_page_on_ci_names_every_input_and_its_yaml_can_be_read() -> None:
    page = (ROOT / "docs" / "how-to" / "ci.md").read_text(encoding="utf-8")
    for name in action()["inputs"]:
        assert f"| `{name}` |" in page
    blocks = re.findall(r"^```yaml\n(.*?)^```", page, re.M | re.S)
    assert len(blocks) == 4
    assert all(isinstance(yaml.safe_load(block), dict) for block in blocks)


def test_the_hook_of_the_page_is_the_hook_of_the_repository() -> None:
    [hook] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert f"entry: {hook['entry']}, language: system" in (ROOT / "docs" / "how-to" / "ci.md").read_text(
        encoding="utf-8"
    )
    assert os.path.isfile(ROOT / "action.yml")
