"""Faithfulness to Algorithm 1, row by row, against a server whose replies are known (up to the choice of samples)."""

from __future__ import annotations

import asyncio
import json
import textwrap
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sdrl.compiler.compile import compile_spec, write_plan
from sdrl.compiler.plan_file import read_plan
from sdrl.run.events import EventLog
from sdrl.run.executor import RunOptions, _Run, execute
from sdrl.run.folder import RunFolder
from sdrl.stages.right_draws import distinct, right_draws
from sdrl.verifier import Verifier
from tests.end_to_end import known_replies as known

SPEC = """\
sdrl: 1
name: known
extends: {preset}
task:
  description: Question answering about small sums; add two numbers.
  output_format: "Work it out and write the number after ####."
answer: {{type: number, extract: {{marker: "####"}}}}
corpus: [{{files: [passages.jsonl], license: CC0-1.0}}]
retrieve: {{keywords: [passage]}}
synthesize: {{samples: 12, attempts: 12}}
vote: {{draws: 16, stop_early: false}}
score: {{draws: 64, adaptive: false}}
filter: [{{duplicates: true}}]
probe: {{min_parsable: 0}}
validate: {{share: 0}}
select: {{samples: 6, min: 1}}
models:
  instructor: {{model: known-instructor, endpoint: "{url}", price: {{input: 0, output: 0}}, concurrency: 4}}
  base: {{model: base, serve: "{url}", prompt: raw, concurrency: 4}}
"""


