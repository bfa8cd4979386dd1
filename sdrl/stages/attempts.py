"""Attempts at writing an example, numbered; attempt i is a function of the plan, of i and of earlier replies alone.

Under a method whose prompts show earlier samples, attempt i sees those of the waves before its own, whoever asks for it
and when: waves are cut at multiples of one size. Used by the generate stage for the first ``synthesize.samples``
readable examples, and by the vote stage to refill what the vote dropped, up to ``synthesize.attempts`` in all.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from sdrl.compiler.plan import PartPlan
from sdrl.compiler.sample import Sample
from sdrl.compiler.schedule import demo_chance, wave_size
from sdrl.corpus.passage import JOIN
from sdrl.methods import METHODS, Attempt, Registered
from sdrl.spec.method_table import GROUNDED
from sdrl.stages.asking import Written, example_of, named
from sdrl.stages.context import Row, StageContext
from sdrl.stages.driving import driven
from sdrl.stages.pools import Pools


@dataclass(frozen=True)
class Attempts:
    """Writes attempt after attempt in waves whose size depends on the plan alone."""

    ctx: StageContext
    passages: dict[str, list[Row]]
    patterns: dict[str, str | None]
    parts: tuple[PartPlan, ...]
    turns: tuple[int, ...]
    pools: Pools

    @classmethod
    def of(cls, ctx: StageContext, written: Sequence[Row] = ()) -> Attempts:
        """The attempts of a run whose keywords, retrieve and pattern stages are sealed; ``written`` are the rows of
        earlier attempts."""
        passages: dict[str, list[Row]] = {}
        for row in ctx.rows("retrieve"):
            passages.setdefault(row["part"], []).append(row["passage"])
        patterns = {row["part"]: row["pattern"] for row in ctx.rows("pattern")}
        parts = part_of_each(ctx.plan.parts, ctx.plan.settings.synthesize.most_attempts)
        return cls(
            ctx, passages, patterns, parts, turns_of(parts), Pools(ctx.plan.parts, _method(ctx).most_alike, written)
        )

    @property
    def wave(self) -> int:
        """How many attempts go out together."""
        return wave_size(self.ctx.plan.settings.synthesize.samples)

    @property
    def most(self) -> int:
        """The last attempt's number plus one."""
        return self.ctx.plan.settings.synthesize.most_attempts

    async def write(self, indices: Sequence[int]) -> tuple[list[Row], list[Row]]:
        """Write these attempts: rows and dropped rows, each in the order of the attempts."""
        rows: list[Row] = []
        dropped: list[Row] = []
        for wave in aligned(indices, self.wave) if self.pools.grow else [indices]:
            made, lost = await self._wave(wave)
            rows += made
            dropped += lost
        return rows, dropped

    async def _wave(self, indices: Sequence[int]) -> tuple[list[Row], list[Row]]:
        wanted = self.ctx.plan.settings.synthesize.samples
        limit = self.ctx.instructor_limit
        unit = "examples" if len(indices) == wanted else f"examples ({wanted} wanted)"
        written = await self.ctx.each(indices, self._one, limit=limit, unit=unit)
        rows: list[Row] = []
        dropped: list[Row] = []
        for index, example in zip(indices, written, strict=True):
            if example.row is None:
                dropped.append({"attempt": index, "code": example.code, "evidence": example.evidence})
            elif alike := self.pools.take(example.row):
                dropped.append({**example.row, "code": "near_duplicate", "evidence": alike})
            else:
                rows.append(example.row)
        return rows, dropped

    async def _one(self, index: int) -> Written:
        attempt = self._attempt(index)
        method = _method(self.ctx)
        made = await driven(self.ctx, method.write(attempt), attempt)
        if made.example is None:
            return Written(None, made.code, made.evidence)
        example = made.example
        written = example_of(self.ctx, attempt.part, example.reply, made.prompt_hash, made.request_keys)
        if written.row is None:
            return written
        passage = example.passage or (attempt.passage["id"] if attempt.passage else None)
        row = {**written.row, "attempt": index, "origin": "initial", "parent": None, "passage": passage}
        if method.facts.name != GROUNDED:
            source = {"method": method.facts.name, "steps": list(made.request_keys), "parents": list(example.parents)}
            row["source"] = source | ({"notes": dict(example.notes)} if example.notes else {})
        return Written(named(row, (passage or "", str(index))))

    def _attempt(self, index: int) -> Attempt:
        part, turn = self.parts[index], self.turns[index]
        return Attempt(
            index,
            part,
            self._passage(part.name, turn),
            self.patterns.get(part.name),
            self._demos(index, part),
            self.ctx.plan,
            self.ctx.verifier,
            library=self.passages.get(part.name, ()),
            turn=turn,
            seed=self.ctx.plan.seed_for("attempt", index),
            pool=self.pools.before(part.name, index - index % self.wave),
        )

    def _passage(self, part: str, turn: int) -> Row | None:
        """The next ``retrieve.per_sample`` passages of the part, as one text; the pool is gone through in turns."""
        pool = self.passages.get(part, [])
        if not pool:
            return None
        wanted = min(self.ctx.plan.settings.retrieve.per_sample, len(pool))
        taken = [pool[(turn * wanted + step) % len(pool)] for step in range(wanted)]
        return {"id": JOIN.join(each["id"] for each in taken), "text": "\n\n".join(each["text"] for each in taken)}

    def _demos(self, index: int, part: PartPlan) -> tuple[Sample, ...]:
        synthesize = self.ctx.plan.settings.synthesize
        chance = random.Random(self.ctx.plan.seed_for("demos", index))
        if not part.demos or chance.random() >= demo_chance(synthesize, len(part.demos)):
            return ()
        wanted = synthesize.demos_per_prompt
        if wanted == "all" or wanted >= len(part.demos):
            return part.demos
        return tuple(chance.sample(part.demos, wanted))


def _method(ctx: StageContext) -> Registered:
    return METHODS[ctx.plan.settings.synthesize.method]


def aligned(indices: Sequence[int], size: int) -> list[list[int]]:
    """Ascending indices cut at the multiples of ``size``."""
    return [list(group) for _, group in groupby(indices, key=lambda index: index // size)]


def part_of_each(parts: Sequence[PartPlan], count: int) -> tuple[PartPlan, ...]:
    """The part of each of ``count`` attempts, so that every prefix holds the parts in nearly their shares."""
    given = dict.fromkeys((part.name for part in parts), 0)
    order = []
    for index in range(count):
        part = max(parts, key=lambda part: part.share * (index + 1) - given[part.name])
        given[part.name] += 1
        order.append(part)
    return tuple(order)


def turns_of(parts: Sequence[PartPlan]) -> tuple[int, ...]:
    """How many attempts before each one are of its part."""
    given: Counter[str] = Counter()
    turns = []
    for part in parts:
        turns.append(given[part.name])
        given[part.name] += 1
    return tuple(turns)
