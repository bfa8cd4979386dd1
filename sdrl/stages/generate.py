"""Step 4: S_initial: one new {input, output} an attempt, grounded in one passage (paper section 4.1, Figure 6).

Keeps the ``synthesize.samples`` readable examples with the lowest attempt numbers. The vote refills what it drops.
"""

from __future__ import annotations

from sdrl.spec.diagnostics import SdrlError
from sdrl.stages.attempts import Attempts
from sdrl.stages.context import Row, StageContext, StageOutput


async def run(ctx: StageContext) -> StageOutput:
    """Rows {id, attempt, part, origin, input, output, options, passage, prompt_hash, request_keys}."""
    wanted = ctx.plan.settings.synthesize.samples
    attempts = Attempts.of(ctx)
    rows: list[Row] = []
    dropped: list[Row] = []
    tried = 0
    while len(rows) < wanted and tried < attempts.most:
        size = min(attempts.most - tried, max(attempts.wave, wanted - len(rows)))
        made, lost = await attempts.write(range(tried, tried + size))
        rows += made
        dropped += lost
        tried += size
    if not rows:
        seen = sorted({row["code"] for row in dropped})
        raise SdrlError(
            "E862",
            f"the instructor wrote no readable example in {tried} attempts ({', '.join(seen)})",
            help="look at artifacts/generate.dropped.jsonl and at the prompt: sdrl preview SPEC --prompt generate",
        )
    kept = rows[:wanted]
    last = kept[-1]["attempt"]
    return StageOutput(kept, [row for row in dropped if row["attempt"] <= last], {"attempts": last + 1})
