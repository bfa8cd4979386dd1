"""Scenes of a run: what endpoint, instructor and base model do to it, on a fake endpoint whose every reply is known."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

from sdrl.compiler.plan_file import read_plan
from sdrl.run.artifacts import Artifacts
from sdrl.run.folder import RunFolder
from sdrl.run.lock import hold
from sdrl.run.review import ReviewFiles
from tests.compiler.project import write_project
from tests.diagnostics.scene import ROOT, Stage, scene
from tests.end_to_end.fake_openai import Reply, fake_openai, is_chat
from tests.models.imitation_batch import ImitationBatchApi, serving
from tests.models.test_batches import QUICK

SPEC = """\
sdrl: 1
name: sums
task: {{description: Question answering about sums., output_format: "Write the number after ####.", license: CC0-1.0}}
answer: {{type: number, extract: {{marker: "####"}}}}
demos: [{{input: "What is 1 + 1?", output: "#### 2"}}]
corpus: [{{files: [passages.jsonl], license: CC0-1.0}}]
retrieve: {{keywords: [adding]}}
synthesize: {{samples: 4, attempts: 4, pattern: never}}
vote: {{draws: 4, stop_early: false}}
adapt: {{harder: false, easier: false}}
score: {{draws: 4, adaptive: false}}
select: {{samples: 4, min: 2}}
filter: []
models:
  instructor: {{model: some-model, endpoint: "{url}"}}
  base: {{model: ./base, serve: "{url}", prompt: raw}}
evaluate:
  - {{name: test, file: test.jsonl, input: "{{question}}", gold: {{field: answer, extract: {{marker: "####"}}}}}}
