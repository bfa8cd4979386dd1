"""Greedy completions through vLLM and through the embedded server are the same text, save at near-ties."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import NamedTuple

import openai
import pytest

from sdrl.models.commands import embedded_base
from sdrl.models.servers import Server, ServerPlan
from sdrl.models.vllm import served_name, vllm_server
from sdrl.models.weights import Weights, weights_of
from sdrl.spec.model import Server as Spread
from sdrl.verifier import Verifier
from tests.vllm.parts import demo_plan, demo_prompts

pytestmark = pytest.mark.vllm

NEAR_TIE = 1e-3  # logits; float32 sums in another order differ by about 1e-5


class Completion(NamedTuple):
    text: str
    finish_reason: str
    tokens: int


async def greedy(plan: ServerPlan, model: str, prompts: list[str], logs: Path) -> list[Completion]:
    server = Server(plan, logs)
    await server.start()
    try:
        places = asyncio.Semaphore(32)
        async with openai.AsyncOpenAI(base_url=server.base_url, api_key="none", timeout=600) as client:

            async def ask(prompt: str) -> Completion:
                async with places:
                    reply = await client.completions.create(
                        model=model, prompt=prompt, temperature=0, top_p=1, max_tokens=80
                    )
                choice = reply.choices[0]
                assert reply.usage is not None
                return Completion(choice.text, choice.finish_reason, reply.usage.completion_tokens)

            return list(await asyncio.gather(*map(ask, prompts)))
    finally:
        await server.stop()


def gap_where_they_part(folder: Path, prompt: str, a: str, b: str) -> float:
    """The distance of the top two logits at the first token in which two greedy completions differ."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    start = tokenizer(prompt)["input_ids"]
    left, right = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in (a, b))
    same = next((i for i, pair in enumerate(zip(left, right, strict=False)) if pair[0] != pair[1]), None)
    shared = left[: min(len(left), len(right)) if same is None else same]
    with torch.no_grad():
        logits = model(torch.tensor([start + shared])).logits[0, -1]
    top = torch.topk(logits, 2).values
    return float(top[0] - top[1])


async def test_greedy_completions_agree_with_the_embedded_servers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = demo_plan()
    weights: Weights = weights_of("toy-base", plan.identities["base"], plan.base_dir)
    prompts = demo_prompts(plan)
    ours = await greedy(embedded_base("embedded", weights.local()), "toy-base", prompts, tmp_path)
    theirs = await greedy(vllm_server("base", weights, Spread()), served_name("base"), prompts, tmp_path)
    different = [at for at, pair in enumerate(zip(ours, theirs, strict=True)) if pair[0] != pair[1]]
    with capsys.disabled():
        sys.stdout.write(f"{len(prompts) - len(different)} of {len(prompts)} greedy completions agree\n")
    assert len(prompts) == 600
    assert len(different) <= len(prompts) // 100
    for at in different:
        gap = gap_where_they_part(weights.local(), prompts[at], ours[at].text, theirs[at].text)
        assert gap < NEAR_TIE, (prompts[at], ours[at], theirs[at])


async def test_a_wrong_prompt_format_would_show(tmp_path: Path) -> None:
    """The comparison can fail: one blank more before the answer, and the completions part."""
    plan = demo_plan()
    weights = weights_of("toy-base", plan.identities["base"], plan.base_dir)
    prompts = demo_prompts(plan)[:60]
    spaced = [prompt.replace("\n", "  \n") for prompt in prompts]
    server = embedded_base("embedded", weights.local())
    one = await greedy(server, "toy-base", prompts, tmp_path)
    two = await greedy(server, "toy-base", spaced, tmp_path)
    verifier = Verifier.from_program(plan.verifier)
    assert [verifier.extract(c.text).prediction for c in one] != [verifier.extract(c.text).prediction for c in two]
    assert sum(a != b for a, b in zip(one, two, strict=True)) > len(prompts) // 100
