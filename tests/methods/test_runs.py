"""Every method from spec to voted rows over HTTP, asked by a fake that fills in schemas; a stopped run goes on."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sdrl.compiler.compile import Compiled, compile_spec, write_plan
from sdrl.compiler.plan_file import read_plan
from sdrl.compiler.schedule import topics_for
from sdrl.methods import METHODS
from sdrl.run.executor import RunOptions, execute
from sdrl.run.folder import RunFolder
from sdrl.spec.method_table import GROUNDED, METHOD_TABLE
from tests.compiler.golden import kinds_of
from tests.end_to_end.fake_openai import fake_openai
from tests.methods.fake_writer import FakeWriter

SAMPLES = 12
PASSAGES = 3
TYPES = {
    "number": ('"Work it out and write the number after ####."', '{type: number, extract: {marker: "####"}}', "#### 3"),
    "label": ('"Say good or bad after Answer:"',
              '{type: label, options: [good, bad], extract: {marker: "Answer:"}}', "Answer: good"),
}  # fmt: skip
SPEC = """\
sdrl: 1
name: methods
task: {{description: Question answering about small sums; add two numbers., output_format: {output}}}
answer: {answer}
demos: [{demos}]
corpus: [{{files: [passages.jsonl], license: CC0-1.0}}]
retrieve: {{keywords: [adding numbers]}}
synthesize: {{method: {method}, samples: {samples}}}
vote: {{draws: 2}}
filter: []
models:
  instructor: {{model: fake-instructor, endpoint: "{url}", price: {{input: 1, output: 1}}, concurrency: 4}}
  base: {{model: base, serve: "{url}", prompt: raw, concurrency: 4}}
"""
RIVALS = [name for name in METHODS if name != GROUNDED]
PROBLEM = re.compile(r"Demo ([a-h]): add (\w+) and (\w+)\.")


def writer(answers: str = "number", allowed: int = 10_000) -> FakeWriter:
    """A fake that gives the demos' answer, and finds the number that is masked in one of them."""

    def right(prompt: str) -> str:
        letter, first, second = (PROBLEM.findall(prompt) or [("a", "2", "7")])[-1]
        if first == "x":
            return f"#### {'abcdefgh'.index(letter) + 2}"
        return "#### 7" if second == "x" else TYPES[answers][2]

    def statement(prompt: str) -> str:
        return f"{list(PROBLEM.finditer(prompt))[-1][0]} The result is 3."

    return FakeWriter(right, allowed, {"statement": statement})


def compiled(folder: Path, method: str, answers: str, url: str, samples: int = SAMPLES) -> Compiled:
    """A project of this method in ``folder``, compiled."""
    output, answer, right = TYPES[answers]
    (folder / "base").mkdir(exist_ok=True)
    (folder / "base/config.json").write_text("{}")
    lines = [json.dumps({"id": f"p{at}", "text": f"Passage {at} about adding {at} and 3 numbers."}) for at in range(3)]
    (folder / "passages.jsonl").write_text("\n".join(lines) + "\n")
    demos = ", ".join(
        f'{{input: "Demo {word}: add {n + 2} and 7.", output: "{right}"}}' for n, word in enumerate("abcdefgh")
    )
    text = SPEC.format(output=output, answer=answer, demos=demos, method=method, samples=samples, url=url)
    (folder / "spec.yaml").write_text(text)
    return compile_spec(folder / "spec.yaml")


def rows(folder: Path, run: str, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / run / f"artifacts/{name}.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(
    ("method", "answers"), [(method, answers) for method in RIVALS for answers in kinds_of(method)]
)
def test_a_method_runs_to_the_vote_and_says_where_its_rows_come_from(method: str, answers: str, tmp_path: Path) -> None:
    fake = writer(answers)
    with fake_openai(fake) as url:
        write_plan(compiled(tmp_path, method, answers, url), tmp_path / "plan")
        plan = read_plan(tmp_path / "plan")
        options = RunOptions(until="vote")
        assert execute(plan, RunFolder(tmp_path / "run"), tmp_path / "store", options).status == "done"
    made = rows(tmp_path, "run", "generate")
    assert len(made) == SAMPLES
    known = set(METHOD_TABLE[method].prompts)
    for row in made:
        assert row["source"]["method"] == method
        assert row["source"]["steps"]
        assert {step.rsplit("-", 1)[0] if step not in known else step for step in row["source"]["steps"]} <= known
        assert set(row["request_keys"]) == set(row["source"]["steps"])
    assert len({row["id"] for row in made}) == SAMPLES
    assert known <= set(fake.asked), "a prompt of the method was never asked"


@pytest.mark.parametrize("method", RIVALS)
def test_requests_are_shared_as_the_table_says_and_stay_below_the_estimate(method: str, tmp_path: Path) -> None:
    fake = writer()
    with fake_openai(fake) as url:
        project = compiled(tmp_path, method, "number", url)
        write_plan(project, tmp_path / "plan")
        plan = read_plan(tmp_path / "plan")
        assert (
            execute(plan, RunFolder(tmp_path / "run"), tmp_path / "store", RunOptions(until="generate")).status
            == "done"
        )
    attempts = rows(tmp_path, "run", "generate")[-1]["attempt"] + 1
    for step in METHOD_TABLE[method].steps:
        most = {
            "attempt": attempts * step.most_asks,
            "turns": -(-attempts // step.serves),
            "passage": PASSAGES,
            "part": 1,
            "topic": topics_for(plan.settings.synthesize, 1.0),
        }
        assert 0 < fake.asked[step.prompt] <= most[step.shared_by], step.prompt
    estimated = next(stage for stage in project.require().estimate["stages"] if stage["stage"] == "generate")
    assert sum(fake.asked[step.prompt] for step in METHOD_TABLE[method].steps) <= estimated["worst"]["requests"]


@pytest.mark.parametrize("method", RIVALS)
def test_a_stopped_run_goes_on_to_equal_rows(method: str, tmp_path: Path) -> None:
    server = [writer()]
    with fake_openai(lambda path, body: server[0](path, body)) as url:
        write_plan(compiled(tmp_path, method, "number", url), tmp_path / "plan")
        plan, options = read_plan(tmp_path / "plan"), RunOptions(until="vote")

        def run(name: str, fake: FakeWriter) -> str:
            server[0] = fake
            return execute(plan, RunFolder(tmp_path / name), tmp_path / f"store-{name}", options).status

        assert run("whole", writer()) == "done"
        assert run("cut", writer(allowed=7)) != "done"
        assert run("cut", writer()) == "done"
    for name in ("generate", "vote"):
        whole, cut = ((tmp_path / run / f"artifacts/{name}.jsonl").read_bytes() for run in ("whole", "cut"))
        assert whole == cut, name
