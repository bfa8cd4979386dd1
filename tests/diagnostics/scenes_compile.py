"""Scenes of `sdrl validate` and `sdrl compile`: files that are no specs, templates, demos, data files, models."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from unittest import mock

from tests.compiler.project import SPEC, write_project
from tests.diagnostics.scene import ROOT, Stage, scene

CHAT = SPEC.replace("prompt: raw", "prompt: chat, system: Be brief.")
FILE_DEMOS = (
    SPEC[: SPEC.index("demos:")]
    + 'demos: {files: [demos.jsonl], input: "{q}", output: "{a}"}\n'
    + SPEC[SPEC.index("corpus:") :]
)
BRIEF = """\
sdrl: 1
name: sums
task: {description: Add the numbers., output_format: "Write the number after ####.", license: CC0-1.0}
answer: {type: number, extract: {marker: "####"}}
corpus: [{files: [passages.jsonl], license: CC0-1.0}]
evaluate: [{name: test, file: test.jsonl, input: "{question}", gold: {field: answer, extract: {marker: "####"}}}]
"""


def compiled(stage: Stage, spec: str = SPEC) -> None:
    """Compile the project with this spec."""
    write_project(stage.folder, spec)
    stage.sdrl("compile", "sums.yaml")


def with_template(stage: Stage, source: str, name: str = "answer") -> None:
    """Compile the project with an own template for one prompt."""
    stage.write(f"{name}.jinja", source)
    compiled(stage, SPEC + f"prompts: {{{name}: {{file: {name}.jinja}}}}\n")


def changed(before: str, after: str, spec: str = SPEC) -> str:
    """A spec with one change."""
    assert before in spec, before
    return spec.replace(before, after)


@contextlib.contextmanager
def no_hub() -> Iterator[None]:
    """The hub's own library, told that there is no network (it reads the variable when it is imported)."""
    with mock.patch("huggingface_hub.constants.HF_HUB_OFFLINE", True):
        yield


@scene("E101")
def no_such_file(stage: Stage) -> None:
    stage.sdrl("validate", "spces/gsm8k.yaml")


@scene("E102")
def a_spec_with_all_its_data_inside(stage: Stage) -> None:
    stage.write("big.yaml", b"# data\n" * 150_000)
    stage.sdrl("validate", "big.yaml")


@scene("E107")
def ten_thousand_demos_in_the_spec(stage: Stage) -> None:
    rows = "  - {input: What is 1 + 1?, output: '#### 2'}\n" * 10_000
    stage.write("many.yaml", f"{BRIEF}demos:\n{rows}")
    stage.sdrl("validate", "many.yaml")


@scene("E301")
def a_template_with_an_open_brace(stage: Stage) -> None:
    with_template(stage, "Solve this problem:\n{{ input }\n")


@scene("E302")
def a_template_with_an_unknown_variable(stage: Stage) -> None:
    with_template(stage, "{{ input }}\nHint: {{ question }}\n")


@scene("E304")
def a_template_that_divides_a_text(stage: Stage) -> None:
    with_template(stage, "{{ input }} {{ input / 2 }}\n")


@scene("E305")
def a_chat_template_that_takes_no_system_message(stage: Stage) -> None:
    template = "{% if messages[0].role == 'system' %}{{ raise_exception('no system message here') }}{% endif %}"
    write_project(stage.folder)
    stage.write("base/tokenizer_config.json", json.dumps({"chat_template": template}))
    stage.write("sums.yaml", CHAT)
    stage.sdrl("compile", "sums.yaml")


@scene("E306")
def a_template_without_the_problem(stage: Stage) -> None:
    with_template(stage, "Solve the problem.\n")


@scene("E401")
def a_program_that_is_not_installed(stage: Stage) -> None:
    stage.write("sql.yaml", changed('{type: number, extract: {marker: "####"}}', SQL, BRIEF))
    stage.write("passages.jsonl", '{"text": "Tables have rows."}\n')
    stage.write("test.jsonl", '{"question": "All rows?", "answer": "#### SELECT * FROM t"}\n')
    stage.sdrl("compile", "sql.yaml")


SQL = '{type: program, extract: {marker: "####"}, entry_point: text-to-sql}'


@scene("E410")
def a_demo_in_another_format(stage: Stage) -> None:
    compiled(stage, changed("2 + 3 = 5\\n#### 5", "2 + 3 = 5\\nThe answer is 5"))


@scene("E411")
def a_program_that_cannot_read_what_it_wrote(stage: Stage) -> None:
    metadata = "Metadata-Version: 2.1\nName: letters\nVersion: 1.0\n"
    stage.write("installed/letters-1.0.dist-info/METADATA", metadata)
    stage.write("installed/letters-1.0.dist-info/entry_points.txt", "[sdrl.verifiers]\nletters = letters:Letters\n")
    stage.write("installed/letters.py", LETTERS)
    answer = '{type: program, extract: {marker: "####"}, entry_point: letters}'
    spec = changed('{type: number, extract: {marker: "####"}}', answer, BRIEF)
    write_project(
        stage.folder, spec[: spec.index("evaluate:")] + 'demos: [{input: All rows?, output: "#### SELECT"}]\n'
    )
    with mock.patch.object(sys, "path", [str(stage.folder / "installed"), *sys.path]):
        stage.sdrl("compile", "sums.yaml")


LETTERS = """\
class Letters:
    def read(self, slot, options):
        return slot.lower() if slot.isupper() else None

    def same(self, prediction, gold):
        return prediction == gold
"""


@scene("E412")
def an_instruction_with_an_answer_in_it(stage: Stage) -> None:
    compiled(stage, changed("write the number after ####.", "write it as in #### 5"))


