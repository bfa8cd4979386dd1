"""A task whose answer is a program, run to its selection: votes and pass rates are by what the queries give.

The instructor and the base model are a fake server whose replies are a function of the request.
"""

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
from sdrl.spec.locate import specs_dir
from tests.end_to_end.fake_openai import fake_openai, is_chat

SCRIPT = (
    "CREATE TABLE boats (id INTEGER PRIMARY KEY, name TEXT, length REAL);\n"
    "INSERT INTO boats VALUES (1, 'Ada', 9.5), (2, 'Bea', 7.0), (3, 'Cleo', 12.25), (4, 'Dot', {length});"
)
# one answer in several spellings, one that is right by chance, one that fails
RIGHT = ["SELECT COUNT(*) FROM boats", "select count(id) from boats where 1", "SELECT COUNT(name) AS n FROM boats;"]
WRONG = ["SELECT 4", "SELECT COUNT(*) FROM ships"]
NO_DATABASE, BROKEN = 2, 3  # items that fall out, by what befalls them


def write(item: int) -> str:
    script = "Boats lie in the harbour." if item == NO_DATABASE else SCRIPT.format(length=4 + item)
    query = "DELETE FROM boats" if item == BROKEN else RIGHT[0]
    text = f"<database>\n{script}\n</database>\nQuestion: Item {item}: how many boats are there?"
    return json.dumps({"input": text, "output": f"<sql>{query}</sql>"})


def reply(path: str, body: dict[str, Any]) -> tuple[int, list[str]]:
    count = body.get("n", 1)
    if not is_chat(path):  # the base model: the first two of five draws are right, greedily it is not
        draws = [WRONG[0]] if body["temperature"] == 0 else [*RIGHT[:2], *WRONG, "no idea"]
        return 200, [f"<sql>{draws[at % len(draws)]}</sql>" for at in range(count)]
    text = body["messages"][-1]["content"]
    schema = body.get("response_format", {}).get("json_schema", {}).get("name")
    if schema == "generate":
        return 200, [write(int(re.findall(r"passage number (\d+)", text)[-1]))]
    if schema == "pattern":
        return 200, [json.dumps({"pattern": "A script, then a question."})]
    draws = [*RIGHT, WRONG[0]]
    return 200, [f"<sql>{draws[at % len(draws)]}</sql>" for at in range(count)]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sql")
    passages = [{"id": f"p{n}", "text": f"This is passage number {n} about boats."} for n in range(6)]
    (folder / "passages.jsonl").write_text("".join(json.dumps(row) + "\n" for row in passages))
    (folder / "base").mkdir()
    (folder / "base" / "config.json").write_text("{}")  # not loaded: the base answers over HTTP
    with fake_openai(reply) as url:
        shipped = (specs_dir() / "text-to-sql.yaml").read_text("utf-8")
        text = shipped[: shipped.index("corpus:")] + (
            "corpus: [{files: [passages.jsonl], license: CC0-1.0}]\n"
            "retrieve: {keywords: [boats]}\n"
            "synthesize: {samples: 6, attempts: 6}\n"
            "vote: {draws: 8, stop_early: false}\nscore: {draws: 10, adaptive: false}\nadapt: {rounds: 0}\n"
            "filter: [{duplicates: true}]\nprobe: {min_parsable: 0}\nvalidate: {share: 0}\n"
            "select: {samples: 4, min: 1}\n"
            "models:\n"
            f'  instructor: {{model: fake-instructor, endpoint: "{url}", price: {{input: 0, output: 0}}}}\n'
            f'  base: {{model: base, serve: "{url}", prompt: raw}}\n'
        )
        spec = folder / "text-to-sql.yaml"
        spec.write_text(text)
        write_plan(compile_spec(spec), folder / "sql.plan")
        ending = execute(
            read_plan(folder / "sql.plan"), RunFolder(folder / "run"), folder / "s", RunOptions(until="select")
        )
    assert ending.status == "done", ending.message
    return folder / "run" / "artifacts"


def rows(run: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / f"{name}.jsonl").read_text().splitlines()]


def test_spellings_of_one_query_vote_together_and_chance_votes_apart(run: Path) -> None:
    voted = rows(run, "vote")
    assert len(voted) == 4
    for row in voted:
        assert sorted(row["votes"].values()) == [2, 6]
        assert row["gold"].startswith("SELECT COUNT") or row["gold"].startswith("select count")
        assert row["options"] == {"input": row["input"]}


def test_examples_without_a_database_or_a_query_fall_out(run: Path) -> None:
    assert sorted(row["code"] for row in rows(run, "generate.dropped")) == ["no_answer", "no_answer"]


def test_pass_rates_are_by_result(run: Path) -> None:
    assert [row["pass_rate"] for row in rows(run, "select")] == [0.4] * 4
