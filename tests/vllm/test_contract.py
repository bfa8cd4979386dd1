"""One generation contract through real vLLM: completions and verdicts are the embedded server's, of RUN/model too.

`tests/training/test_generation_parity.py` holds TRL's rollouts to the embedded server's, so that all three are one.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import openai
import pytest

from sdrl.compiler.identities import embedded_folder
from sdrl.models.commands import embedded_base
from sdrl.models.servers import Server, ServerPlan
from sdrl.models.vllm import served_name, vllm_server
from sdrl.models.weights import Weights
from sdrl.spec.model import Server as Spread
from sdrl.verifier import Verifier
from tests.vllm.parts import demo_plan, demo_prompts

pytestmark = pytest.mark.vllm

LIMIT = 64
N = 150


class Completion(NamedTuple):
    text: str
    finish_reason: str


Asked = list[list[Completion]]


@asynccontextmanager
async def served(plan: ServerPlan, logs: Path) -> AsyncIterator[openai.AsyncOpenAI]:
    server = Server(plan, logs)
    await server.start()
    try:
        async with openai.AsyncOpenAI(base_url=server.base_url, api_key="none", timeout=600) as client:
            yield client
    finally:
        await server.stop()


async def ask(client: openai.AsyncOpenAI, model: str, prompts: Sequence[str], **body: Any) -> Asked:
    places = asyncio.Semaphore(32)

    async def one(prompt: str) -> list[Completion]:
        async with places:
            extra = {key: body[key] for key in ("stop_token_ids",) if key in body}
            rest = {key: value for key, value in body.items() if key not in extra}
            reply = await client.completions.create(
                model=model, prompt=prompt, max_tokens=LIMIT, top_p=1, seed=5, extra_body=extra, **rest
            )
        return [Completion(choice.text, choice.finish_reason) for choice in reply.choices]

    return list(await asyncio.gather(*map(one, prompts)))


def two_end_tokens(tmp_path: Path) -> Path:
    """The toy base with a second end token (``=``) and sampling defaults that must not act."""
    folder = tmp_path / "toy"
    shutil.copytree(embedded_folder() / "toy_base", folder)
    path = folder / "generation_config.json"
    config = json.loads(path.read_text())
    ends = [config["eos_token_id"], token_of(folder, "=")]
    path.write_text(json.dumps({**config, "eos_token_id": ends, "repetition_penalty": 1.8, "max_new_tokens": 3}))
    return folder


def token_of(folder: Path, text: str) -> int:
    from sdrl.embedded.texts import load_tokenizer

    (found,) = load_tokenizer(folder)(text, add_special_tokens=False)["input_ids"]
    return int(found)


async def test_stops_end_tokens_and_draws_are_the_embedded_servers(tmp_path: Path) -> None:
    plan = demo_plan()
    prompts, plain = demo_prompts(plan)[:N], embedded_folder() / "toy_base"
    folder = two_end_tokens(tmp_path)
    cases: list[dict[str, Any]] = [
        {"temperature": 0, "stop": ["####", "\n\n"]},
        {"temperature": 0},
        {"temperature": 0, "stop_token_ids": [token_of(plain, "+")]},
        {"temperature": 0.8, "n": 16},
    ]
    found: dict[str, list[Asked]] = {}
    weights = Weights(folder, "toy")
    for name, server, model in (
        ("embedded", embedded_base("embedded", folder), "toy"),
        ("vllm", vllm_server("base", weights, Spread()), served_name("base")),
    ):
        async with served(server, tmp_path) as client:
            found[name] = [await ask(client, model, prompts[: 40 if "n" in case else N], **case) for case in cases]
    greedy = list(zip(found["embedded"][:3], found["vllm"][:3], strict=True))
    for ours, theirs in greedy:
        same = sum(a == b for a, b in zip(ours, theirs, strict=True))
        assert same >= 0.99 * N, next((a, b) for a, b in zip(ours, theirs, strict=True) if a != b)
    assert not any("=" in row[0].text for row in found["vllm"][1])  # the second end token is no part of the text
    assert not any("####" in row[0].text for row in found["vllm"][0])
    # Sampled: mean lengths in characters within four standard errors of one another, paired over prompts.
    differences = [
        sum(len(one.text) for one in a) / 16 - sum(len(one.text) for one in b) / 16
        for a, b in zip(found["embedded"][3], found["vllm"][3], strict=True)
    ]
    mean = sum(differences) / len(differences)
    deviation = (sum((value - mean) ** 2 for value in differences) / (len(differences) - 1)) ** 0.5
    assert abs(mean) < 4 * deviation / len(differences) ** 0.5


async def test_a_trained_folder_serves_as_it_stands(tmp_path: Path) -> None:
    """One update of real training, then vLLM with the folder's own generation config: as the embedded server."""
    from sdrl.training.job import TrainingJob
    from sdrl.training.launch import run_training

    plan = demo_plan()
    prompts = demo_prompts(plan)[:N]
    answer = "1 + 1 = 2\n#### 2"
    rows = [{"id": f"r{at}", "prompt": one, "gold": "2", "completion": answer} for at, one in enumerate(prompts[:8])]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    job = TrainingJob.model_validate(
        {
            "plan_hash": "p", "stage_hash": "s", "model": str(embedded_folder() / "toy_base"), "algorithm": "sft",
            "out_dir": tmp_path / "model", "work_dir": tmp_path / "work", "train_rows": tmp_path / "rows.jsonl",
            "verifier": plan.verifier, "learning_rate": 1e-5, "prompts_per_step": 8, "max_steps": 1,
            "max_completion_tokens": LIMIT, "device": "cpu", "threads": 1,
        }
    )  # fmt: skip
    outcome = await run_training(job, on_metrics=lambda row: None)
    assert outcome.status == "ok", outcome
    bare = vllm_server("trained", Weights(job.out_dir, "model"), Spread())
    words = list(bare.command)
    at = words.index("--generation-config")
    bare = ServerPlan(bare.role, words[:at] + words[at + 2 :], bare.ready, bare.deadline_s, bare.environment)
    async with served(embedded_base("embedded", job.out_dir), tmp_path) as client:
        ours = [row[0] for row in await ask(client, "model", prompts, temperature=0)]
    async with served(bare, tmp_path) as client:
        theirs = [row[0] for row in await ask(client, served_name("trained"), prompts, temperature=0)]
    verifier = Verifier.from_program(plan.verifier)
    assert sum(a == b for a, b in zip(ours, theirs, strict=True)) >= 0.99 * N
    verdicts = [[verifier.extract(one.text).prediction for one in some] for some in (ours, theirs)]
    assert sum(a == b for a, b in zip(*verdicts, strict=True)) >= 0.99 * N
    assert sum(prediction is not None for prediction in verdicts[1]) > 0.8 * N
