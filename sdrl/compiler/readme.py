"""README.md of a plan folder: what will happen, for a person. Made from the plan alone; nothing reads it back."""

from __future__ import annotations

from typing import Any

from sdrl.compiler.plan import Plan


def write_readme(plan: Plan) -> str:
    """The summary as Markdown."""
    settings = plan.settings
    lines = [
        f"# Plan {plan.name}",
        "",
        f"Hash `{plan.hash}`. Made by `sdrl compile`; do not edit: `sdrl run` checks every byte.",
        "",
    ]
    lines += ["## Task", ""]
    for part in plan.parts:
        lines.append(
            f"- **{part.name}** ({part.share:.0%} of the samples, {len(part.demos)} demos): {part.description}"
        )
    lines += ["", "## Models", ""]
    if settings.models is None:
        lines.append("None: this plan cannot run.")
    else:
        lines.append(f"- instructor: `{settings.models.instructor.model}` (`{plan.identities['instructor']}`)")
        lines.append(f"- base: `{settings.models.base.model}` (`{plan.identities['base']}`), asked {plan.base.kind}")
    lines += ["", "## Stages", "", "| stage | hash | reads |", "|---|---|---|"]
    lines += [f"| {stage.name} | `{stage.hash[:12]}` | {', '.join(stage.parents) or '-'} |" for stage in plan.stages]
    lines += ["", *estimate_lines(plan.estimate)]
    lines += ["", "## Evaluation sets", ""]
    lines += [
        f"- {item.name}: {item.rows} problems, {item.shift}, {item.runs} run(s)"
        if item.sha256
        else f"- {item.name}: pending"
        for item in plan.evaluations
    ] or ["None: the result will speak of the synthetic validation split only."]
    lines += _listed("Pending (fetched by `sdrl compile --pin`)", plan.pending)
    lines += _listed("Accepted, not yet used", plan.not_yet_used)
    lines += [
        "",
        "## Files",
        "",
        "- `plan.json`: everything, hashed; every value with its origin",
        "- `verifier.json`: how a completion is judged",
        "- `prompts/`: the templates as they will be used",
        "- `data/`: demos and evaluation sets, frozen",
    ]
    return "\n".join(lines) + "\n"


def _listed(title: str, items: tuple[str, ...]) -> list[str]:
    return ["", f"## {title}", "", *(f"- {item}" for item in items)] if items else []


def estimate_lines(estimate: dict[str, Any]) -> list[str]:
    """The estimate as a Markdown table."""
    training = estimate["training"]
    lines = [
        "## What it asks for",
        "",
        "| stage | asks | requests | worst | k tokens in | worst | k tokens out | worst | cost | worst |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for entry in estimate["stages"]:
        lines.append(_load_line(entry["stage"], entry["asks"], entry["expected"], entry["worst"]))
    for role in ("instructor", "base"):
        lines.append(_load_line("**all**", role, estimate[role]["expected"], estimate[role]["worst"]))
    lines += [
        "",
        f"Training: at most {training['updates']:,} updates over {training['samples']:,} samples.",
        f"How estimated: {estimate['method']}.",
    ]
    return lines


def _load_line(stage: str, asks: str, low: dict[str, Any], high: dict[str, Any]) -> str:
    cells = [f"{case['requests']:,}" for case in (low, high)]
    for key in ("prompt_tokens", "completion_tokens"):
        cells += [f"{case[key] / 1000:,.1f}" for case in (low, high)]
    cells += [dollars(case["microusd"]) if asks == "instructor" else "-" for case in (low, high)]
    return f"| {stage} | {asks} | {' | '.join(cells)} |"


def dollars(microusd: int | None) -> str:
    """Micro-dollars for people."""
    if microusd is None:
        return "price unknown"
    return f"${microusd / 1_000_000:,.2f}"
