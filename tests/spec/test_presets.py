"""The presets are the table of the design: the paper's text and the authors' code, difference by difference."""

from __future__ import annotations

from typing import Any

import pytest

from sdrl.spec.loader import Loaded, load_spec
from sdrl.spec.presets import PRESETS

SPEC = (
    'sdrl: 1\nname: a\nextends: {}\ntask: {{description: d, output_format: "####"}}\n'
    'answer: {{type: number, extract: {{marker: "####"}}}}\n'
)
TABLE: dict[str, tuple[Any, Any, Any]] = {
    # key: recommended, paper, released-code
    "vote.min_agreement": (0.5, None, None),
    "vote.include_generated": (False, False, True),
    "vote.stop_early": (True, False, False),
    "score.sampling.temperature": (0.7, 0.7, 1.2),
    "score.sampling.top_p": (1.0, 1.0, 0.95),
    "score.sampling.max_tokens": (2048, 2048, 1500),
    "score.adaptive": (True, False, False),
    "select.never_solved": ("drop", "last", "drop"),
    "select.min_solved": (2, 1, 1),
    "select.fill": ("none", "none", "none"),
    "synthesize.demo_probability": (1.0, 1.0, "share"),
    "synthesize.demos_per_prompt": (3, "all", 3),
    "synthesize.samples": (500, 500, 503),
    "synthesize.attempts": (None, None, 503),
    "train.kl": (0.01, 0.01, 0.001),
    "train.sampling.top_p": (1.0, 1.0, 0.8),
    "train.sampling.temperature": (1.2, 1.2, 1.2),
    "train.reward.parsable": (0.0, 0.0, 0.0),
    "train.loss": ("grpo", "grpo", "grpo"),
    "train.prompts_per_step": (4, 4, 4),
    "train.rollouts": (16, 16, 16),
    "train.learning_rate": (1e-6, 1e-6, 1e-6),
    "train.epochs": (5.0, 5.0, 5.0),
    "vote.draws": (16, 16, 16),
    "score.draws": (64, 64, 64),
}


def load(preset: str, more: str = "") -> Loaded:
    return load_spec("a.yaml", text=SPEC.format(preset) + more)


def leaf(loaded: Loaded, path: str) -> Any:
    value: Any = loaded.require()
    for step in path.split("."):
        value = getattr(value, step)
    return value


@pytest.mark.parametrize("path", list(TABLE))
def test_a_preset_gives_what_the_table_says(path: str) -> None:
    assert tuple(leaf(load(preset), path) for preset in PRESETS) == TABLE[path]


@pytest.mark.parametrize(
    ("preset", "filters"),
    [("recommended", ["duplicates", "decontaminate", "rouge_l"]), ("paper", []), ("released-code", [])],
)
def test_only_the_recommended_preset_filters(preset: str, filters: list[str]) -> None:
    assert [step.name for step in load(preset).require().filter] == filters


def test_a_spec_that_names_no_preset_gets_the_recommended_one() -> None:
    silent = load_spec("a.yaml", text=SPEC.format("recommended").replace("extends: recommended\n", ""))
    assert silent.require() == load("recommended").require()


def test_the_recommended_preset_is_what_the_models_default_to() -> None:
    from sdrl.spec.model import Spec

    spec = load("recommended").require()
    bare = Spec.model_validate({"sdrl": 1, "name": "a", "task": spec.task, "answer": spec.answer})
    assert spec == bare


def test_what_is_written_wins_over_the_preset_key_by_key() -> None:
    spec = load("released-code", "score: {sampling: {temperature: 0.5}}\nfilter: [{rouge_l: 0.9}]").require()
    assert (spec.score.sampling.temperature, spec.score.sampling.top_p) == (0.5, 0.95)
    assert [step.name for step in spec.filter] == ["rouge_l"]


def test_every_value_says_where_it_comes_from() -> None:
    origins = load("paper", "vote: {draws: 8}").origins
    assert origins["vote.draws"] == "spec:6"
    assert origins["vote.min_agreement"] == "preset:paper"
    assert origins["filter"] == "preset:paper"
    assert origins["vote.tie"] == "default"
    assert origins["answer.extract.marker"] == "spec:5"
