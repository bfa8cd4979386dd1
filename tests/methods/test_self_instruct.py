"""Self-Instruct from spec to voted rows over HTTP: the pool grows, copies drop, a stopped run goes on to equal rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sdrl.compiler.compile import compile_spec, write_plan
from sdrl.compiler.plan_file import read_plan
from sdrl.run.executor import RunOptions, execute
from sdrl.run.folder import RunFolder
from tests.end_to_end.fake_openai import fake_openai

SAMPLES = 20
SPEC = """\
sdrl: 1
name: pooled
task:
  description: Question answering about small sums; add two numbers.
  output_format: "Work it out and write the number after ####."
answer: {{type: number, extract: {{marker: "####"}}}}
demos: [{demos}]
corpus: [{{files: [passages.jsonl], license: CC0-1.0}}]
synthesize: {{method: self-instruct, samples: {samples}, attempts: 48}}
vote: {{draws: 2}}
filter: []
models:
  instructor: {{model: fake-instructor, endpoint: "{url}", price: {{input: 1, output: 1}}, concurrency: 4}}
  base: {{model: base, serve: "{url}", prompt: raw, concurrency: 4}}
"""
DEMOS = ", ".join(f'{{input: "demo {word}", output: "#### {n}"}}' for n, word in enumerate("abcdefgh"))
COPY = "a copy of one same example that comes back"


class FakePool:
    """Writes an example by the prompt, the same one every fifth time; refuses all after ``allowed`` examples."""

    def __init__(self, allowed: int = 10_000) -> None:
        self.allowed, self.prompts = allowed, list[str]()

    def __call__(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        if len(self.prompts) >= self.allowed:
            return 401, {"error": {"message": "no more"}}
        text = body["messages"][-1]["content"]
        if "response_format" not in body:
            return 200, ["#### 3"] * body.get("n", 1)
        assert body["response_format"]["json_schema"]["name"] == "generate"
        self.prompts.append(text)
        mark = hashlib.sha256(f"{text}{body.get('seed')}".encode()).hexdigest()
        words = " ".join(mark[at : at + 6] for at in range(0, 48, 6))
        written = COPY if int(mark[-2:], 16) % 5 == 0 else f"new {words}"
        return 200, [json.dumps({"input": written, "output": "#### 3"})]


Go = Callable[[str, FakePool], str]


@pytest.fixture
def go(tmp_path: Path) -> Any:
    """``go(run, store)``: run to the vote, and how it ended."""
    (tmp_path / "base").mkdir()
    (tmp_path / "base/config.json").write_text("{}")
    (tmp_path / "passages.jsonl").write_text('{"id": "p0", "text": "A passage that no prompt shows."}\n')
    server: list[FakePool] = [FakePool()]
    with fake_openai(lambda path, body: server[0](path, body)) as url:
        (tmp_path / "spec.yaml").write_text(SPEC.format(samples=SAMPLES, demos=DEMOS, url=url))
        compiled = compile_spec(tmp_path / "spec.yaml")
        write_plan(compiled, tmp_path / "plan")

        def run(name: str, fake: FakePool) -> str:
            server[0] = fake
            plan = read_plan(tmp_path / "plan")
            return execute(
                plan, RunFolder(tmp_path / name), tmp_path / f"store-{name}", RunOptions(until="vote")
            ).status

        yield run


def rows(folder: Path, run: str, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / run / f"artifacts/{name}.jsonl").read_text().splitlines()]


def test_the_pool_grows_and_likenesses_drop(tmp_path: Path, go: Go) -> None:
    fake = FakePool()
    assert go("run", fake) == "done"
    made = rows(tmp_path, "run", "generate")
    assert len(made) == SAMPLES
    for row in made:
        assert row["source"]["method"] == "self-instruct"
        assert row["source"]["steps"] == ["generate"]
        assert len(set(row["source"]["parents"])) == 8
        assert row["passage"] is None
    assert any("new " in prompt for prompt in fake.prompts), "no prompt shows what was written before"
    assert all(prompt.count("<demo>\n") == 8 for prompt in fake.prompts)
    assert not any("A passage" in prompt for prompt in fake.prompts)
    copies = [row for row in rows(tmp_path, "run", "generate.dropped") if row["code"] == "near_duplicate"]
    assert copies and all(row["input"] == COPY for row in copies)
    assert sum(row["input"] == COPY for row in made) == 1
    assert len(rows(tmp_path, "run", "vote")) == SAMPLES


def test_a_stopped_run_goes_on_to_the_rows_of_one_that_was_not(tmp_path: Path, go: Go) -> None:
    whole = FakePool()
    assert go("whole", whole) == "done"
    first, rest = FakePool(allowed=12), FakePool()
    assert go("stopped", first) != "done"
    assert go("stopped", rest) == "done"
    assert len(first.prompts) + len(rest.prompts) == len(whole.prompts), "a reply was paid for twice"
    for name in ("generate", "generate.dropped", "vote"):
        assert rows(tmp_path, "stopped", name) == rows(tmp_path, "whole", name)
