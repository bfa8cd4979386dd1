"""Lints that need rows or prompts: leaks, demos that do not agree, prompts beyond a model's context."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdrl.compiler.compile import Compiled, compile_spec
from sdrl.compiler.contexts import context_of
from sdrl.compiler.identities import embedded_folder
from sdrl.compiler.overlap import RUN_WORDS, Overlap, telling_words, words
from sdrl.spec.diagnostics import Diagnostic
from sdrl.spec.method_table import METHOD_TABLE
from tests.compiler.project import SPEC, write_project, write_rows

DEMOS = SPEC[SPEC.index("demos:") : SPEC.index("corpus:")]
FILE_DEMOS = SPEC.replace(DEMOS, 'demos: {files: [demos.jsonl], input: "{q}", output: "{a}"}\n')
STORY = "A farmer brings twelve crates of apples to town and sells five of them before noon; how many are left?"


def of(compiled: Compiled, code: str) -> list[Diagnostic]:
    return [item for item in compiled.diagnostics if item.code == code]


def test_a_demo_that_stands_in_a_test_set_is_named_with_its_row(tmp_path: Path) -> None:
    spec = SPEC.replace('input: "What is 2 + 3?"', 'input: "what is  4 + 1"')
    (leak,) = of(compile_spec(write_project(tmp_path, spec.replace("#### 5", "#### 5"))), "W512")
    assert leak.path == "demos.1.input" and "'test' (test.jsonl:3)" in leak.message
    line = leak.source_line or ""
    assert line[(leak.column or 0) - 1 : (leak.end_column or 0) - 1].strip('"') == "what is  4 + 1"


def test_a_shared_run_of_words_is_a_leak_and_a_shorter_one_is_not(tmp_path: Path) -> None:
    path = write_project(tmp_path, FILE_DEMOS)
    write_rows(tmp_path / "test.jsonl", [{"question": f"Now read. {STORY}", "answer": "#### 7"}])
    near = " ".join(STORY.split()[: RUN_WORDS - 1])
    write_rows(tmp_path / "demos.jsonl", [{"q": f"{near} What then?", "a": "#### 1"}, {"q": STORY, "a": "#### 7"}])
    (leak,) = of(compile_spec(path), "W512")
    assert leak.file == str(tmp_path / "demos.jsonl") and leak.line == 2
    assert "shares “a farmer brings" in leak.message and "test.jsonl:1" in leak.message


def test_a_leak_can_be_silenced_and_many_are_counted(tmp_path: Path) -> None:
    rows = [{"q": f"What is {n} + 1?", "a": f"#### {n + 1}"} for n in range(2, 8)]
    path = write_project(tmp_path, FILE_DEMOS)
    write_rows(tmp_path / "demos.jsonl", rows)
    found = of(compile_spec(path), "W512")
    assert len(found) == 5 and found[-1].message.endswith("(and 1 more)")
    path.write_text(FILE_DEMOS + "lint: {ignore: [{code: W512, reason: it is a rehearsal}]}\n")
    compiled = compile_spec(path)
    assert of(compiled, "W512") == of(compiled, "W323") == []


def test_demos_of_a_file_that_repeat_are_told_from_those_that_contradict(tmp_path: Path) -> None:
    path = write_project(tmp_path, FILE_DEMOS)
    rows = [{"q": "8 + 9?", "a": "#### 17"}, {"q": "8 + 9 ?", "a": "so #### 17.0"}, {"q": "8 + 9", "a": "#### 18"}]
    write_rows(tmp_path / "demos.jsonl", rows)
    repeated, contradicting = of(compile_spec(path), "W513")
    assert (repeated.line, contradicting.line) == (2, 3)
    assert repeated.message == "the same input as demos.jsonl:1"
    assert contradicting.message == "the same input as demos.jsonl:1, and another answer: '18', not '17'"


@given(st.lists(st.text("abcd", min_size=1, max_size=4), min_size=1, max_size=40), st.integers(0, 30))
def test_a_text_that_overlaps_holds_a_telling_word(found: list[str], start: int) -> None:
    """The quick look that spares most rows loses none."""
    text = " ".join(found)
    run = found[start : start + RUN_WORDS]
    row = " ".join(["before", *run, "after"]) if len(run) == RUN_WORDS else text.upper()
    overlap = Overlap()
    overlap.add("set", [row])
    if overlap.find(text) is not None:
        assert telling_words(text) & set(words(row))


def test_a_reply_that_does_not_fit_says_what_would(tmp_path: Path) -> None:
    spec = SPEC.replace("./base", "toy-base").replace("budget: {usd: 5}", "score: {sampling: {max_tokens: 500}}")
    compiled = compile_spec(write_project(tmp_path, spec))
    paths = [item.path for item in of(compiled, "W511")]
    assert paths == ["train.max_completion_tokens", "evaluate.0.sampling.max_tokens", "score.sampling.max_tokens"]
    (score,) = [item for item in of(compiled, "W511") if item.path.startswith("score")]
    fitting = int((score.help or "").rsplit(" ", 1)[1])
    again = compile_spec(write_project(tmp_path, spec.replace("max_tokens: 500", f"max_tokens: {fitting}")))
    assert "score.sampling.max_tokens" not in [item.path for item in of(again, "W511")]


@pytest.mark.parametrize("method", METHOD_TABLE)
def test_a_methods_prompts_are_held_against_the_context_of_the_instructor(method: str, tmp_path: Path) -> None:
    keys = f"synthesize: {{method: {method}, samples: 40, sampling: {{max_tokens: 2040}}}}"
    spec = SPEC.replace("some-model-2026-01-01", "tinyllama-1.1b").replace("synthesize: {samples: 40}", keys)
    (found,) = [item for item in of(compile_spec(write_project(tmp_path, spec)), "W511") if "synth" in item.path]
    assert found.path == "synthesize.sampling.max_tokens"
    assert f"the prompt '{METHOD_TABLE[method].prompts[0]}'" in found.message


@pytest.mark.parametrize(
    ("name", "tokens"),
    [("gpt-4o-2024-08-06", 128_000), ("Qwen/Qwen2.5-7B", 32_768), ("meta-llama/Llama-2-7b-hf", 4_096), ("own", None)],
)
def test_the_context_of_well_known_models_is_known(name: str, tokens: int | None) -> None:
    assert context_of(name, None) == tokens


def test_the_context_of_a_folder_is_what_its_config_says(tmp_path: Path) -> None:
    assert context_of("x", embedded_folder() / "toy_base") == 512
    assert context_of("gpt-4o", tmp_path) is None
    for content in ("[]", "{", json.dumps({"max_position_embeddings": "many"})):
        (tmp_path / "config.json").write_text(content)
        assert context_of("x", tmp_path) is None
