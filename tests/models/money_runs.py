"""Randomised runs against a provider that keeps its own bill: ``python -m tests.models.money_runs 1000``.

Model, client, ledger and request cache are the real ones. ``FakeProvider`` is a fake transport: it answers or fails by
chance, uses tokens up to the bounds, and bills what it made whether or not the reply arrived. A kill is the store as
it lies on the disk at some call, taken over by a run that starts from it.
"""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import aiohttp

from sdrl.models.breaker import RetryPolicy
from sdrl.models.draws import token_bounds
from sdrl.models.ledger import Caps, Price
from sdrl.models.request import Request
from sdrl.models.transport import Answer
from sdrl.spec.diagnostics import SdrlError
from tests.models.parts import ask, opened

PATIENT = RetryPolicy(first_delay=0, most_delay=0, open_after=10_000, lost_rows=10_000, silent=60, never_answered=60)
AT_ONCE = 40  # runs side by side: a limiter spreads its first sends over a tenth of a second
HOWS = (
    "whole",
    "no_usage",
    "dropped",
    "timeout",
    "unread",
    "half",
    "500",
    "504",
    "429",
    "unreachable",
    "few",
    "broken",
)
# a commit waits for the disk, and here it is not the disk that is tested
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None


@dataclass
class FakeProvider:
    """A transport that is its own endpoint. ``bill`` in dollars / 10^12, exactly; nothing in it is ever rounded."""

    rng: random.Random
    requests: dict[str, Request]
    price: Price
    weights: dict[str, float]
    kill_at: int | None = None
    bill: Fraction = Fraction(0)
    tokens: int = 0
    calls: int = 0
    ways: Counter[str] = field(default_factory=Counter)
    killed: asyncio.Event = field(default_factory=asyncio.Event)

    async def post(self, path: str, body: bytes) -> Answer:
        asked = json.loads(body)
        how = self.rng.choices(list(self.weights), list(self.weights.values()))[0]
        self.ways[how] += 1
        if how != "unreachable":
            self.calls += 1
        if self.kill_at is not None and self.calls >= self.kill_at:
            self.killed.set()
        for _ in range(self.rng.randrange(4)):
            await asyncio.sleep(0)
        made = self._make(asked) if how not in ("500", "429", "unreachable") else {}
        if how == "unreachable":
            raise aiohttp.ServerTimeoutError("no connection") from ConnectionRefusedError()
        if how == "dropped":
            raise aiohttp.ServerDisconnectedError("gone")
        if how == "timeout":
            raise TimeoutError("no reply")
        if how in ("500", "504", "429"):
            return Answer(int(how), {}, b'{"error": {"message": "fake"}}')
        if how == "half":
            return Answer(200, {}, json.dumps(made).encode()[:30])
        self._spoil(made, how)
        return Answer(200, {}, json.dumps(made).encode())

    def _spoil(self, made: dict[str, Any], how: str) -> None:
        if how == "no_usage":
            made.pop("usage")
        elif how == "few" and len(made["choices"]) > 1:
            made["choices"] = made["choices"][: self.rng.randint(1, len(made["choices"]) - 1)]
        elif how == "broken":
            made["choices"][0]["finish_reason"] = "error"
        elif how == "unread":
            made["choices"] = [{"index": 0}]

    def _make(self, asked: dict[str, Any]) -> dict[str, Any]:
        """A reply, billed: any use up to the bounds, often the whole of them."""
        n = asked.get("n", 1)
        most_prompt, most_completion = token_bounds(self.requests[asked["messages"][-1]["content"]], n)
        assert most_completion is not None
        prompt = self.rng.choice([most_prompt, self.rng.randint(1, most_prompt)])
        completion = self.rng.choice([most_completion, self.rng.randint(1, most_completion)])
        cached = self.rng.choice([0, prompt, self.rng.randint(0, prompt)])
        reasoning = self.rng.randint(0, completion)
        self.bill += (prompt - cached) * self.price.input + cached * self.price.cached_input
        self.bill += completion * self.price.output
        self.tokens += prompt + completion
        usage: dict[str, Any] = {"prompt_tokens": prompt, "total_tokens": prompt + completion}
        if self.rng.random() < 0.5:
            usage |= {"completion_tokens": completion, "completion_tokens_details": {"reasoning_tokens": reasoning}}
        else:  # reported apart
            usage |= {"completion_tokens": completion - reasoning}
            usage |= {"completion_tokens_details": {"reasoning_tokens": reasoning}}
        usage |= (
            {"prompt_tokens_details": {"cached_tokens": cached}}
            if self.rng.random() < 0.5
            else {"prompt_cache_hit_tokens": cached}
        )
        said = {"role": "assistant", "content": f"reply {self.rng.random()}"}
        choices = [{"index": i, "finish_reason": "stop", "message": said} for i in range(n)]
        return {"choices": choices, "usage": usage}

    async def close(self) -> None:
        return None


@dataclass
class Course:
    """How a randomised run went: over all its processes."""

    caps: Caps
    kills: int = 0
    ended_by: str = ""
    spent: list[int] = field(default_factory=list)
    ways: Counter[str] = field(default_factory=Counter)