"""
ERROR = {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}


def instructor(path: str, body: dict[str, Any]) -> tuple[int, Any]:
    """Writes readable examples, and answers every problem with 3."""
    if is_chat(path) and "response_format" in body:
        text = body["messages"][-1]["content"]
        item = text[text.index("Passage ") :][:9]
        return 200, [json.dumps({"input": f"{item}: what is 1 plus 2?", "output": "#### 3"})]
    return 200, ["#### 3"] * body.get("n", 1)


def with_base(*texts: str) -> Reply:
    """The instructor above, with a base model that says these texts, one draw after the other."""

    def reply(path: str, body: dict[str, Any]) -> tuple[int, Any]:
        if is_chat(path):
            return instructor(path, body)
        return 200, [texts[at % len(texts)] for at in range(body.get("n", 1))]

    return reply


def refused(status: int, message: str, code: str = "", parameter: str = "") -> Reply:
    """An endpoint that answers everything with one HTTP error."""
    return lambda path, body: (status, {"error": {"message": message, "code": code, "param": parameter}})


def run(stage: Stage, reply: Reply, *words: str, change: Callable[[str], str] = str) -> None:
    """Run the spec above against a fake endpoint."""
    with fake_openai(reply) as url:
        write_project(stage.folder, change(SPEC.format(url=url)))
        stage.sdrl("run", "sums.yaml", "--yes", *words)


def changing(before: str, after: str) -> Callable[[str], str]:
    """One change of the spec."""

    def change(spec: str) -> str:
        assert before in spec, before
        return spec.replace(before, after)

    return change


@scene("E503")
def a_template_that_the_scripted_instructor_does_not_know(stage: Stage) -> None:
    stage.write("solve.jinja", "Please solve this: {{ input }}\n{{ output_format }}\n")
    spec = SPEC.replace(
        '{{model: some-model, endpoint: "{url}"}}', "{{model: scripted-instructor, endpoint: embedded}}"
    )
    spec = spec.format(url="http://127.0.0.1:1/v1") + "prompts: {solve: {file: solve.jinja}}\n"
    write_project(stage.folder, spec)
    everyday = ROOT / "specs" / "passages" / "everyday.jsonl"
    stage.write("passages.jsonl", everyday.read_bytes())
    stage.write("sums.yaml", spec.replace("[adding]", "[barrel]"))
    stage.sdrl("run", "sums.yaml", "--yes")


@scene("E701")
def a_cap_of_three_requests(stage: Stage) -> None:
    run(stage, instructor, "--budget", "requests=3")


@scene("E702")
def a_budget_and_votes_without_a_bound(stage: Stage) -> None:
    unbounded = changing(
        "stop_early: false}", "stop_early: false, sampling: {max_tokens: null}}\nbudget: {tokens: 20M}"
    )
    run(stage, instructor, change=unbounded)


@scene("E704")
def a_run_of_half_a_second(stage: Stage) -> None:
    def slow(path: str, body: dict[str, Any]) -> tuple[int, Any]:
        time.sleep(0.3)
        return instructor(path, body)

    run(stage, slow, "--budget", "wall_hours=0.0001")
    # whether a reply is under way at that moment is chance
    stage.said[:] = [re.sub(r"W870: .*\n", "", said) for said in stage.said]


@scene("W701")
def votes_that_are_twice_as_long_as_they_may_be(stage: Stage) -> None:
    short = changing("stop_early: false}", "stop_early: false, sampling: {max_tokens: 5}}")
    run(stage, instructor, "--until", "vote", change=short)


@scene("E811")
def a_key_that_is_refused(stage: Stage) -> None:
    run(stage, refused(401, "Incorrect API key provided"))


@scene("E812")
def a_model_that_one_may_not_use(stage: Stage) -> None:
    run(stage, refused(403, "Project does not have access to this model"))


@scene("E813")
def no_credit_left(stage: Stage) -> None:
    run(stage, refused(429, "You exceeded your current quota", "insufficient_quota"))


@scene("E814")
def a_model_without_temperature(stage: Stage) -> None:
    run(stage, refused(400, "temperature is not supported with this model", "", "temperature"))


@scene("E815")
def a_model_of_another_name(stage: Stage) -> None:
    run(stage, refused(404, "The model some-model does not exist", "model_not_found"))


@scene("E818")
def offline_with_an_empty_store(stage: Stage) -> None:
    run(stage, instructor, "--offline")


@scene("E819")
def no_key_in_the_environment(stage: Stage) -> None:
    spec = SPEC.format(url="https://api.example.com/v1").replace('/v1"}', '/v1", key_env: EXAMPLE_KEY}')
    write_project(stage.folder, spec)
    stage.sdrl("run", "sums.yaml", "--yes")


@scene("E845")
def batches_of_a_server_of_our_own(stage: Stage) -> None:
    def embedded(spec: str) -> str:
        return re.sub(r"{model: some-model,.*}", "{model: scripted-instructor, endpoint: embedded, batch: true}", spec)

    run(stage, instructor, change=embedded)


def by_batch(stage: Stage, api: ImitationBatchApi, *words: str) -> None:
    """A run whose instructor is asked by batch, up to its votes."""

    def says(body: dict[str, Any], place: int) -> str:
        return str(instructor("/chat/completions", {**body, "n": 1})[1][0])

    api.says = says
    with serving(api), mock.patch("sdrl.models.batches.Pace", lambda: QUICK):
        write_project(stage.folder, SPEC.format(url=api.url).replace("some-model,", "some-model, batch: true,"))
        stage.sdrl("run", "sums.yaml", "--yes", "--until", "vote", *words)


@scene("E836")
def a_batch_that_the_provider_refuses(stage: Stage) -> None:
    by_batch(stage, ImitationBatchApi(most_lines=2))


@scene("E837")
def a_batch_that_somebody_cancelled(stage: Stage) -> None:
    by_batch(stage, ImitationBatchApi(answers=2, ends_as="cancelled"))


@scene("W871")
def a_stop_while_a_batch_is_under_way(stage: Stage) -> None:
    async def at(point: str) -> None:
        if point == "looked":
            os.kill(os.getpid(), signal.SIGTERM)

    by_batch(stage, ImitationBatchApi(at=at))


@scene("E860")
def keywords_that_cannot_be_read(stage: Stage) -> None:
    run(stage, lambda path, body: (200, ["I cannot help with that."]), change=changing("[adding]", "auto"))


@scene("E861")
def a_corpus_of_another_domain(stage: Stage) -> None:
    run(stage, instructor, change=changing("[adding]", "[contract, liability]"))


@scene("E862")
def an_instructor_that_writes_no_examples(stage: Stage) -> None:
    run(stage, lambda path, body: (200, ["Sure! Here is a nice problem."] * body.get("n", 1)))


@scene("E863")
def votes_that_never_agree(stage: Stage) -> None:
    def reply(path: str, body: dict[str, Any]) -> tuple[int, Any]:
        status, texts = instructor(path, body)
        return status, texts if "response_format" in body else [f"#### {at}" for at in range(len(texts))]

    run(stage, reply)


@scene("E864")
def a_base_model_that_solves_everything(stage: Stage) -> None:
    run(stage, with_base("#### 3"))


@scene("E865")
def a_base_model_that_gives_no_answer(stage: Stage) -> None:
    run(stage, with_base("Let me think about adding for a while."))


@scene("E870")
def a_folder_where_a_file_must_be_written(stage: Stage) -> None:
    stage.write("runs/sums/artifacts/keywords.jsonl/notes.txt", "mine")
    run(stage, instructor)


@scene("E871")
def two_runs_in_one_folder(stage: Stage) -> None:
    with hold(stage.folder / "runs" / "sums" / "lock"):
        run(stage, instructor)


@scene("E607")
def a_report_on_an_edited_artifact(stage: Stage) -> None:
    measured(stage)
    stage.quietly("run", "sums.plan")
    stage.write("runs/sums/artifacts/evaluate.jsonl", "")
    stage.sdrl("report", "runs/sums")


@scene("E872")
def a_gain_below_the_gate(stage: Stage) -> None:
    measured(stage)
    stage.sdrl("run", "sums.plan")


REVIEWED = changing("filter: []", "filter: []\nreview: {samples: 2, min_valid: 0.8}")


@scene("E874")
def samples_that_nobody_judged(stage: Stage) -> None:
    run(stage, instructor, change=REVIEWED)


@scene("E875")
def samples_of_which_half_are_no_good(stage: Stage) -> None:
    def judge(stage: Stage) -> None:
        files = ReviewFiles(RunFolder(stage.folder / "runs" / "sums"))
        first, second = files.samples()
        files.judge(first["id"], valid=True)
        files.judge(second["id"], valid=False, wrong=["output"])

    with fake_openai(instructor) as url:
        write_project(stage.folder, REVIEWED(SPEC.format(url=url)))
        stage.quietly("run", "sums.yaml", "--yes")
        judge(stage)
        stage.sdrl("run", "sums.yaml", "--yes")


@scene("E881")
def a_line_that_is_no_event(stage: Stage) -> None:
    stage.write("notes.journal", '{"event": "sayd", "text": "gsm8k"}\n')
    stage.sdrl("author", "--script", "notes.journal")


@scene("E882")
def a_journal_that_was_edited(stage: Stage) -> None:
    stage.write("notes.journal", '{"event": "said", "text": "gsm8k", "digest": "0000000000000000"}\n')
    stage.sdrl("author", "--script", "notes.journal")


@scene("E876")
def a_judgement_of_another_run(stage: Stage) -> None:
    with fake_openai(instructor) as url:
        write_project(stage.folder, REVIEWED(SPEC.format(url=url)))
        stage.quietly("run", "sums.yaml", "--yes")
    stage.write("judged.jsonl", '{"id": "no such sample", "valid": true}\n')
    stage.sdrl("review", "runs/sums", "--from", "judged.jsonl")


def measured(stage: Stage) -> None:
    """A run whose stages are all done: the base model solves three of six problems, the trained one four."""
    write_project(stage.folder, SPEC.format(url="http://127.0.0.1:1/v1") + "gate: {min_gain: 0.3}\n")
    assert stage.quietly("compile", "sums.yaml") == 0
    folder = RunFolder(stage.folder / "runs" / "sums")
    folder.create()
    artifacts = Artifacts(folder, stage.folder / ".sdrl")
    for planned in read_plan(stage.folder / "sums.plan").stages:
        rows = list(_measured()) if planned.name == "evaluate" else []
        artifacts.write(planned.name, planned.hash, rows, [], came_in=len(rows), seconds=1, notes={}, versions={})


def _measured() -> Iterator[dict[str, Any]]:
    for problem in range(6):
        for model, right in (("base", 3), ("trained", 4)):
            about = {"set": "test", "shift": "iid", "problem": str(problem), "run": 0, "model": model}
            yield {**about, "verdict": "correct" if problem < right else "incorrect", "finish_reason": "stop"}


@scene("W834")
def a_store_whose_first_page_is_lost(stage: Stage) -> None:
    run(stage, instructor, "--until", "generate")
    stage.said.clear()
    with (stage.folder / ".sdrl" / "requests.sqlite").open("r+b") as file:
        file.write(bytes(100))
    run(stage, instructor, "--until", "generate")


@scene("W860")
def a_pattern_that_cannot_be_read(stage: Stage) -> None:
    with_demos = changing("pattern: never", "pattern: with_demos")
    run(stage, lambda path, body: (200, ["The pattern is sums."]), "--until", "pattern", change=with_demos)


@scene("W861")
def attempts_that_are_used_up(stage: Stage) -> None:
    def reply(path: str, body: dict[str, Any]) -> tuple[int, Any]:
        status, texts = instructor(path, body)
        if "response_format" not in body and re.search("Passage [01]", json.dumps(body)):
            return 200, [f"#### {at}" for at in range(len(texts))]
        return status, texts

    run(stage, reply, "--until", "vote")


@scene("W862")
def passages_too_few_to_hold_any_out(stage: Stage) -> None:
    run(stage, with_base("#### 3", "#### 4"), "--until", "select")


@scene("W870")
def a_stop_while_replies_are_under_way(stage: Stage) -> None:
    events = stage.folder / "runs/sums/events.jsonl"

    def reply(path: str, body: dict[str, Any]) -> tuple[int, Any]:
        os.kill(os.getpid(), signal.SIGTERM)  # the first call, which goes out alone
        while "W870" not in events.read_text():
            time.sleep(0.01)
        return instructor(path, body)

    run(stage, reply)


@contextlib.contextmanager
def small_files(most: int) -> Iterator[None]:
    """What a full disk does, without filling one: no file of this process may grow beyond ``most`` bytes."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@scene("E832")
def a_full_disk_below_the_store(stage: Stage) -> None:
    with small_files(60_000):
        run(stage, instructor)
