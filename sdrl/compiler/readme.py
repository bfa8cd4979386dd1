"""README.md of a plan folder: what will happen, for a person. Made from the plan alone; nothing reads it back."""

from __future__ import annotations

from typing import Any

from sdrl.compiler.hardware_table import readme_lines
from sdrl.compiler.plan import Plan
from sdrl.compiler.values import chosen_values, count_values

MAX_CELL = 80  # characters of a value in the table


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
    lines += readme_lines(plan.estimate.get("hardware"))
    lines += ["", "## Evaluation sets", ""]
    lines += [
        f"- {item.name}: {item.rows} problems, {item.shift}, {item.runs} run(s)"
        if item.sha256
        else f"- {item.name}: pending"
        for item in plan.evaluations
    ] or ["None: the result will speak of the synthetic validation split only."]
    lines += _values(plan)
    lines += _listed("Pending (fetched by `sdrl compile --pin`)", plan.pending)
    lines += [
        "",
        "## Files",
        "",
        "- `plan.json`: everything, hashed",
        "- `data/values.jsonl`: every value on a line, with its origin",
        "- `verifier.json`: how a completion is judged",
        "- `prompts/`: the templates as they will be used",
        "- `data/`: demos and evaluation sets, frozen",
    ]
    return "\n".join(lines) + "\n"


def _values(plan: Plan) -> list[str]:
    """What is not a default, as a table: key, value, and the line of the spec, the preset or the pin it comes from."""
    rows = [f"| `{path}` | {_cell(value)} | {origin} |" for path, value, origin in chosen_values(plan)]
    title = f"{len(rows)} of {count_values(plan)} settings are not defaults; `data/values.jsonl` has all of them."
    return ["", "## Values", "", title, "", "| key | value | from |", "|---|---|---|", *rows]


def _cell(value: str) -> str:
    """A value as code in a table; a text of a spec may hold bars and backticks."""
    text = (value if len(value) <= MAX_CELL else value[: MAX_CELL - 1] + "…").replace("|", "\\|")
    return f"`` {text} ``" if "`" in text else f"`{text}`"


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
