"""Blocks of the docs that more is true of than their syntax: shell, shown output, suites, filter lists, CI files."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import re
import shlex
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from sdrl.cli.main import COMMANDS, main
from sdrl.compare.loading import load_suite
from sdrl.compiler.plan import STAGES
from sdrl.spec.loader import load_spec
from tests.docs.test_blocks import ROOT, SHELL, SHOWN, blocks

LAPTOP_TO_CLUSTER = frozenset({"laptop.yaml", "one-gpu.yaml", "eight-gpus.yaml"})
SHELL_BLOCKS = [(page, text) for page, language, _, text in blocks() if language in SHELL]
HELD_BY = {  # pages whose shown blocks a test of their own holds, and what of that test names the page
    "docs/tutorial.md": ("tests/docs/test_tutorial.py", '"tutorial.md"'),
    "docs/tui.md": ("tests/tui/screens.py", '"tui.md"'),
    "docs/how-to/own-verifier.md": ("tests/verifier/test_own_verifier.py", '"own-verifier.md"'),
    "README.md": ("tests/docs/test_shown.py", "README.md"),
    "ARCHITECTURE.md": ("tests/docs/test_shown.py", "ARCHITECTURE.md"),
}


def shown(page: str, words: str) -> str:
    """The block of a page that holds these words."""
    return next(text for where, language, _, text in blocks() if where == page and language in SHOWN and words in text)


def laptop() -> dict[str, Any]:
    spec: dict[str, Any] = yaml.safe_load(next(text for _, _, title, text in blocks() if title == "laptop.yaml"))
    return spec


@pytest.mark.parametrize(
    ("page", "text"), SHELL_BLOCKS, ids=[f"{page}-{n}" for n, (page, _) in enumerate(SHELL_BLOCKS)]
)
def test_a_shell_block_is_shell_and_what_it_starts_is_there(page: str, text: str) -> None:
    done = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if "-m" in words[1:2] and words[0].endswith("python"):
            assert importlib.util.find_spec(words[2]) is not None, f"{page}: {words[2]}"
        for word in words if "pip" in line else ():
            for extra in re.findall(r"(?:^\.|sdrl)\[([\w,]+)\]", word):
                assert set(extra.split(",")) <= set(extras), f"{page}: {word}"


def test_what_is_shown_as_output_is_held_by_some_test() -> None:
    for page in {page for page, language, _, _ in blocks() if language in SHOWN}:
        assert page in HELD_BY, f"{page}: nothing holds its shown blocks"
        file, words = HELD_BY[page]
        assert words in (ROOT / file).read_text(encoding="utf-8")


def test_the_spec_of_the_readme_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "gsm8k.yaml"
    path.write_text(next(text for page, language, _, text in blocks() if (page, language) == ("README.md", "yaml")))
    assert [each for each in load_spec(path).diagnostics if each.code.startswith("E")] == []


def test_the_mistake_of_the_readme_looks_like_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", "my-task"]) == 0
    path = Path("my-task.yaml")
    path.write_text(path.read_text().replace("type: number", "type: nummer"))
    capsys.readouterr()
    assert main(["validate", "my-task.yaml"]) == 1
    assert shown("README.md", "nummer").rstrip() in capsys.readouterr().out


def test_the_tree_of_the_readme_names_what_is_there() -> None:
    above = ""
    for line in shown("README.md", "specs/  ").splitlines():
        name, *words = line.split(None, 1)
        place = above + name if line.startswith(" ") else name
        above = above if line.startswith(" ") else name
        assert (ROOT / place).is_dir(), place
        for other in re.findall(r"(?<![\w/])([a-z_]+/)(?= )", " ".join(words)):
            assert (ROOT / above / other).is_dir() or (ROOT / other).is_dir(), other


def test_the_output_of_the_demo_has_its_stages_and_a_verdict_whose_parts_sum() -> None:
    text = " ".join(shown("README.md", "VERDICT").split())
    lines = shown("README.md", "VERDICT").split("VERDICT")[0].split("\n")
    assert [line.split()[0] for line in lines if line.strip()] == list(STAGES)
    gain, low, high = re.findall(r"a gain of ([\d.]+) points \(95 % interval \+([\d.]+) to \+([\d.]+)\)", text)[0]
    parts = re.findall(r"\+([\d.]+) points are format .* and \+([\d.]+) are skill", text)[0]
    after, before = re.findall(r"right in ([\d.]+) % of its answers, the base model in ([\d.]+) %", text)[0]
    assert sum(map(float, parts)) == pytest.approx(float(gain), abs=0.11)
    assert float(after) - float(before) == pytest.approx(float(gain), abs=0.11)
    assert float(low) < float(gain) < float(high)


def test_the_arrows_of_the_architecture_are_commands() -> None:
    arrows = re.findall(r"──(\w+)──▶", shown("ARCHITECTURE.md", "──▶"))
    assert arrows == ["compile", "run", "report"] and set(arrows) <= set(COMMANDS)


SUITES = [(page, text) for page, language, _, text in blocks() if language == "yaml" and text.startswith("suite:")]


@pytest.mark.parametrize(("page", "text"), SUITES, ids=[page for page, _ in SUITES])
def test_a_suite_of_the_docs_is_accepted(page: str, text: str, tmp_path: Path) -> None:
    demos = [{"input": f"Add {n} and 1.", "output": f"#### {n + 1}"} for n in range(20)]
    for name in set(re.findall(r"^spec: (\S+)", text, re.M)):
        (tmp_path / name).write_text(yaml.safe_dump({**laptop(), "demos": demos}), encoding="utf-8")
    path = tmp_path / "suite.yaml"
    path.write_text(text, encoding="utf-8")
    assert load_suite(path).arms


def test_the_filter_list_of_its_page_is_accepted(tmp_path: Path) -> None:
    found = [text for page, language, _, text in blocks() if page == "docs/filters.md" and language == "yaml"]
    assert found
    for text in found:
        path = tmp_path / "whole.yaml"
        path.write_text(yaml.safe_dump(laptop() | yaml.safe_load(text)), encoding="utf-8")
        assert [each for each in load_spec(path).diagnostics if each.code.startswith("E")] == []


def test_the_ci_files_name_inputs_hooks_and_flags_that_exist() -> None:
    found = [
        yaml.safe_load(text) for page, language, _, text in blocks() if page.endswith("ci.md") and language == "yaml"
    ]
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    steps = next(each["steps"] for each in found if "steps" in each)
    own = next(step for step in steps if step["uses"].startswith("OWNER/sdrl"))
    assert set(own["with"]) <= set(action["inputs"])
    for output in re.findall(rf"steps\.{own['id']}\.outputs\.(\w+)", str(steps)):
        assert output in action["outputs"]
    hooks = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    named = [hook for each in found if "repos" in each for repo in each["repos"] for hook in repo["hooks"]]
    assert {hook["id"] for hook in named} == hooks
    lines = [line for each in found if "specs" in each for line in each["specs"]["script"]]
    lines += [hook["entry"] for hook in named if "entry" in hook]
    started = [shlex.split(line.split(">")[0])[1:] for line in lines if line.startswith("sdrl ")]
    assert len(started) == 2
    for command, *flags in started:
        parser = argparse.ArgumentParser(exit_on_error=False)
        importlib.import_module(f"sdrl.cli.{COMMANDS[command][0]}").configure(parser)
        parser.parse_args(flags if any(not flag.startswith("-") for flag in flags) else [*flags, "specs"])


PLANNED = [(title, text) for page, _, title, text in blocks() if "how-to" in page and title in LAPTOP_TO_CLUSTER]


@pytest.mark.parametrize(("title", "text"), PLANNED, ids=[title for title, _ in PLANNED])
def test_the_spec_of_a_machine_s_how_to_plans_within_its_budget_and_memory(
    title: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / title).write_text(text, encoding="utf-8")
    assert main(["plan", str(tmp_path / title)]) == 0, capsys.readouterr().err