def some_caps(rng: random.Random, worst: int, tokens: int) -> Caps:
    """Caps between less than one call and more than all of them, on any of the three."""
    usd = rng.randint(0, worst * rng.choice([1, 6, 40, 200])) if rng.random() < 0.8 else None
    requests = rng.randint(0, 80) if rng.random() < 0.3 else None
    most = rng.randint(0, tokens * rng.choice([1, 10, 100])) if rng.random() < 0.3 else None
    return Caps(usd if usd is not None or requests is not None or most is not None else worst, requests, most)


async def one_run(seed: int, folder: Path) -> Course:
    """One run, killed and taken up again up to twice; asserts after every process that no cap is exceeded."""
    rng = random.Random(seed)
    price = Price(*(rng.choice([0, 1, rng.randrange(10**5), rng.randrange(10**8)]) for _ in range(3)))
    sampling = {"temperature": 1.0, "max_tokens": rng.randint(1, 400)}
    requests = [
        ask(f"question {at} " + "x" * rng.randrange(200), sampling=sampling) for at in range(rng.randint(1, 30))
    ]
    by_text = {str((request.messages or ())[-1]["content"]): request for request in requests}
    draws = rng.randint(1, 5)
    prompt, completion = token_bounds(requests[0], draws)
    caps = some_caps(rng, price.most(prompt, completion or 0) + 1, prompt + (completion or 0))
    faulty = rng.random()
    weights = {how: 1.0 if how == "whole" else faulty * rng.random() * 0.4 for how in HOWS}
    provider = FakeProvider(rng, by_text, price, weights)
    course = Course(caps, ways=provider.ways)
    for process in range(3):
        last = process == 2 or rng.random() < 0.3
        provider.kill_at = None if last else provider.calls + rng.randint(1, 25)
        provider.killed = asyncio.Event()
        store, image = folder / f"{process}", folder / f"{process + 1}"
        async with opened(
            store,
            "http://fake",
            caps=caps,
            price=price,
            policy=PATIENT,
            concurrency=rng.randint(1, 12),
            through=lambda endpoint: provider,
        ) as bench:
            jobs = [asyncio.create_task(bench.model.draw(request, range(draws))) for request in requests]
            killing = asyncio.create_task(provider.killed.wait())
            done = asyncio.gather(*jobs, return_exceptions=True)
            await asyncio.wait([killing, done], return_when=asyncio.FIRST_COMPLETED)
            if provider.killed.is_set():
                course.kills += 1
                shutil.copytree(store, image)  # what a kill leaves behind; the rest of this process never was
                check(course, provider, sum_of_calls(image))
            killing.cancel()
            for job in jobs:
                job.cancel()
            results = await done
            await asyncio.gather(killing, return_exceptions=True)
            if not provider.killed.is_set():
                check(course, provider, sum_of_calls(store), bench.ledger.total().microusd)
                course.ended_by = ", ".join(sorted({why(result) for result in results}))
                return course
    raise AssertionError("the last process is not killed")


def why(result: object) -> str:
    """How one row ended."""
    return result.code if isinstance(result, SdrlError) else "whole"


def sum_of_calls(store: Path) -> tuple[int, int, int]:
    """Micro-dollars, requests and tokens that the store says were spent, read as a run that starts there reads them."""
    from sdrl.models.cache import Cache
    from sdrl.models.ledger import Ledger

    cache = Cache(store)
    total = Ledger(cache, "run").total()
    cache.close()
    return total.microusd, total.requests, total.tokens


def check(course: Course, provider: FakeProvider, spent: tuple[int, int, int], ledger: int | None = None) -> None:
    """No cap is exceeded, and nothing that the provider bills is missing from what counts as spent."""
    microusd, requests, tokens = spent
    course.spent.append(microusd)
    caps = course.caps
    assert caps.microusd is None or microusd <= caps.microusd, (microusd, caps)
    assert caps.requests is None or requests <= caps.requests, (requests, caps)
    assert caps.tokens is None or tokens <= caps.tokens, (tokens, caps)
    assert provider.bill <= microusd * 10**6, (provider.bill, microusd)
    assert provider.calls <= requests
    assert provider.tokens <= tokens
    assert ledger is None or ledger == microusd, (ledger, microusd)


async def one_of_many(seed: int) -> Course:
    with tempfile.TemporaryDirectory(prefix="money-", dir=MEMORY) as folder:
        try:
            return await one_run(seed, Path(folder))
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error


def many(seeds: range) -> tuple[Counter[str], Counter[str], int]:
    """Run them all, some side by side: how they ended, how calls ended, and kills."""

    async def some(part: range) -> list[Course]:
        return await asyncio.gather(*(one_of_many(seed) for seed in part))

    courses = [course for at in range(0, len(seeds), AT_ONCE) for course in asyncio.run(some(seeds[at : at + AT_ONCE]))]
    ways: Counter[str] = Counter()
    for course in courses:
        ways += course.ways
    return Counter(course.ended_by for course in courses), ways, sum(course.kills for course in courses)


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    ends, ways, kills = many(range(count))
    print(f"{count} runs, {sum(ways.values()):,} calls, {kills} kills; no cap exceeded, every bill covered")
    print("runs ended by:", dict(ends.most_common()))
    print("calls ended by:", dict(ways.most_common()))
