"""What changes which stage's hash: every settings key is in exactly one table."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdrl.compiler.compile import compile_spec
from sdrl.compiler.graph import NOT_HASHED, PARENTS, RESOLVED, SETTINGS
from sdrl.compiler.plan import STAGES, Plan
from tests.compiler.project import SPEC, write_project


def plan_of(folder: Path, *changes: tuple[str, str]) -> Plan:
    text = SPEC
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    compiled = compile_spec(write_project(folder, text))
    assert compiled.plan is not None, compiled.diagnostics
    return compiled.plan


def changed(a: Plan, b: Plan) -> set[str]:
    return {stage.name for stage in a.stages if stage.hash != b.stage(stage.name).hash}


def downstream(*names: str) -> set[str]:
    found = set(names)
    for stage in STAGES:
        if found & set(PARENTS[stage]):
            found.add(stage)
    return found


@pytest.mark.parametrize(
    ("before", "after", "first"),
    [
        ("epochs: 2", "epochs: 3", ("train",)),
        ("select: {samples: 20", "select: {samples: 21", ("score",)),  # adaptive: draws until M places are settled
        ("select: {samples: 20, min: 5}", "select: {samples: 20, min: 3}", ("select",)),
        ("vote: {draws: 8}", "vote: {draws: 9}", ("vote", "adapt")),
        ("synthesize: {samples: 40}", "synthesize: {samples: 41}", ("generate", "vote")),
        ("synthesize: {samples: 40}", "synthesize: {samples: 40}\nscore: {draws: 32}", ("score",)),
        ("some-model-2026-01-01", "some-model-2026-02-02", ("keywords", "pattern", "generate", "vote", "adapt")),
        (
            "    file: test.jsonl\n",
            "    file: test.jsonl\n    runs: 2\n    sampling: {temperature: 1}\n",
            ("evaluate",),
        ),
        ("seed: 7", "seed: 8", STAGES),
        ("synthesize: {samples: 40}", "synthesize: {samples: 40}\nretrieve: {passages: 3}", ("retrieve",)),
    ],
)
def test_a_setting_re_runs_its_stage_and_what_follows(
    tmp_path: Path, before: str, after: str, first: tuple[str, ...]
) -> None:
    a, b = plan_of(tmp_path / "a"), plan_of(tmp_path / "b", (before, after))
    assert changed(a, b) == downstream(*first)
    assert a.hash != b.hash


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("price: {input: 2.5, output: 10}", "price: {input: 1, output: 2}"),
        ("base: {model: ./base", "base: {concurrency: 3, model: ./base"),
        ("instructor: {model", "instructor: {key_env: OTHER_KEY, concurrency: 9, model"),
        ("http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1"),
        ("budget: {usd: 5}", "budget: {usd: 50, requests: 10k}"),
        ("name: sums", "name: other-name"),
        ("license: CC0-1.0\nanswer", "license: MIT\nanswer"),
        ("seed: 7", "seed: 7  # a comment"),
    ],
)
def test_prices_places_limits_and_names_change_no_hash(tmp_path: Path, before: str, after: str) -> None:
    a, b = plan_of(tmp_path / "a"), plan_of(tmp_path / "b", (before, after))
    assert a.hash == b.hash
    assert changed(a, b) == set()


def test_a_moved_corpus_file_changes_nothing_and_a_changed_one_re_runs_retrieve(tmp_path: Path) -> None:
    a = plan_of(tmp_path / "a")
    spec = write_project(tmp_path / "b", SPEC.replace("passages.jsonl", "moved.jsonl"))
    (tmp_path / "b" / "passages.jsonl").rename(tmp_path / "b" / "moved.jsonl")
    moved = compile_spec(spec).plan
    assert moved is not None and moved.hash == a.hash
    (tmp_path / "b" / "moved.jsonl").write_text('{"text": "other"}\n')
    edited = compile_spec(spec).plan
    assert edited is not None and changed(a, edited) == downstream("retrieve")


def test_the_order_of_the_parts_deals_out_the_attempts_and_so_is_hashed(tmp_path: Path) -> None:
    parts = ["  - {name: a, share: 0.5}\n", "  - {name: b, share: 0.5}\n"]
    a = plan_of(tmp_path / "a", ("synthesize:", f"parts:\n{''.join(parts)}synthesize:"))
    b = plan_of(tmp_path / "b", ("synthesize:", f"parts:\n{''.join(reversed(parts))}synthesize:"))
    assert changed(a, b) >= {"keywords", "pattern", "generate", "vote", "evaluate"}


def test_changed_weights_re_run_what_the_base_model_answers(tmp_path: Path) -> None:
    a = plan_of(tmp_path / "a")
    spec = write_project(tmp_path / "b")
    (tmp_path / "b" / "base" / "model.safetensors").write_bytes(b"other weights")
    b = compile_spec(spec).plan
    assert b is not None and changed(a, b) == downstream("probe")


def test_every_settings_key_is_hashed_resolved_or_declared_harmless_exactly_once(tmp_path: Path) -> None:
    hashed = {path for paths in SETTINGS.values() for path in paths}
    tables = {"hashed": hashed, "resolved": set(RESOLVED), "harmless": set(NOT_HASHED)}
    covered: dict[str, set[str]] = {}
    dumped = plan_of(tmp_path).settings.model_dump(mode="json", by_alias=True)
    for leaf in _leaves(dumped):
        covered[leaf] = {name for name, paths in tables.items() if any(_under(leaf, path) for path in paths)}
    assert {leaf: names for leaf, names in covered.items() if len(names) != 1} == {}


def _leaves(value: object, path: str = "", depth: int = 0) -> list[str]:
    if isinstance(value, dict) and value and depth < 3:
        return [leaf for key, item in value.items() for leaf in _leaves(item, f"{path}.{key}".lstrip("."), depth + 1)]
    return [path]


def _under(leaf: str, path: str) -> bool:
    return leaf == path or leaf.startswith(f"{path}.")


def test_parents_come_before_their_children() -> None:
    for index, stage in enumerate(STAGES):
        assert set(PARENTS[stage]) <= set(STAGES[:index])
