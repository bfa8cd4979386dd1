"""Lints stay silent where nothing is wrong, and a spec can silence them; what earns each one is in ``bad/W3*.yaml``."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from sdrl.compiler.compile import compile_spec
from sdrl.spec.codes import CODES
from sdrl.spec.lint_sources import kind_of
from sdrl.spec.lint_texts import fixed_words, missing_from
from sdrl.spec.loader import load_spec
from tests.compiler.project import SPEC, write_project

PROJECT = SPEC.replace("add the numbers.", "add the numbers carefully.")
CLEAN = {
    "sdrl": "1",
    "name": "a",
    "task": "{description: Add small numbers; it takes care., output_format: 'Write it after ####.', license: MIT}",
    "answer": "{type: number, extract: {marker: '####'}}",
    "corpus": "[{files: [p.jsonl], license: CC0-1.0}]",
    "evaluate": "[{name: test, file: test.jsonl}]",
}
MODELS = "{{instructor: {{model: m, price: {{input: 1, output: 2}}}}, base: {{model: {model}, prompt: {prompt}}}}}"


def codes(**changes: str) -> list[str]:
    """Codes of what is said about the clean spec with some tables replaced."""
    text = "".join(f"{key}: {value}\n" for key, value in (CLEAN | changes).items())
    return [item.code for item in load_spec("a.yaml", text=text).diagnostics]


def task(output_format: str, *, license_: str = "MIT", language: str = "en", more: str = "") -> str:
    return (
        "{description: Add numbers in stories; it takes care., output_format: "
        f'"{output_format}", license: {license_}, language: {language}{more}}}'
    )


def test_a_clean_spec_has_no_warning() -> None:
    assert codes() == []


@pytest.mark.parametrize(
    ("answer", "output_format"),
    [
        ("{type: number, extract: {last_number: true}}", "End with how many there are."),
        ("{type: number, extract: {last_number: true}}", "Schreibe das Ergebnis ans Ende."),
        ("{type: number, extract: {regex: '(?i)the answer is:? *([0-9]+)'}}", "Say: The answer is N."),
        ("{type: number, extract: {regex: '(?:result|answer) = ([0-9]+)'}}", "Write it as x = N."),
        ("{type: text, extract: {regex: '\\[\\[(.*)\\]\\]'}}", "Put it in the double brackets."),
        ("{type: number, extract: {json: total.amount}}", "Write JSON with the amount of the total."),
        ("{type: choice, extract: {tag: answer}, options: [A, B]}", "Write A or B between <answer> and </answer>."),
        ("{type: choice, extract: {tag: answer}, options: [A, B]}", "Put the option in <ANSWER></ANSWER>."),
        ("{type: boolean, extract: {tag: a}, options: {true: [yes, y], false: [no]}}", "Yes or no, as <a>no</a>."),
        ("{type: label, extract: {tag: a}, options: {pos: [good, +], neg: [bad]}}", "Write good or bad as <a>good</a>"),
    ],
)
def test_a_format_that_says_where_the_answer_stands_is_enough(answer: str, output_format: str) -> None:
    assert codes(answer=answer, task=task(output_format.replace("\\", "\\\\"))) == []


SOLVED = {"demos": "[{input: What is 2 + 2?, output: '2 and 2 are 4. #### 4'}]", "corpus": "[]", "vote": "{draws: 1}"}


@pytest.mark.parametrize(
    ("method", "algorithm", "expected"),
    [
        ("metamath-answers", "grpo", ["W328"]),
        ("metamath-answers", "rft", ["W328"]),
        ("metamath-answers", "sft", []),
        ("metamath-rephrase", "grpo", []),
        ("grounded", "grpo", ["W301", "W319"]),
    ],
)
def test_forms_of_demos_need_neither_passages_nor_many_votes_and_solutions_need_fine_tuning(
    method: str, algorithm: str, expected: list[str]
) -> None:
    train = f"{{algorithm: {algorithm}, learning_rate: 2e-5}}"
    assert codes(**SOLVED, synthesize=f"{{method: {method}}}", train=train) == expected


def test_the_words_may_stand_in_the_input_format() -> None:
    answer = "{type: label, extract: {tag: a}, options: [entails, contradicts]}"
    format_ = task("Write the label as <a>…</a>.", more=", input_format: It asks whether it entails or contradicts.")
    assert codes(answer=answer, task=format_) == []


def test_a_marker_is_named_as_it_is_read() -> None:
    assert codes(answer="{type: number, extract: {marker: 'Answer:'}}", task=task("Write it after ANSWER: .")) == [
        "W306"
    ]


@pytest.mark.parametrize(
    "description",
    [
        "Question answering in elementary mathematics. Each task is a word problem that needs basic arithmetic.",
        "Classify clinical sentences as related or not. Needs medical knowledge.",
        "Translate legal letters from German to English with precise terminology.",
        "Solve chess puzzles by deep calculation.",
        "Solve a problem in {subject} by careful reasoning.",
        "Multiple-choice questions on {subject}; knowledge of the field and clear thinking are needed.",
        "Extract the invoice total from scanned text. Requires attention to layout.",
        "Beantworte Fragen zur Geschichte Roms und begründe jede Antwort mit genauem Lesen der Quellen.",
        "判断两句话之间的关系,需要仔细阅读和医学知识。",
        "Write SQL for a question about a database. The model must understand schemas and joins.",
        "Detect sarcasm in headlines; requires understanding irony.",
        "Add and subtract small numbers. It takes arithmetic.",
    ],
)
def test_a_description_with_task_type_domain_and_skill_passes(description: str) -> None:
    assert missing_from(description) == []


@pytest.mark.parametrize(
    ("description", "missing"),
    [
        ("Maths.", ["the task type", "the domain", "the skill it needs"]),
        ("Classify movie reviews as positive or negative.", ["the skill it needs"]),
        ("Medical texts for the clinic with deep knowledge of the field.", ["the task type"]),
        ("Answer the following question with careful reasoning.", ["the domain"]),
    ],
)
def test_a_description_is_told_what_it_lacks(description: str, missing: list[str]) -> None:
    assert missing_from(description) == missing


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (r"answer is ([0-9]+)", "answer is"),
        (r"(?i)the final answer:\s*(\S+)", "the final answer"),
        (r"(yes|no)", ""),
        (r"(?:the answer is )?([0-9]+)", ""),
        (r"answers? ([0-9]+)", "answer"),
        (r"[a-z ]{4,}", ""),
        (r"\\boxed\{(.*)\}", "boxed"),
    ],
)
def test_the_fixed_words_of_a_pattern(pattern: str, words: str) -> None:
    assert fixed_words(pattern) == words


@pytest.mark.parametrize(
    "demos",
    [
        '[{input: 1 + 1, output: "#### 2"}, {input: 1 + 2, output: "#### 3"}]',
        '[{input: 6 / 2 + 1, output: "6 / 2 = 3 and 3 + 1 = 4\\n#### 4"}]',
        '[{input: 1 + 1, output: "It is 2, so #### 2\\n#### 2"}]',
        "{files: [demos.jsonl]}",
    ],
)
def test_demos_that_agree_are_left_alone(demos: str) -> None:
    assert codes(demos=demos) == []


def test_demos_of_one_text_with_other_options_are_two() -> None:
    demos = (
        "[{input: Which?, output: '<a>A</a>', options: {A: x, B: y}},"
        " {input: Which?, output: '<a>B</a>', options: {A: z, B: y}}]"
    )
    answer = "{type: choice, extract: {tag: a}, options: [A, B]}"
    assert codes(demos=demos, answer=answer, task=task("Write the letter as <a>…</a>.")) == []


def test_what_is_thought_is_no_second_answer() -> None:
    demos = "[{input: q, output: '<think>Perhaps #### 3, no.</think> It is four. #### 4'}]"
    text = task("Reason between <think> and </think>, then write it after ####.")
    assert codes(demos=demos, task=text) == []


def test_a_first_answer_is_compared_where_the_first_is_taken() -> None:
    demos = "[{input: q, output: 'so #### 1\n\n#### 1'}, {input: Q, output: 'so #### 1'}]"  # a repeat, no contradiction
    text = "".join(f"{key}: {value}\n" for key, value in (CLEAN | {"demos": demos}).items())
    [item] = load_spec("a.yaml", text=text.replace("'####'}}", "'####'}, take: first}")).diagnostics
    assert (item.code, item.message) == ("W310", "the same input as demos.0")


@pytest.mark.parametrize(
    "answer",
    [
        "{type: label, extract: {tag: a}, options: [strongly agree, agree, disagree]}",
        "{type: label, extract: {tag: a}, options: [toxic, not toxic]}",
        "{type: label, extract: {tag: a}, options: [C, C++, D]}",
        "{type: label, extract: {tag: a}, options: [A, A-, B]}",
        "{type: label, extract: {tag: a}, options: {good: [good, good enough], bad: [bad]}}",
        "{type: label, extract: {tag: a}, options: [да, нет]}",
        "{type: label, extract: {tag: a}, options: [cat, category]}",
        "{type: boolean, extract: {tag: a}, options: {true: [yes, true], false: [no, false]}}",
        "{type: choice, extract: {tag: a}, options: [A, B, C, D, E, F, G, H, I, J, K, L]}",
        "{type: choice, extract: {tag: a}, options: [1, 2, 3, 4]}",
    ],
)
def test_options_that_differ_are_left_alone(answer: str) -> None:
    format_ = task("As <a>…</a>.", language="xx")
    assert "W312" not in codes(answer=answer, task=format_)


@pytest.mark.parametrize(
    ("table", "value"),
    [
        ("budget", "{requests: 1000}"),
        ("budget", "{tokens: 20M, usd: 150}"),
        ("validate", "{share: 0.05}"),
        ("train", "{max_completion_tokens: 2048, reward: {correct: 1, parsable: 0.1, wrong: -1}}"),
        ("train", "{algorithm: sft, learning_rate: 2e-5, reward: {correct: 0}}"),
        ("train", "{algorithm: rloo}"),
        ("train", "{lora: {rank: 8}, learning_rate: 1e-6}"),
        ("score", "{draws: 4}"),
        ("select", "{order: all, samples: 5000}"),
        ("select", "{samples: 1000}"),
        ("vote", "{draws: 2}"),
        ("vote", "{draws: 1, include_generated: true}"),
        ("vote", "{draws: 8, min_agreement: 0.25}"),
        ("vote", "{draws: 1, sampling: {temperature: 0}, include_generated: true}"),
        ("vote", "{sampling: {temperature: null, top_p: 0.5, top_k: 2}}"),
        ("demos", "{dataset: openai/gsm8k, split: train}"),
    ],
)
def test_numbers_that_can_work_are_left_alone(table: str, value: str) -> None:
    models = MODELS.format(model="Qwen/Qwen2.5-7B", prompt="raw")
    assert codes(models=models, **{table: value}) == []


@pytest.mark.parametrize("preset", ["recommended", "paper", "released-code"])
def test_no_preset_is_warned_about(preset: str) -> None:
    assert codes(extends=preset) == []


@pytest.mark.parametrize(
    ("train", "extends", "advised"),
    [
        ("{algorithm: sft}", "paper", "2e-5"),
        ("{algorithm: rft}", "released-code", "2e-5"),
        ("{lora: {}}", "recommended", "1e-5"),
        ("{algorithm: rft, lora: {rank: 8}}", "recommended", "0.0002"),
        ("{algorithm: sft}", "released-code", None),
    ],
)
def test_the_presets_learning_rate_is_for_what_the_preset_trains(train: str, extends: str, advised: str | None) -> None:
    """The released code itself trains its SFT baseline at GRPO's rate."""
    text = "".join(f"{key}: {value}\n" for key, value in (CLEAN | {"train": train, "extends": extends}).items())
    found = [(item.code, item.help) for item in load_spec("a.yaml", text=text).diagnostics]
    assert found == ([] if advised is None else [("W327", f"write train.learning_rate, say {advised}")])


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("Qwen/Qwen2.5-7B", "base"),
        ("Qwen/Qwen2.5-Math-1.5B", "base"),
        ("Qwen/Qwen2.5-7B-Instruct", "chat"),
        ("Qwen/Qwen3-8B", "chat"),
        ("Qwen/Qwen3-30B-A3B", "chat"),
        ("Qwen/Qwen3-8B-Base", "base"),
        ("google/gemma-2-9b-it", "chat"),
        ("google/gemma-3-4b-pt", "base"),
        ("meta-llama/Llama-3.2-3B", "base"),
        ("meta-llama/Llama-2-7b-chat-hf", "chat"),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", "chat"),
        ("HuggingFaceH4/mistral-7b-sft-beta", "chat"),
        ("allenai/OLMo-2-1124-7B-DPO", "chat"),
        ("mistralai/Mistral-7B-v0.3", "base"),
        ("mistralai/Mistral-7B-Instruct-v0.3", "chat"),
        ("EleutherAI/pythia-1.4b", "base"),
        ("toy-base", "base"),
        ("./checkpoints/run-7", ""),
        ("./chatbots/my-model", ""),
        ("acme/italian-7b", ""),
        ("acme/instructional-7b", ""),
    ],
)
def test_a_name_says_chat_or_base_or_nothing(model: str, kind: str) -> None:
    assert kind_of(model) == kind


