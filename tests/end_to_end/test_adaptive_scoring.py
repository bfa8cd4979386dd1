"""Adaptive scoring in a run: fewer draws, honest rows, the same decisions after a stop, and what RFT replays of it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sdrl.compiler.compile import compile_spec, write_plan
from sdrl.compiler.plan_file import read_plan
from sdrl.run.ending import Ending
from sdrl.run.events import EventLog
from sdrl.run.executor import RunOptions, _Run, execute
from sdrl.run.folder import RunFolder
from sdrl.stages.right_draws import right_draws
from tests.end_to_end.fake_openai import fake_openai, is_chat
from tests.end_to_end.small_sums import SUMS

SAMPLES, DRAWS, WAVE = 60, 64, 8
SPEC = (
    SUMS
    + """\
name: scored
synthesize: {{samples: {samples}, attempts: {samples}}}
vote: {{draws: 2}}
adapt: {{rounds: 0}}
score: {{draws: {draws}, adaptive: {adaptive}}}
filter: [{{duplicates: true}}]
probe: {{min_parsable: 0}}
select: {{samples: 20, min: 1}}
models:
  instructor: {{model: fake-instructor, endpoint: "{url}", price: {{input: 0, output: 0}}, concurrency: 4}}
  base: {{model: base, serve: "{url}", prompt: raw, concurrency: 4}}
"""
)
ITEM = re.compile(r"Item (\d+):")


@dataclass
class Server:
    """A fake whose base model is right in draw k of an item as a hash of both says, however draws are asked for."""

    url: str = ""
    drawn: Counter[int] = field(default_factory=Counter)
    scoring_calls: int = 0
    refuse_after: int | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reply(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        with self.lock:
            return self._instruct(body) if is_chat(path) else self._answer(body)

    def _instruct(self, body: dict[str, Any]) -> tuple[int, Any]:
        text, n = body["messages"][-1]["content"], body.get("n", 1)
        if body.get("response_format"):
            item = int(re.search(r"passage number (\d+)", text)[1])  # type: ignore[index]
            return 200, [json.dumps({"input": f"Item {item}: what is {item} plus 10?", "output": f"#### {item + 10}"})]
        item = int(ITEM.search(text[text.index("<problem>") :])[1])  # type: ignore[index]
        return 200, [f"#### {item + 10}"] * n

    def _answer(self, body: dict[str, Any]) -> tuple[int, Any]:
        item = int(ITEM.search(body["prompt"])[1])  # type: ignore[index]
        if body["temperature"] == 0:
            return 200, [f"#### {item + 10}"]
        if self.refuse_after is not None and self.scoring_calls >= self.refuse_after:
            return 401, {"error": {"message": "no such key", "type": "auth"}}
        self.scoring_calls += 1
        first = self.drawn[item]
        self.drawn[item] += body.get("n", 1)
        return 200, [f"#### {item + 10 if is_right(item, at) else 0}" for at in range(first, self.drawn[item])]


def is_right(item: int, draw: int) -> bool:
    """Pass rates are spread evenly over the items."""
    drawn = int.from_bytes(hashlib.sha256(f"{item} {draw}".encode()).digest()[:4], "big") / 2**32
    return drawn < (item + 0.5) / SAMPLES


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()
    with fake_openai(server.reply) as url:
        server.url = url
        yield server


def run(folder: Path, server: Server, adaptive: str = "true") -> Ending:
    """Compile where that was not done, and run to the selection."""
    if not (folder / "plan").exists():
        (folder / "base").mkdir(parents=True)
        (folder / "base/config.json").write_text("{}")  # not loaded: the base answers over HTTP
        passages = [{"id": f"p{n}", "text": f"This is passage number {n} about sums."} for n in range(SAMPLES)]
        (folder / "passages.jsonl").write_text("".join(json.dumps(row) + "\n" for row in passages))
        spec = folder / "scored.yaml"
        spec.write_text(SPEC.format(samples=SAMPLES, draws=DRAWS, url=server.url, adaptive=adaptive))
        write_plan(compile_spec(spec), folder / "plan")
    plan = read_plan(folder / "plan")
    return execute(plan, RunFolder(folder / "run"), folder / "store", RunOptions(until="select"))


def rows(folder: Path, stage: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / f"run/artifacts/{stage}.jsonl").read_text().splitlines()]


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "run/artifacts").glob("*.jsonl"))}


def calls(folder: Path, which: str = "score/base") -> int:
    return int(json.loads((folder / "run/result.json").read_text())["usage"]["by"][which]["requests"])


def trained(folder: Path) -> set[str]:
    return {row["input"] for row in rows(folder, "select") if row["split"] == "train"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    with serving() as server:
        assert run(folder, server).status == "done"
    return folder


def test_fewer_draws_choose_nearly_what_all_would(whole: Path, tmp_path: Path) -> None:
    with serving() as server:
        assert run(tmp_path, server, adaptive="false").status == "done"
    drawn = sum(row["draws"] for row in rows(whole, "score"))
    assert {row["draws"] for row in rows(tmp_path, "score")} == {DRAWS}
    assert drawn < 0.6 * SAMPLES * DRAWS
    assert json.loads((whole / "run/artifacts/score.seal.json").read_text())["notes"]["draws"] == drawn
    assert len(trained(whole) & trained(tmp_path)) >= 18


def test_a_row_says_how_many_draws_it_had_and_its_pass_rate_is_over_these(whole: Path) -> None:
    inputs = {row["id"]: row["input"] for row in rows(whole, "vote")}
    scored = rows(whole, "score")
    assert len({row["draws"] for row in scored}) > 2
    for row in scored:
        item = int(ITEM.search(inputs[row["id"]])[1])  # type: ignore[index]
        assert row["asked"] == row["draws"] and row["draws"] % WAVE == 0
        assert row["correct"] == sum(is_right(item, at) for at in range(row["draws"]))
        assert row["pass_rate"] == round(row["correct"] / row["draws"], 6)


def test_a_sample_held_out_for_validation_competes_for_no_place(whole: Path) -> None:
    held = [row for row in rows(whole, "select") if row["split"] == "validation"]
    assert held
    assert {row["draws"] for row in held} == {WAVE}


@pytest.mark.parametrize("after", [0, SAMPLES, SAMPLES + 17])
def test_a_stop_in_any_round_changes_no_byte_and_no_draw_is_asked_twice(
    whole: Path, tmp_path: Path, after: int
) -> None:
    with serving() as server:
        server.refuse_after = after
        assert run(tmp_path, server).status == "failed"
        assert not (tmp_path / "run/artifacts/score.seal.json").exists()
        server.refuse_after = None
        assert run(tmp_path, server).status == "done"
        assert server.scoring_calls == calls(whole)
    assert bytes_of(tmp_path) == bytes_of(whole)


def test_right_draws_replays_what_was_drawn_and_asks_for_nothing(whole: Path) -> None:
    plan = read_plan(whole / "plan")
    chosen = [row for row in rows(whole, "select") if row["split"] == "train"]

    async def replay() -> list[dict[str, Any]]:
        log = EventLog(whole / "replay.jsonl")
        engine = _Run(plan, RunFolder(whole / "run"), whole / "store", RunOptions(offline=True), log)
        found = await right_draws(engine._context(plan.stage("train")), chosen, DRAWS)
        await engine.pool.close()
        engine.cache.close()
        log.close()
        return found

    found = asyncio.run(replay())
    assert {row["id"].rsplit(":", 1)[0] for row in found} == {row["id"] for row in chosen}