class Finished:
    """A finished run's rows."""

    def __init__(self, root: Path, server: known.Server) -> None:
        self.root = root
        self.server = server

    def rows(self, name: str) -> list[dict[str, Any]]:
        lines = (self.root / "artifacts" / f"{name}.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def dropped(self, stage: str) -> dict[int, str]:
        return {known_item(row): row["code"] for row in self.rows(f"{stage}.dropped") if "input" in row}


def known_item(row: dict[str, Any]) -> int:
    found = known.ITEM.search(row["input"])
    assert found is not None
    return int(found[1])


def run_known(folder: Path, preset: str) -> Finished:
    passages = [{"id": f"p{n}", "text": f"This is passage number {n} about sums."} for n in range(known.N_ITEMS)]
    (folder / "passages.jsonl").write_text("".join(json.dumps(row) + "\n" for row in passages))
    (folder / "base").mkdir()
    (folder / "base" / "config.json").write_text("{}")  # not loaded: the base answers over HTTP
    with known.known_replies() as server:
        spec = folder / "known.yaml"
        spec.write_text(textwrap.dedent(SPEC.format(preset=preset, url=server.url)))
        compiled = compile_spec(spec)
        assert compiled.plan is not None, compiled.diagnostics
        write_plan(compiled, folder / "known.plan")
        plan = read_plan(folder / "known.plan")
        ending = execute(plan, RunFolder(folder / "run"), folder / "store", RunOptions(until="select"))
    assert ending.status == "done", ending.message
    return Finished(folder / "run", server)


@pytest.fixture(scope="module", params=["recommended", "paper"])
def finished(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Finished]:
    folder = tmp_path_factory.mktemp(request.param)
    return request.param, run_known(folder, request.param)


def expected_voted(preset: str) -> set[int]:
    lost = {known.NOT_JSON, known.NO_ANSWER, known.TIE} | ({known.LOW} if preset == "recommended" else set())
    return set(range(known.N_ITEMS)) - lost


def test_every_passage_makes_one_attempt_and_unreadable_replies_are_counted(finished: tuple[str, Finished]) -> None:
    _, run = finished
    rows = run.rows("generate")
    assert {known_item(row) for row in rows} == set(range(known.N_ITEMS)) - {known.NOT_JSON, known.NO_ANSWER}
    assert [row["attempt"] for row in rows] == sorted(row["attempt"] for row in rows)
    assert sorted(row["code"] for row in run.rows("generate.dropped")) == ["no_answer", "no_json"]
    for row in rows:
        assert row["passage"] == f"p{known_item(row)}"


def test_labels_are_majorities_by_equivalence_class(finished: tuple[str, Finished]) -> None:
    preset, run = finished
    rows = {known_item(row): row for row in run.rows("vote")}
    assert set(rows) == expected_voted(preset)
    for item, row in rows.items():
        assert float(row["gold"]) == known.gold(item)
    assert rows[4]["agreement"] == 10 / 16
    assert rows[1]["agreement"] == 9 / 16
    assert run.dropped("vote")[known.TIE] == "vote_tie"
    if preset == "recommended":
        assert run.dropped("vote")[known.LOW] == "low_agreement"


def test_harder_comes_from_solved_and_easier_from_unsolved(finished: tuple[str, Finished]) -> None:
    preset, run = finished
    by_id = {row["id"]: row for row in run.rows("vote")}
    solved = {known_item(by_id[row["id"]]) for row in run.rows("probe") if row["solved"]}
    assert solved == known.SOLVED & expected_voted(preset)
    for row in run.rows("adapt"):
        assert row["origin"] == ("harder" if known_item(row) in known.SOLVED else "easier")
        assert known_item(by_id[row["parent"]]) == known_item(row)


def test_the_rewriter_sees_the_one_sample_and_no_votes(finished: tuple[str, Finished]) -> None:
    _, run = finished
    asked = [
        body["messages"][-1]["content"]
        for body in run.server.bodies
        if body.get("response_format", {}).get("json_schema", {}).get("name") in ("harder", "easier")
    ]
    assert asked
    assert all("99" not in text and text.count("Item ") == 1 for text in asked)


def test_pass_rates_are_the_known_ones(finished: tuple[str, Finished]) -> None:
    _, run = finished
    samples = {row["id"]: row for row in run.rows("vote") + run.rows("adapt")}
    for row in run.rows("score"):
        sample = samples[row["id"]]
        way = "" if sample["origin"] == "initial" else sample["origin"]
        assert row["draws"] == known.DRAWS
        assert row["correct"] == known.right_draws(known_item(sample), way)


def test_the_selected_are_exactly_those_of_equation_seven(finished: tuple[str, Finished]) -> None:
    preset, run = finished
    least = 2 if preset == "recommended" else 1
    scored = run.rows("score")
    between = sorted(row["correct"] for row in scored if least <= row["correct"] < row["draws"])
    chosen = [row for row in run.rows("select") if row["split"] == "train"]
    assert [row["correct"] for row in chosen] == between[:6]
    assert [row["rank"] for row in chosen] == list(range(6))


def test_the_same_command_again_asks_for_nothing_and_changes_no_byte(finished: tuple[str, Finished]) -> None:
    _, run = finished
    folder = run.root.parent
    before = {path.name: path.read_bytes() for path in (run.root / "artifacts").iterdir()}
    n_asked = len(run.server.bodies)
    plan = read_plan(folder / "known.plan")  # the server is gone: only the seals can answer
    ending = execute(plan, RunFolder(run.root), folder / "store", RunOptions(until="select"))
    assert ending.status == "done"
    other = execute(plan, RunFolder(folder / "again"), folder / "store", RunOptions(until="select", offline=True))
    assert other.status == "done"
    assert len(run.server.bodies) == n_asked
    assert before == {path.name: path.read_bytes() for path in (run.root / "artifacts").iterdir()}
    for name in before:
        if name.endswith(".jsonl"):
            assert (folder / "again" / "artifacts" / name).read_bytes() == before[name]


def test_no_stage_asks_for_more_than_the_plans_worst_case(finished: tuple[str, Finished]) -> None:
    _, run = finished
    plan = read_plan(run.root.parent / "known.plan")
    used = json.loads((run.root / "result.json").read_text())["usage"]["by"]
    assert used
    for entry in plan.estimate["stages"]:
        for figure, most in entry["worst"].items():
            value = used.get(f"{entry['stage']}/{entry['asks']}", {}).get(figure, 0)
            assert value <= most, (entry["stage"], figure)


def test_right_draws_are_replayed_from_the_score_stage_and_nothing_is_asked(finished: tuple[str, Finished]) -> None:
    """What RFT learns: offline, with the server gone."""
    _, run = finished
    folder = run.root.parent
    plan = read_plan(folder / "known.plan")
    samples = {row["id"]: row for row in run.rows("select") if row["split"] == "train"}

    async def replay() -> list[dict[str, Any]]:
        log = EventLog(folder / "replay.jsonl")
        engine = _Run(plan, RunFolder(run.root), folder / "store", RunOptions(offline=True), log)
        rows = await right_draws(engine._context(plan.stage("train")), list(samples.values()), 2)
        await engine.pool.close()
        engine.cache.close()
        log.close()
        return rows

    rows = asyncio.run(replay())
    by_sample = Counter(row["id"].rsplit(":", 1)[0] for row in rows)
    assert set(by_sample) == {name for name, row in samples.items() if row["correct"]}
    assert max(by_sample.values()) <= 2
    verifier = Verifier.from_program(plan.verifier)
    for row in rows:
        sample = samples[row["id"].rsplit(":", 1)[0]]
        assert verifier.judge(row["completion"], sample["gold"], sample["options"]).verdict == "correct"
        assert sample["input"] in row["prompt"]


def test_draws_that_differ_in_spacing_alone_are_one() -> None:
    assert distinct(["a  b", "a b\n", "c", "a b"]) == ["a  b", "c"]
