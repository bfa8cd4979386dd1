"""Filters that ask the instructor: what it says stands in the rows, drops what it should, and is in the estimate."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sdrl.compiler.compile import compile_spec, write_plan
from sdrl.compiler.plan_file import read_plan
from sdrl.run.executor import RunOptions, execute
from sdrl.run.folder import RunFolder
from tests.end_to_end.fake_openai import fake_openai
from tests.end_to_end.small_sums import SUMS

SAMPLES = 12
UNREAD, POOR = 5, {3, 7}
SPEC = (
    SUMS
    + """\
name: graded
synthesize: {{samples: {samples}, attempts: {samples}}}
vote: {{draws: 2}}
filter: [{{judge: 4}}, {{tags: 3}}]
models:
  instructor: {{model: fake-instructor, endpoint: "{url}", price: {{input: 1, output: 1}}, concurrency: 4}}
  base: {{model: base, serve: "{url}", prompt: raw, concurrency: 4}}
"""
)
ITEM = re.compile(r"Item (\d+):")


def instruct(path: str, body: dict[str, Any]) -> tuple[int, list[str]]:
    text = body["messages"][-1]["content"]
    name = body.get("response_format", {}).get("json_schema", {}).get("name")
    if name == "generate":
        item = int(re.search(r"passage number (\d+)", text)[1])  # type: ignore[index]
        return 200, [json.dumps({"input": f"Item {item}: what is {item} plus 10?", "output": f"#### {item + 10}"})]
    item = int(ITEM.search(text[text.rindex("<sample>" if name else "<problem>") :])[1])  # type: ignore[index]
    if name == "judge":
        assert body["temperature"] == 0
        score = 2 if item in POOR else 5
        return 200, ["no grade" if item == UNREAD else json.dumps({"score": score, "reason": f"item {item}"})]
    if name == "tags":
        return 200, [json.dumps({"tags": ["Sums", "rare" if item % 4 == 0 else "sums."]})]
    return 200, [f"#### {item + 10}"] * body.get("n", 1)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("graded")
    (folder / "base").mkdir()
    (folder / "base/config.json").write_text("{}")
    passages = [{"id": f"p{n}", "text": f"This is passage number {n} about sums."} for n in range(SAMPLES)]
    (folder / "passages.jsonl").write_text("".join(json.dumps(row) + "\n" for row in passages))
    with fake_openai(instruct) as url:
        (folder / "graded.yaml").write_text(SPEC.format(samples=SAMPLES, url=url))
        write_plan(compile_spec(folder / "graded.yaml"), folder / "plan")
        plan = read_plan(folder / "plan")
        ending = execute(plan, RunFolder(folder / "run"), folder / "store", RunOptions(until="vote"))
    assert ending.status == "done", ending.message
    return folder


def rows(folder: Path, name: str, run: str = "run") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / run / f"artifacts/{name}.jsonl").read_text().splitlines()]


def item(row: dict[str, Any]) -> int:
    return int(ITEM.search(row["input"])[1])  # type: ignore[index]


def test_poor_grades_and_common_tags_are_dropped_with_what_was_said(run: Path) -> None:
    lost = {item(row): row for row in rows(run, "vote.dropped")}
    assert {at for at, row in lost.items() if row["code"] == "poor_grade"} == POOR
    assert lost[3]["evidence"] == {"score": 2, "reason": "item 3"}
    common = {at: row["evidence"] for at, row in lost.items() if row["code"] == "common_tags"}
    assert common and all(at % 4 for at in common)
    assert all(min(evidence["tags"].values()) >= 3 for evidence in common.values())


def test_a_kept_row_holds_its_grade_and_tags_and_an_unread_grade_drops_nothing(run: Path) -> None:
    kept = {item(row): row for row in rows(run, "vote")}
    for at, row in kept.items():
        assert row["grade"] == (None if at == UNREAD else {"score": 5, "reason": f"item {at}"})
        assert row["tags"][0] == "Sums"
        assert {"judge", "tags"} <= set(row["request_keys"])
    everyone = {**kept, **{item(row): row for row in rows(run, "vote.dropped")}}
    assert everyone[UNREAD]["grade"] is None and everyone[UNREAD].get("code") != "poor_grade"


def test_the_estimate_expects_what_is_asked(run: Path) -> None:
    plan = read_plan(run / "plan")
    used = json.loads((run / "run/result.json").read_text())["usage"]["by"]["vote/instructor"]
    entry = next(each for each in plan.estimate["stages"] if each["stage"] == "vote")
    assert used["requests"] <= entry["worst"]["requests"]
    assert used["requests"] == pytest.approx(entry["expected"]["requests"], rel=0.25)
    assert plan.stage("vote").identity["prompts"].keys() >= {"judge", "tags"}


def test_what_was_said_is_replayed_from_the_cache(run: Path) -> None:
    plan = read_plan(run / "plan")
    (run / "store/artifacts").rename(run / "store/away")  # nothing sealed to take over: all is replayed
    ending = execute(plan, RunFolder(run / "again"), run / "store", RunOptions(until="vote", offline=True))
    assert ending.status == "done", ending.message
    for name in ("vote", "vote.dropped"):
        assert rows(run, name, "again") == rows(run, name)