@scene("E413")
def a_pattern_that_looks_far_ahead(stage: Stage) -> None:
    compiled(stage, changed('  extract: {marker: "####"}', "  extract: {regex: '([0-9])(?:.*points)?'}"))


@scene("E414")
def an_extractor_that_bears_no_other_form(stage: Stage) -> None:
    compiled(stage, changed('  extract: {marker: "####"}', "  extract: {regex: '#### ([0-9]+)$'}"))


@scene("E501")
def an_installation_without_its_specs(stage: Stage) -> None:
    copied = stage.folder / "site-packages" / "sdrl"
    shutil.copytree(ROOT / "sdrl", copied, ignore=shutil.ignore_patterns("embedded", "__pycache__", "_*s"))
    words = [sys.executable, "-m", "sdrl", "init"]
    done = subprocess.run(words, cwd=copied.parent, env={"PATH": ""}, capture_output=True, text=True, check=False)
    stage.said.append(f"$ sdrl init\n{done.stdout}{done.stderr}(exit {done.returncode})\n")


@scene("E520")
def a_model_of_seven_billion_on_one_small_gpu(stage: Stage) -> None:
    sized = changed("seed: 7", "hardware: {gpus: 1, memory_gb: 24}\nseed: 7")
    write_project(stage.folder, sized)
    shape = {
        "model_type": "qwen2",
        "hidden_size": 3584,
        "intermediate_size": 18944,
        "num_hidden_layers": 28,
        "num_attention_heads": 28,
        "num_key_value_heads": 4,
        "vocab_size": 152064,
    }
    stage.write("base/config.json", json.dumps(shape))
    stage.sdrl("compile", "sums.yaml")


@scene("E521")
def three_gpus_for_sixty_four_completions(stage: Stage) -> None:
    compiled(stage, changed("seed: 7", "hardware: {gpus: 3}\nseed: 7"))


@scene("E522")
def a_server_on_more_gpus_than_there_are(stage: Stage) -> None:
    served = changed("serve: embedded", "serve: vllm, server: {tensor_parallel: 8}")
    compiled(stage, changed("seed: 7", "hardware: {gpus: 4}\nseed: 7", served))


@scene("E542")
def a_corpus_that_is_not_there(stage: Stage) -> None:
    compiled(stage, changed("[passages.jsonl]", "[passage/*.jsonl]"))


@scene("E543")
def a_corpus_file_without_rows(stage: Stage) -> None:
    stage.write("empty.jsonl", "")
    compiled(stage, changed("[passages.jsonl]", "[empty.jsonl]"))


@scene("E544")
def an_evaluation_row_without_its_gold(stage: Stage) -> None:
    compiled(stage, changed("field: answer", "field: answr"))


@scene("E545")
def a_demo_row_without_its_field(stage: Stage) -> None:
    stage.write("demos.jsonl", '{"q": "What is 1 + 1?", "a": "#### 2"}\n{"q": "What is 2 + 3?"}\n')
    compiled(stage, FILE_DEMOS)


@scene("E546")
def a_hub_out_of_reach(stage: Stage) -> None:
    write_project(stage.folder, changed("./base", "owner/model"))
    with no_hub():
        stage.sdrl("compile", "sums.yaml", "--pin")


@scene("E547")
def a_folder_of_checkpoints(stage: Stage) -> None:
    stage.write("checkpoints/step-100/config.json", "{}")
    compiled(stage, changed("./base", "./checkpoints"))


@scene("E548")
def a_base_model_asked_to_chat(stage: Stage) -> None:
    compiled(stage, CHAT)


@scene("W501")
def a_hub_model_that_was_not_looked_up(stage: Stage) -> None:
    compiled(stage, changed("./base", "owner/model"))


@scene("W503")
def a_spec_before_a_model_is_chosen(stage: Stage) -> None:
    start, end = SPEC.index("models:"), SPEC.index("train:")
    compiled(stage, changed("budget: {usd: 5}\n", "", SPEC[:start] + SPEC[end:]))


@scene("E114")
def an_edit_past_the_end(stage: Stage) -> None:
    from sdrl.spec.edits import Edit, apply

    stage.fails(lambda: apply(SPEC, [Edit("remove", "demos.7")]))


@scene("E703")
def a_budget_below_what_is_expected(stage: Stage) -> None:
    compiled(stage, changed("budget: {usd: 5}", "budget: {usd: 0.05}"))


@scene("W511")
def a_reply_longer_than_the_model(stage: Stage) -> None:
    compiled(stage, changed("./base", "toy-base", changed("budget: {usd: 5}", "score: {sampling: {max_tokens: 500}}")))


@scene("W512")
def a_demo_out_of_the_test_set(stage: Stage) -> None:
    stage.write("demos.jsonl", '{"q": "What is 8 + 9?", "a": "#### 17"}\n{"q": "what is 3 + 1", "a": "#### 4"}\n')
    compiled(stage, FILE_DEMOS)


@scene("W513")
def two_demos_that_do_not_agree(stage: Stage) -> None:
    stage.write("demos.jsonl", '{"q": "What is 8 + 9?", "a": "#### 17"}\n{"q": "What is 8 + 9 ?", "a": "#### 18"}\n')
    compiled(stage, FILE_DEMOS)


@scene("W514")
def answers_below_the_tolerance(stage: Stage) -> None:
    stage.write("tiny.jsonl", '{"question": "How long is a nanosecond, in seconds?", "answer": "#### 1e-9"}\n')
    compiled(stage, changed("file: test.jsonl", "file: tiny.jsonl"))


@scene("W515")
def demos_with_fewer_numbers_than_samples(stage: Stage) -> None:
    compiled(stage, changed("synthesize: {", "synthesize: {method: metamath-fobar, "))


@scene("W510")
def a_budget_that_only_the_usual_run_keeps(stage: Stage) -> None:
    compiled(stage)
