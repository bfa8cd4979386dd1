"""docs/paper.md names files and functions of the code: each must be there, and each stage must be named."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from sdrl.compiler.plan import STAGES
from sdrl.spec.loader import load_spec

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "paper.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`((?:sdrl|templates|specs)/[\w/]*(?:\.\w+)?)(?::(\w+))?`", TEXT)))


@pytest.mark.parametrize(("path", "name"), NAMED, ids=[f"{path}:{name}" for path, name in NAMED])
def test_what_the_page_names_is_there(path: str, name: str) -> None:
    assert (ROOT / path).exists()
    if name:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        defined = {
            node.name
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        }
        assert name in defined


def test_every_stage_and_every_equation_has_its_row() -> None:
    for stage in STAGES:
        assert f"`sdrl/stages/{stage}.py:run`" in TEXT, stage
    for number in range(2, 8):
        assert re.search(rf"^\| eq\. [\d, ]*{number}", TEXT, re.M), f"equation {number}"


def test_its_figures_are_those_of_the_paper_preset(tmp_path: Path) -> None:
    spec = tmp_path / "paper.yaml"
    head = "sdrl: 1\nname: paper\nextends: paper\ntask: {description: d, output_format: 'After ####.'}\n"
    spec.write_text(head + 'answer: {type: number, extract: {marker: "####"}}\n', encoding="utf-8")
    settings = load_spec(spec).require()
    train = settings.train
    assert (train.learning_rate, train.rollouts, train.max_completion_tokens) == (1e-6, 16, 2048)
    assert (train.kl, train.epochs, train.sampling.temperature) == (0.01, 5, 1.2)
    assert (settings.score.draws, settings.vote.draws) == (64, 16)
    updates = settings.select.samples * train.epochs / train.prompts_per_step
    assert f"{updates:g} updates for {settings.select.samples} samples" in TEXT
    assert "lr 1e-6, 16 responses, batch 64, 2,048 tokens, KL 0.01, 5 epochs, τ 1.2" in TEXT
    assert train.prompts_per_step * train.rollouts == 64
