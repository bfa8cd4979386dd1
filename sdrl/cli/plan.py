"""``sdrl plan``: what a plan will do: stages, prompts, verifier, requests, tokens and cost, expected and worst."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sdrl.compiler.plan import Plan

NOWRAP = 110


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("plan", metavar="DIR_OR_SPEC", type=Path, help="a plan folder, or a spec")
    parser.add_argument("--json", action="store_true", help="the whole plan as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the summary, or the plan's document."""
    plan = plan_of(args.plan)
    if args.json:
        from sdrl.compiler.plan_json import encode_plan

        print(json.dumps(encode_plan(plan), indent=2, sort_keys=True, ensure_ascii=False))
    else:
        print(summary(plan))
    return 0


def plan_of(path: Path) -> Plan:
    """The plan in a folder, or of a spec compiled on the spot (its warnings are not repeated here).

    Raises:
        SdrlError: the folder is no sound plan, or the spec has errors.
    """
    if path.is_dir():
        from sdrl.compiler.plan_file import read_plan

        return read_plan(path)
    from sdrl.compiler.compile import compile_spec

    return compile_spec(path).require()


def summary(plan: Plan) -> str:
    """The plan for a person, in plain aligned text."""
    asked = f"{_asked(plan)}\n  budget: {_budget(plan)}"
    blocks = [_head(plan), _stages(plan), asked, _prompts(plan), _verifier(plan), _sets(plan)]
    if plan.pending:
        blocks.append("pending (sdrl compile SPEC --pin)\n" + _items(plan.pending))
    if plan.not_yet_used:
        blocks.append("accepted, not yet used\n" + _items(plan.not_yet_used))
    return "\n\n".join(block for block in blocks if block)


def brief(plan: Plan) -> str:
    """What a person needs before saying yes: the hash, who is asked, how much, and what is not done yet."""
    parts = [_head(plan), _asked(plan)]
    if plan.not_yet_used:
        parts.append(f"accepted, not yet used: {', '.join(plan.not_yet_used)}")
    return "\n\n".join(parts)


def _head(plan: Plan) -> str:
    models = plan.settings.models
    lines = [f"plan {plan.name}", f"  hash        {plan.hash}"]
    if models is None:
        lines.append("  models      none: compiles and cannot run")
    else:
        endpoint = models.instructor.endpoint
        lines.append(f"  instructor  {models.instructor.model} at {endpoint} ({_short(plan.identities['instructor'])})")
        how = f"{models.base.serve}, {plan.base.kind}"
        lines.append(f"  base        {models.base.model}, {how} ({_short(plan.identities['base'])})")
    lines.append(f"  corpus      {_corpus(plan)}")
    lines.append(f"  parts       {_cut(', '.join(f'{part.name} {part.share:.0%}' for part in plan.parts))}")
    lines.append(f"  demos       {sum(len(part.demos) for part in plan.parts)}")
    return "\n".join(lines)


def _corpus(plan: Plan) -> str:
    if not plan.corpus:
        return "none: samples are not grounded"
    rows = sum(file.rows or 0 for file in plan.corpus)
    return _cut(", ".join(file.path for file in plan.corpus)) + (f" ({rows:,} passages)" if rows else "")


def _stages(plan: Plan) -> str:
    rows = [(stage.name, stage.hash[:12], ", ".join(stage.parents) or "-") for stage in plan.stages]
    return table(("stage", "hash", "reads"), rows)


def _asked(plan: Plan) -> str:
    """Requests, tokens in and out (thousands) and cost by stage, expected beside worst case, then training."""
    estimate = plan.estimate
    rows = [_load(entry["stage"], entry["asks"], entry["expected"], entry["worst"]) for entry in estimate["stages"]]
    for role in ("instructor", "base"):
        rows.append(_load("all", role, estimate[role]["expected"], estimate[role]["worst"]))
    wide = ("requests", "draws", "k in", "k out", "cost")
    header = ("stage", "asks", *(cell for name in wide for cell in (name, "worst")))
    training = estimate["training"]
    settings = plan.settings.train
    return "\n".join(
        [
            table(header, rows, right=range(2, 12)),
            f"  training: {settings.algorithm}, at most {training['updates']:,} updates over {training['samples']:,} "
            f"samples, {training['completions']:,} rollouts",
            *_wrapped("estimate", estimate["method"]),
        ]
    )


def _wrapped(title: str, text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(f"{title}: {text}", NOWRAP, initial_indent="  ", subsequent_indent="    ")


def _budget(plan: Plan) -> str:
    """The caps at which a run ends, whatever the estimate says."""
    budget = plan.settings.budget
    caps = [] if budget.usd is None else [f"${budget.usd:,.2f}"]
    caps += [f"{cap:,} {unit}" for cap, unit in ((budget.requests, "requests"), (budget.tokens, "tokens")) if cap]
    caps += [] if budget.wall_hours is None else [f"{budget.wall_hours:g} hours"]
    return f"at most {', '.join(caps)}" if caps else "none: nothing caps the worst case"


def _load(stage: str, asks: str, low: dict[str, Any], high: dict[str, Any]) -> tuple[str, ...]:
    from sdrl.compiler.readme import dollars

    cells = [stage, asks]
    for key in ("requests", "draws"):
        cells += [f"{low[key]:,}", f"{high[key]:,}"]
    for key in ("prompt_tokens", "completion_tokens"):
        cells += [f"{case[key] / 1000:,.1f}" for case in (low, high)]
    cells += [dollars(low["microusd"]), dollars(high["microusd"])] if asks == "instructor" else ["-", "-"]
    return tuple(cells)


def _prompts(plan: Plan) -> str:
    from sdrl.compiler.canonical import digest_text

    own = {str(name) for name, prompt in plan.settings.prompts.items() if prompt.file}
    rows = [
        (name, digest_text(source)[:12], f"{len(source.encode()):,} bytes", "own" if name in own else "shipped")
        for name, source in sorted(plan.templates.items())
    ]
    stop = ", ".join(map(repr, plan.base.stop)) or "none"
    return table(("prompt", "sha256", "template", "from"), rows) + f"\n  base stop strings: {stop}"


def _verifier(plan: Plan) -> str:
    program = {key: value for key, value in plan.verifier.items() if value is not None}
    tested = plan.self_test
    return (
        f"verifier\n  {_cut(json.dumps(program, ensure_ascii=False, sort_keys=True))}\n"
        f"  self-test passed: {tested['demos']} demos, {tested['mutants']} forms, {tested['instructions']} instructions"
    )


def _sets(plan: Plan) -> str:
    if not plan.evaluations:
        return "evaluation sets: none (the result will speak of the synthetic validation split only)"
    rows = [
        (item.name, f"{item.rows:,}" if item.sha256 else "pending", item.shift, str(item.runs), item.sha256[:12] or "-")
        for item in plan.evaluations
    ]
    return table(("evaluation set", "problems", "shift", "runs", "sha256"), rows, right=(1, 3))


def _items(items: Sequence[str]) -> str:
    return "\n".join(f"  {item}" for item in items)


def _short(identity: str) -> str:
    return identity if len(identity) <= 48 else identity[:30] + "…"


def _cut(text: str) -> str:
    return text if len(text) <= NOWRAP else text[: NOWRAP - 1] + "…"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] | range = ()) -> str:
    """Aligned columns, two spaces apart, indented by two below the header; no trailing spaces."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return ("  " + "  ".join(padded)).rstrip()

    return "\n".join([line(header), *map(line, rows)])