@pytest.mark.parametrize(
    ("theirs", "ours", "code"),
    [
        ("CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", None),
        ("CC BY-NC 4.0", "MIT", "W314"),
        ("CC-BY-NC-SA-4.0", "CC-BY-NC-4.0", "W315"),
        ("research use only", "Apache-2.0", "W314"),
        ("CC-BY-NC-4.0", "PhysioNet-Credentialed-1.5.0", None),
        ("CC-BY-NC-4.0", "for our own use", None),
        ("CC-BY-SA-3.0", "CC-BY-SA-4.0", None),
        ("CC-BY-SA-4.0", "GPL-3.0-or-later", None),
        ("CC-BY-SA-4.0", "CC-BY-NC-SA-4.0", "W315"),
        ("CC-BY-4.0", "MIT", None),
        ("GPL-3.0-only", "MIT", None),
        ("INCOSE terms", "MIT", None),
        ("CC-BY-ND-4.0", "CC-BY-ND-4.0", "W314"),
    ],
)
def test_licences_conflict_or_do_not(theirs: str, ours: str, code: str | None) -> None:
    found = codes(corpus=f"[{{files: [p.jsonl], license: {theirs}}}]", task=task("Write it after ####.", license_=ours))
    assert found == ([code] if code else [])


@pytest.mark.parametrize(
    ("demos", "evaluation", "leaks"),
    [
        ("{dataset: a/b, split: train}", "dataset: a/b", False),
        ("{dataset: a/b, split: test}", "dataset: a/b", True),
        ("{dataset: a/b, config: x, split: test}", "dataset: a/b, config: y", False),
        ("{dataset: a/b, split: 'train[:80%]'}", "dataset: a/b, split: 'train[80%:]'", False),
        ("{dataset: a/b, split: 'train[:80%]'}", "dataset: a/b, split: train", True),
        ("{files: [data/train.jsonl]}", "file: data/test.jsonl", False),
        ("{files: [./data/test.jsonl]}", "file: data/test.jsonl", True),
        ("{files: [data/*.jsonl]}", "file: data/test.jsonl", True),
    ],
)
def test_a_test_set_leaks_when_it_is_a_source(demos: str, evaluation: str, leaks: bool) -> None:
    assert codes(demos=demos, evaluate=f"[{{name: t, {evaluation}}}]") == (["W316"] if leaks else [])


