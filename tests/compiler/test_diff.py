"""What would run again, and why, in words that name the field."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sdrl.compiler.compile import compile_spec
from sdrl.compiler.diff import PlanDiff, diff_plans
from sdrl.compiler.diff_text import text_of
from sdrl.compiler.plan import STAGES
from sdrl.compiler.rounds import stage_names
from sdrl.spec.model import Spec
from tests.compiler.project import SPEC, write_project


def diff(folder: Path, before: str, after: str) -> PlanDiff:
    assert before in SPEC
    a = compile_spec(write_project(folder / "a"))
    b = compile_spec(write_project(folder / "b", SPEC.replace(before, after, 1)))
    return diff_plans(a.require(), b.require())


def test_equal_plans_have_no_difference(tmp_path: Path) -> None:
    assert diff(tmp_path, "seed: 7", "seed: 7").is_empty


def test_a_changed_setting_names_the_field_and_what_follows(tmp_path: Path) -> None:
    found = diff(tmp_path, "epochs: 2", "epochs: 3")
    assert found.stages == ("train", "evaluate")
    assert [str(change) for change in found.reruns[0].changes] == ["train.epochs: 2 -> 3"]
    assert found.reruns[1].changes == ()
    assert found.reruns[1].because_of == ("train",)


def test_a_price_runs_nothing_again_and_is_still_shown(tmp_path: Path) -> None:
    found = diff(tmp_path, "input: 2.5", "input: 3.5")
    assert found.stages == ()
    assert [change.path for change in found.unhashed] == ["models.instructor.price.input"]


def test_a_changed_prompt_is_shown_as_text(tmp_path: Path) -> None:
    a = compile_spec(write_project(tmp_path / "a")).require()
    spec = write_project(tmp_path / "b", SPEC + "prompts: {answer: {file: my.jinja}}\n")
    (tmp_path / "b" / "my.jinja").write_text("{{ input }}\n")
    found = diff_plans(a, compile_spec(spec).require())
    assert found.stages == ("probe", "adapt", "score", "select", "train", "evaluate")
    [prompt] = [change for change in found.changes if change.path == "prompts.answer"]
    assert "-### Problem" in prompt.text and str(prompt) == "prompts.answer: changed"


ALL = STAGES
FROM_GENERATE = ALL[3:]
FROM_PROBE = ALL[5:]
# top-level key -> edits (before, after) with the stages that run again, exactly
EDITS: dict[str, list[tuple[str, str, tuple[str, ...]]]] = {
    "sdrl": [("sdrl: 1\n", "sdrl: 1 # a comment\n", ())],
    "name": [("name: sums", "name: sums-two", ())],
    "extends": [("name: sums\n", "name: sums\nextends: recommended\n", ())],
    "task": [
        ("add the numbers.", "add all numbers.", ALL),
        ("  license: CC0-1.0\nanswer", "  license: MIT\nanswer", ()),
        ("  license: CC0-1.0\nanswer", "  language: de\n  license: CC0-1.0\nanswer", ALL),
    ],
    "params": [("seed: 7", "params: {kind: big}\nlint: {ignore: [W308]}\nseed: 7", ())],
    "parts": [("seed: 7", "parts: [{name: all}]\nseed: 7", ()), ("seed: 7", "parts: [{name: big}]\nseed: 7", ALL)],
    "answer": [("  type: number", "  type: number\n  tolerance: 0.5", FROM_GENERATE)],
    "prompts": [
        ("seed: 7", "prompts: {answer: {extra_rules: [Be brief.]}}\nseed: 7", FROM_PROBE),
        ("seed: 7", "prompts: {pattern: {extra_rules: [Be brief.]}}\nseed: 7", ("pattern", *FROM_GENERATE)),
        ("seed: 7", "prompts: {solve: {extra_rules: [Be brief.]}}\nseed: 7", ALL[4:]),
        ("seed: 7", "prompts: {harder: {extra_rules: [Be brief.]}}\nseed: 7", ALL[6:]),
    ],
    "demos": [("What is 1 + 1?", "What is one + 1?", ALL)],
    "corpus": [
        ("license: CC0-1.0}\nsynth", "license: MIT}\nsynth", ()),
        ("{files: [passages.jsonl],", "{files: [passages.jsonl], limit: 3,", ("retrieve", *FROM_GENERATE)),
    ],
    "retrieve": [("seed: 7", "retrieve: {passages: 4}\nseed: 7", ("retrieve", *FROM_GENERATE))],
    "synthesize": [("{samples: 40}", "{samples: 41}", FROM_GENERATE)],
    "vote": [("vote: {draws: 8}", "vote: {draws: 9}", ALL[4:])],
    "review": [("seed: 7", "review: {min_valid: 0.7}\nseed: 7", ())],
    "probe": [("seed: 7", "probe: {min_parsable: 0.3}\nseed: 7", FROM_PROBE)],
    "adapt": [("seed: 7", "adapt: {easier: false}\nseed: 7", ALL[6:])],
    "score": [("seed: 7", "score: {draws: 32}\nseed: 7", ALL[7:])],
    "filter": [("seed: 7", "filter: [{duplicates: true}]\nseed: 7", ALL[4:])],
    # adaptive scoring asks whether a sample is among those that train, so that their number is its business too
    "select": [("select: {samples: 20,", "select: {samples: 19,", ALL[7:])],
    "validate": [("seed: 7", "validate: {share: 0.2}\nseed: 7", ALL[7:])],
    "models": [
        ("output: 10}", "output: 11}", ()),
        ("some-model-2026-01-01", "other-model-2026-01-01", ALL),
        ("prompt: raw}", "prompt: raw, stop: [END]}", FROM_PROBE),
        ("prompt: raw}", "prompt: raw, concurrency: 8}", ()),
    ],
    "train": [("learning_rate: 1e-6", "learning_rate: 2e-6", ("train", "evaluate"))],
    "evaluate": [("name: test", "name: exam", ALL[4:])],
    "gate": [("seed: 7", "gate: {min_gain: 0.01}\nseed: 7", ())],
    "budget": [("usd: 5", "usd: 6", ())],
    "hardware": [
        ("seed: 7", "hardware: {memory_gb: 40}\nseed: 7", ()),
        ("seed: 7", "hardware: {gpus: 2}\nseed: 7", ("train", "evaluate")),
    ],
    "rounds": [("seed: 7", "rounds: 2\nseed: 7", (*stage_names(2)[len(STAGES) - 1 : -1], "evaluate"))],
    "lint": [("seed: 7", "lint: {ignore: [W304]}\nseed: 7", ())],
    "seed": [("seed: 7", "seed: 8", ALL)],
}


def test_every_top_level_key_has_an_edit() -> None:
    assert set(EDITS) == {field.alias or name for name, field in Spec.model_fields.items()}


@pytest.mark.parametrize(
    ("before", "after", "stages"),
    [edit for edits in EDITS.values() for edit in edits],
    ids=[f"{key}-{n}" for key, edits in EDITS.items() for n, edit in enumerate(edits)],
)
def test_an_edit_runs_exactly_these_stages_again(
    tmp_path: Path, before: str, after: str, stages: tuple[str, ...]
) -> None:
    found = diff(tmp_path, before, after)
    assert found.stages == stages
    assert found.stays == tuple(name for name in STAGES if name not in stages)
    if stages:
        first = found.reruns[0]
        assert first.changes and not first.because_of


def test_what_running_again_asks_for_is_the_estimate_of_those_stages(tmp_path: Path) -> None:
    whole = compile_spec(write_project(tmp_path / "c")).require().estimate
    seed = diff(tmp_path / "all", "seed: 7", "seed: 8")
    assert seed.expected.requests == whole["instructor"]["expected"]["requests"]
    assert seed.worst.microusd == sum(entry["worst"]["microusd"] for entry in whole["stages"])
    train = diff(tmp_path / "train", "epochs: 2", "epochs: 3")
    assert (train.expected.requests, train.expected.microusd, train.expected.updates) == (0, 0, 15)


def test_changes_have_their_origin_and_texts_their_lines(tmp_path: Path) -> None:
    found = diff(tmp_path, "Question answering about sums; add the numbers.", "Question answering about sums; add all.")
    [change] = found.changes
    assert (change.path, change.origin) == ("task.description", "spec:4")
    assert change.text.split("\n")[1:] == [" Question answering about sums;", "-add the numbers.", "+add all."]


@pytest.mark.parametrize("width", [80, 120])
def test_the_text_fits_a_terminal_and_is_coloured_only_there(tmp_path: Path, width: int) -> None:
    found = diff(tmp_path, "seed: 7", "seed: 8\nprompts: {solve: {extra_rules: [Be brief.]}}")
    plain, painted = text_of(found, width=width), text_of(found, width=width, color=True)
    assert max(map(len, plain.split("\n"))) <= width
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == plain and painted != plain
