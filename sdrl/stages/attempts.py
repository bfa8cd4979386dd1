"""Attempts at writing an example, numbered; attempt i is a function of the plan and of i alone.

Used by the generate stage for the first ``synthesize.samples`` readable examples, and by the vote stage to refill what
the vote dropped, up to ``synthesize.attempts`` in all.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from sdrl.compiler.plan import PartPlan
from sdrl.compiler.sample import Sample
from sdrl.compiler.schedule import demo_chance, wave_size
from sdrl.methods import METHODS, Attempt
from sdrl.stages.asking import Written, named, write_example
from sdrl.stages.context import Row, StageContext


@dataclass(frozen=True)
class Attempts:
    """Writes attempt after attempt in waves whose size depends on the plan alone."""

    ctx: StageContext
    passages: dict[str, list[Row]]
    patterns: dict[str, str | None]
    parts: tuple[PartPlan, ...]

    @classmethod
    def of(cls, ctx: StageContext) -> Attempts:
        """The attempts of a run whose keywords, retrieve and pattern stages are sealed."""
        passages: dict[str, list[Row]] = {}
        for row in ctx.rows("retrieve"):
            passages.setdefault(row["part"], []).append(row["passage"])
        patterns = {row["part"]: row["pattern"] for row in ctx.rows("pattern")}
        return cls(ctx, passages, patterns, part_of_each(ctx.plan.parts, ctx.plan.settings.synthesize.most_attempts))

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
        synthesize = self.ctx.plan.settings.synthesize
        limit = self.ctx.instructor_limit
        written = await self.ctx.each(indices, self._one, limit=limit, unit=f"of {synthesize.samples} examples")
        rows: list[Row] = []
        dropped: list[Row] = []
        for index, example in zip(indices, written, strict=True):
            if example.row is None:
                dropped.append({"attempt": index, "code": example.code, "evidence": example.evidence})
            else:
                rows.append(example.row)
        return rows, dropped

    async def _one(self, index: int) -> Written:
        attempt = self._attempt(index)
        draft = METHODS[self.ctx.plan.settings.synthesize.method](attempt)
        sampling = self.ctx.plan.settings.synthesize.sampling.resolved()
        seed = self.ctx.plan.seed_for("generate", index)
        example = await write_example(self.ctx, draft.prompt, attempt.part, draft.values, seed=seed, sampling=sampling)
        if example.row is None:
            return example
        passage = attempt.passage["id"] if attempt.passage else None
        row = {**example.row, "attempt": index, "origin": "initial", "parent": None, "passage": passage}
        return Written(named(row, (passage or "", str(index))))

    def _attempt(self, index: int) -> Attempt:
        part = self.parts[index]
        before = sum(other.name == part.name for other in self.parts[:index])
        passage = self._passage(part.name, before)
        return Attempt(index, part, passage, self.patterns.get(part.name), self._demos(index, part))

    def _passage(self, part: str, turn: int) -> Row | None:
        """The next ``retrieve.per_sample`` passages of the part, as one text; the pool is gone through in turns."""
        pool = self.passages.get(part, [])
        if not pool:
            return None
        wanted = min(self.ctx.plan.settings.retrieve.per_sample, len(pool))
        taken = [pool[(turn * wanted + step) % len(pool)] for step in range(wanted)]
        return {"id": "+".join(each["id"] for each in taken), "text": "\n\n".join(each["text"] for each in taken)}

    def _demos(self, index: int, part: PartPlan) -> tuple[Sample, ...]:
        synthesize = self.ctx.plan.settings.synthesize
        chance = random.Random(self.ctx.plan.seed_for("demos", index))
        if not part.demos or chance.random() >= demo_chance(synthesize, len(part.demos)):
            return ()
        wanted = synthesize.demos_per_prompt
        if wanted == "all" or wanted >= len(part.demos):
            return part.demos
        return tuple(chance.sample(part.demos, wanted))


def part_of_each(parts: Sequence[PartPlan], count: int) -> tuple[PartPlan, ...]:
    """The part of each of ``count`` attempts, so that every prefix holds the parts in nearly their shares."""
    given = dict.fromkeys((part.name for part in parts), 0)
    order = []
    for index in range(count):
        part = max(parts, key=lambda part: part.share * (index + 1) - given[part.name])
        given[part.name] += 1
        order.append(part)
    return tuple(order)