def test_a_silenced_warning_is_silent_and_others_are_not() -> None:
    ignore = "{ignore: [{code: W301, reason: closed book}, {code: W302, reason: for ourselves}]}"
    bare = "{description: Add numbers in stories; it takes care., output_format: 'Write it after ####.'}"
    assert codes(task=bare, corpus="[]", evaluate="[]", lint=ignore) == ["W304"]


def test_a_bare_code_silences_and_is_asked_for_its_reason() -> None:
    assert codes(corpus="[]", lint="{ignore: [W301]}") == ["W324"]
    assert codes(corpus="[]", lint="{ignore: [{code: W301}]}") == ["W324"]


def test_what_is_said_about_silences_can_be_silenced_too() -> None:
    ignore = "{ignore: [W301, {code: W324, reason: reasons stand in the commit message}]}"
    assert codes(corpus="[]", lint=ignore) == []


def test_an_error_cannot_be_silenced() -> None:
    assert codes(lint="{ignore: [E301]}") == ["E207"]
    assert codes(lint="{ignore: [{code: E301, reason: no}]}") == ["E207"]


def test_the_compiler_keeps_to_the_same_list(tmp_path: Path) -> None:
    data = yaml.safe_load(PROJECT)
    del data["models"], data["budget"]

    def compiled(ignore: list[object]) -> list[str]:
        path = write_project(tmp_path, yaml.safe_dump(data | {"lint": {"ignore": ignore}}))
        return [item.code for item in compile_spec(path).diagnostics]

    silenced = {"code": "W503", "reason": "data only"}
    assert compiled([]) == ["W503"]
    assert compiled([silenced]) == []
    assert compiled(["W503"]) == ["W324"]
    assert compiled([silenced, {"code": "W501", "reason": "not on every machine"}]) == []


def test_a_compilers_silence_without_effect_is_reported_when_compiled(tmp_path: Path) -> None:
    path = write_project(
        tmp_path, PROJECT.replace("usd: 5}", "usd: 50}") + "lint: {ignore: [{code: W503, reason: none yet}]}\n"
    )
    assert load_spec(path).diagnostics == ()
    assert [item.code for item in compile_spec(path).diagnostics] == ["W323"]


@pytest.mark.parametrize("code", [code for code in CODES.values() if code.code.startswith("W3")], ids=lambda c: c.code)
def test_the_good_example_of_a_lint_does_not_earn_it(code: object) -> None:
    text = code.good  # type: ignore[attr-defined]
    tables = yaml.safe_load(text) if not text.startswith(("base:", "options:")) else {}
    if not isinstance(tables, dict):
        tables = {}
    changes = {key: yaml.safe_dump(value, default_flow_style=True).strip() for key, value in tables.items()}
    assert code.code not in codes(**changes)  # type: ignore[attr-defined]
