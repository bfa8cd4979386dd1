"""Filters that compare vectors: what they drop, the stand-in embedder, and a run that asks it over HTTP."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from sdrl.compiler.compile import compile_spec, write_plan
from sdrl.compiler.plan_file import read_plan
from sdrl.embedded.embedder import DIMENSIONS, embed
from sdrl.filters import FilterState, apply_filters
from sdrl.models.faults import CallFault
from sdrl.models.reply import read_reply
from sdrl.run.executor import RunOptions, execute
from sdrl.run.folder import RunFolder
from sdrl.spec.locate import specs_dir
from sdrl.spec.model import FilterStep

VECTORS = {"up": [1.0, 0.0], "up too": [10.0, 1.0], "right": [0.0, 1.0], "down": [-1.0, 0.0]}


def sample(id_: str, text: str, **more: Any) -> dict[str, Any]:
    return {"id": id_, "input": text, **more}


def dropped(step: FilterStep, samples: list[dict[str, Any]], state: FilterState) -> dict[str, Any]:
    state.learn(VECTORS)
    return {drop.sample["id"]: (drop.code, drop.evidence) for drop in apply_filters([step], samples, state).dropped}


def test_a_sample_close_to_one_kept_before_goes_whatever_the_vectors_lengths() -> None:
    samples = [sample("a", "up"), sample("b", "up too"), sample("c", "right"), sample("d", "down")]
    cosine = round(10 / math.sqrt(101), 4)
    assert dropped(FilterStep(embedding=0.9), samples, FilterState()) == {
        "b": ("similar", {"of": "a", "cosine": cosine})
    }
    assert dropped(FilterStep(embedding=0.999), samples, FilterState()) == {}


def test_a_parent_does_not_count_and_a_sample_without_a_vector_stays() -> None:
    state = FilterState()
    state.learn(VECTORS)
    state.remember([sample("a", "up"), sample("z", "never embedded")])
    later = [sample("child", "up too", parent="a"), sample("unknown", "no vector"), sample("b", "up too", parent="z")]
    assert set(dropped(FilterStep(embedding=0.9), later, state)) == {"b"}


def test_more_samples_than_one_block_of_rows_are_compared() -> None:
    state = FilterState()
    turned = {f"t{n}": [math.cos(n / 100), math.sin(n / 100)] for n in range(600)}
    state.learn(turned)
    state.remember([sample(name, name) for name in turned])
    state.learn({"new": turned["t599"]})
    found = apply_filters([FilterStep(embedding=0.9999)], [sample("n", "new")], state).dropped
    assert found[0].evidence == {"of": "t599", "cosine": 1.0}


def test_a_sample_close_to_an_evaluation_input_is_contaminated() -> None:
    state = FilterState({"test": ["right", "up"], "other": ["down"]})
    found = dropped(FilterStep(decontaminate_embedding=0.9), [sample("a", "up too"), sample("b", "up")], state)
    assert found["b"] == ("contaminated", {"set": "test", "row": 1, "cosine": 1.0})
    assert found["a"][1]["row"] == 1


def test_the_stand_in_counts_words_and_takes_all_numbers_for_one() -> None:
    def cosine(a: str, b: str) -> float:
        return sum(x * y for x, y in zip(embed(a), embed(b), strict=True))

    text = "Lena has 12 eggs and sells 4 of them at the market."
    assert len(embed(text)) == DIMENSIONS
    assert cosine(text, text.replace("12", "97").upper()) == pytest.approx(1, abs=1e-4)
    assert 0.5 < cosine(text, "Lena has 12 hens and sells 4 of them at the farm.") < 0.95
    assert abs(cosine(text, "What is the capital of a country that you choose yourself?")) < 0.3
    assert embed("?!") == [0.0] * DIMENSIONS


def test_a_reply_of_an_embeddings_endpoint_is_read_strictly() -> None:
    def body(vector: Any) -> bytes:
        return json.dumps({"data": [{"index": 0, "embedding": vector}], "usage": {"prompt_tokens": 3}}).encode()

    reply = read_reply(body([0.123456789, -1]), "embeddings")
    assert json.loads(reply.choices[0].text) == [0.123457, -1.0]
    assert (reply.prompt_tokens, reply.completion_tokens, reply.usage_known) == (3, 0, True)
    for bad in (b"[]", b'{"data": []}', body([]), body(["x"]), body("AAAA"), body([1e999]), b'{"data": [{}]}'):
        with pytest.raises(CallFault):
            read_reply(bad, "embeddings")


def test_a_run_compares_vectors_that_the_embedder_gave(tmp_path: Path) -> None:
    """The stock texts that the scripted instructor repeats with another number are one text to this embedder."""
    spec = (specs_dir() / "word-problems.yaml").read_text(encoding="utf-8")
    spec = re.sub(r"synthesize: .*", "synthesize: {samples: 60, sampling: {temperature: 0.7, max_tokens: 512}}", spec)
    spec = re.sub(r"select: .*", "select: {samples: 30, min: 1}", spec)
    spec = spec.replace("  base:", "  embedder: {model: hashed-words, endpoint: embedded}\n  base:")
    spec += "filter: [{embedding: 0.97}, {decontaminate_embedding: 0.97}]\n"
    for name in ("prompts", "passages", "data"):
        (tmp_path / name).symlink_to(specs_dir() / name)
    (tmp_path / "vectors.yaml").write_text(spec)
    write_plan(compile_spec(tmp_path / "vectors.yaml"), tmp_path / "plan")
    plan = read_plan(tmp_path / "plan")
    assert plan.stage("vote").identity["embedder"].startswith("hashed-words@")
    assert "embedder" not in plan.stage("score").identity
    made = []
    for run in ("first", "again"):
        options = RunOptions(until="vote", offline=run == "again")
        ending = execute(plan, RunFolder(tmp_path / run), tmp_path / "store", options)
        assert ending.status == "done", ending.message
        (tmp_path / "store/artifacts").rename(tmp_path / run / "away")  # nothing sealed to take over: all is replayed
        made.append((tmp_path / run / "artifacts/vote.dropped.jsonl").read_bytes())
    assert made[0] == made[1]
    lost = [row for row in map(json.loads, made[0].decode().splitlines()) if row["code"] == "similar"]
    assert lost and all(row["evidence"]["cosine"] >= 0.97 for row in lost)
    used = json.loads((tmp_path / "first/result.json").read_text())["usage"]["by"]
    assert used["vote/embedder"]["requests"] > 600  # every evaluation input, and every sample
