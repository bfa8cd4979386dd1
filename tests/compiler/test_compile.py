"""From spec to plan: parts, resources, what is pending, and every problem at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdrl.compiler.compile import compile_spec
from sdrl.compiler.parts import fill_params
from sdrl.spec.diagnostics import SdrlError
from tests.compiler.project import SPEC, write_project

PARTS = """\
parts:
  - {name: algebra, params: {subject: Algebra}, share: 0.5}
  - {name: geometry, params: {subject: Geometry}}
  - {name: history, params: {subject: History, form: "{{x}}"}, demos: []}
params: {form: a sum}
"""


def test_parts_fill_in_their_parameters_and_share_the_rest(tmp_path: Path) -> None:
    spec = SPEC.replace("answer:\n", PARTS + "answer:\n").replace("about sums;", "in {subject} about {form};")
    plan = compile_spec(write_project(tmp_path, spec)).plan
    assert plan is not None
    assert [(part.name, part.share) for part in plan.parts] == [("algebra", 0.5), ("geometry", 0.25), ("history", 0.25)]
    assert plan.parts[1].description == "Question answering in Geometry about a sum; add the numbers."
    assert "{{x}}" in plan.parts[2].description
    assert [len(part.demos) for part in plan.parts] == [2, 2, 0]


@pytest.mark.parametrize(
    ("text", "params", "expected"),
    [
        ("in {subject}", {"subject": "{other}"}, "in {other}"),
        (r"\boxed{{}} of {subject}", {"subject": "Algebra"}, r"\boxed{} of Algebra"),
        (r"\boxed{x} { subject }", {"subject": "Algebra"}, r"\boxed{x} { subject }"),
        ("{{ x }} {subject}", {}, "{{ x }} {subject}"),
    ],
)
def test_parameters_are_filled_in_once(text: str, params: dict[str, str], expected: str) -> None:
    assert fill_params(text, params) == expected


def test_a_spec_without_models_compiles_and_says_that_it_cannot_run(tmp_path: Path) -> None:
    spec = SPEC[: SPEC.index("models:")] + SPEC[SPEC.index("train:") :].replace("budget: {usd: 5}\n", "")
    compiled = compile_spec(write_project(tmp_path, spec))
    assert compiled.plan is not None, compiled.diagnostics
    assert "W503" in [item.code for item in compiled.diagnostics]
    assert compiled.plan.identities == {}


def test_hub_resources_are_pending_and_named_at_their_place(tmp_path: Path) -> None:
    spec = SPEC.replace("{files: [passages.jsonl],", "{dataset: owner/passages, split: train,").replace("./base", "a/b")
    compiled = compile_spec(write_project(tmp_path, spec))
    assert compiled.plan is not None
    assert compiled.plan.pending == (
        "corpus.0: data set owner/passages:train@main",
        "models.base: hub model a/b@main",
    )
    assert [item.path for item in compiled.diagnostics if item.code == "W501"] == ["corpus.0", "models.base"]


def test_a_pinned_revision_is_not_pending(tmp_path: Path) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    spec = SPEC.replace("./base", f"a/b, revision: {commit}")
    plan = compile_spec(write_project(tmp_path, spec)).plan
    assert plan is not None
    assert plan.pending == ()
    assert plan.identities["base"] == f"a/b@{commit}"


@pytest.mark.parametrize(
    ("before", "after", "code", "path"),
    [
        ("[passages.jsonl]", "[none/*.jsonl]", "E542", "corpus.0.files.0"),
        ("[passages.jsonl]", "[sums.yaml]", "E542", "corpus.0.files"),
        ("./base", "./nowhere", "E547", "models.base.model"),
        ("./base", "./empty", "E547", "models.base.model"),
        ("{marker: \"####\"}\ndemos", "{regex: \"(\"}\ndemos", "E402", "answer.extract.regex"),
    ],
)  # fmt: skip
def test_missing_resources_are_reported_where_the_spec_names_them(
    tmp_path: Path, before: str, after: str, code: str, path: str
) -> None:
    assert before in SPEC
    spec = write_project(tmp_path, SPEC.replace(before, after, 1))
    (tmp_path / "empty").mkdir()
    compiled = compile_spec(spec)
    found = [item for item in compiled.diagnostics if item.is_error]
    assert [(item.code, item.path) for item in found] == [(code, path)]
    assert found[0].line is not None and found[0].help


def test_an_empty_corpus_file_is_reported(tmp_path: Path) -> None:
    spec = write_project(tmp_path)
    for content in ("", "\n\n"):
        (tmp_path / "passages.jsonl").write_text(content)
        assert [item.code for item in compile_spec(spec).diagnostics if item.is_error] == ["E543"]


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    spec = SPEC.replace("[passages.jsonl]", "[none.jsonl]").replace("./base", "./nowhere").replace("#### 5", "5")
    compiled = compile_spec(write_project(tmp_path, spec))
    assert {item.code for item in compiled.diagnostics if item.is_error} == {"E410", "E542", "E547"}
    with pytest.raises(SdrlError, match="3 errors") as caught:
        compiled.require()
    assert caught.value.diagnostics == compiled.diagnostics


def test_every_value_shows_where_it_comes_from(tmp_path: Path) -> None:
    plan = compile_spec(write_project(tmp_path)).plan
    assert plan is not None
    assert plan.origins["vote.draws"].startswith("spec:")
    assert plan.origins["adapt.rounds"] in ("default", "preset:recommended")


def test_the_estimate_adds_up_and_worst_is_never_below_expected(tmp_path: Path) -> None:
    plan = compile_spec(write_project(tmp_path)).plan
    assert plan is not None
    stages = {entry["stage"]: entry for entry in plan.estimate["stages"]}
    for entry in stages.values():
        assert all(entry["worst"][key] >= entry["expected"][key] for key in entry["expected"])
    total = plan.estimate["instructor"]
    for case in ("expected", "worst"):
        asked = [entry[case] for entry in stages.values() if entry["asks"] == "instructor"]
        assert total[case]["draws"] == sum(load["draws"] for load in asked)
        load = total[case]
        exact = (load["prompt_tokens"] * 25 + load["completion_tokens"] * 100) / 10
        rounding = load["requests"] if case == "worst" else 0  # a run rounds each request up
        assert exact <= load["microusd"] <= exact + rounding + len(asked)
    assert stages["evaluate"]["expected"]["draws"] == 12
    assert plan.estimate["training"] == {"samples": 20, "updates": 10, "completions": 640}


def test_updates_are_those_of_all_that_is_learned(tmp_path: Path) -> None:
    """Three rows a step, 20 samples, two epochs: SFT has short batches, RFT up to four draws a sample."""
    for algorithm, updates in (("sft", 14), ("rft", 54)):
        train = f"train: {{algorithm: {algorithm}, prompts_per_step: 3, epochs: 2, learning_rate: 2e-5}}"
        spec = write_project(tmp_path / algorithm, SPEC.replace("train: {epochs: 2, learning_rate: 1e-6}", train))
        training = compile_spec(spec).require().estimate["training"]
        assert training == {"samples": 20, "updates": updates, "completions": 0}
