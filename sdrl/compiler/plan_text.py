"""A plan as plain aligned text: stages, requests, tokens and cost, hardware, prompts, verifier, values. Pure.

For a terminal of at least 76 columns; ``sdrl plan``, the question before a run and the terminal app draw with it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from sdrl.compiler import hardware_table as hardware_told
from sdrl.compiler.canonical import digest_text
from sdrl.compiler.plan import Plan
from sdrl.compiler.readme import dollars
from sdrl.compiler.values import chosen_values, count_values, shown_value

NARROW, MIDDLE, WIDE = 80, 105, 120  # columns that a summary has at least, needs for all counts, and has at most


def summary(plan: Plan, width: int = NARROW) -> str:
    """The plan for a person, in plain aligned text of at most ``width`` columns."""
    hours = line("hours", "not guessed: 'sdrl rehearse PLAN' measures this machine and forecasts them", width)
    requests = f"{asked(plan, width)}\n{line('budget', caps(plan), width)}\n{hours}"
    blocks = [_head(plan, width), _stages(plan), requests, hardware_table(plan, width)]
    blocks += [_prompts(plan), _verifier(plan, width), _sets(plan)]
    if plan.pending:
        blocks.append("pending: fetched by 'sdrl compile SPEC --pin'\n" + _items(plan.pending, width))
    blocks.append(_values(plan, width))
    return "\n\n".join(block for block in blocks if block)


def brief(plan: Plan, width: int = NARROW) -> str:
    """What a person needs before saying yes: the hash, who is asked, and how much."""
    return f"{_head(plan, width)}\n\n{asked(plan, width)}"


def line(name: str, text: str, width: int) -> str:
    """``name  text`` at the columns of the head, wrapped under itself."""
    head = f"  {name:<11} "
    return "\n".join(
        textwrap.wrap(text, width, initial_indent=head, subsequent_indent=" " * len(head), break_on_hyphens=False)
    )


def _head(plan: Plan, width: int) -> str:
    models = plan.settings.models
    lines = [f"plan {plan.name}", f"  hash        {plan.hash}"]
    if models is None:
        lines.append("  models      none: compiles and cannot run")
    else:
        names = (plan.identities["instructor"], plan.identities["base"])
        instructor, base = models.instructor, models.base
        frozen = "" if names[0] == instructor.model else f" ({_short(names[0])})"
        lines.append(line("instructor", f"{instructor.model} at {instructor.endpoint}{frozen}", width))
        lines.append(line("base", f"{base.model}, {base.serve}, {plan.base.kind} ({_short(names[1])})", width))
    lines.append(line("corpus", _corpus(plan), width))
    lines.append(line("parts", ", ".join(f"{part.name} {part.share:.0%}" for part in plan.parts), width))
    lines.append(f"  demos       {sum(len(part.demos) for part in plan.parts)}")
    return "\n".join(lines)


def _corpus(plan: Plan) -> str:
    if not plan.corpus:
        return "none: samples are not grounded"
    rows = sum(file.rows or 0 for file in plan.corpus)
    return ", ".join(file.path for file in plan.corpus) + (f" ({rows:,} passages)" if rows else "")


def _stages(plan: Plan) -> str:
    rows = [(stage.name, stage.hash[:12], ", ".join(stage.parents) or "-") for stage in plan.stages]
    return table(("stage", "hash", "reads"), rows)


def asked(plan: Plan, width: int) -> str:
    """Requests, tokens (thousands) and cost by stage, expected beside worst case, by whom they ask; then training.

    Draws have a place on a wide screen only; where one request draws one completion they are the requests.
    """
    estimate = plan.estimate
    keys = ("requests", "draws", "prompt_tokens", "completion_tokens") if width > MIDDLE else _NARROW_KEYS
    header = [cell for key in keys for cell in (_HEADERS[key], "worst")]
    rows: list[tuple[str, ...]] = []
    for role in ("instructor", "base"):
        if rows:
            rows.append((role, *header, "", ""))
        entries = [entry for entry in estimate["stages"] if entry["asks"] == role]
        rows += [_load(entry["stage"], role, keys, entry["expected"], entry["worst"]) for entry in entries]
        rows.append(_load("all", role, keys, estimate[role]["expected"], estimate[role]["worst"]))
    whole = table(("instructor", *header, "cost", "worst"), rows, right=range(1, 3 + 2 * len(keys)))
    training, settings = estimate["training"], plan.settings.train
    updates = (
        f"{settings.algorithm}, at most {training['updates']:,} updates over {training['samples']:,} samples, "
        f"{training['completions']:,} rollouts"
    )
    return "\n".join([whole, line("training", updates, width), line("estimate", estimate["method"], width)])


def hardware_table(plan: Plan, width: int) -> str:
    """Memory by part on each GPU, and the layout; empty where no GPU is asked for."""
    if not (hardware := plan.estimate.get("hardware")):
        return ""
    rows = [*hardware_told.rows(hardware), ("peak", hardware_told.peak(hardware))]
    lines = [table(("hardware", "GB on each GPU"), rows, right=(1,)), line("on", hardware_told.where(hardware), width)]
    return "\n".join(
        [
            *lines,
            line("layout", hardware_told.how(hardware), width),
            line("or, GB", hardware_told.others(hardware), width),
        ]
    )


_HEADERS = {"requests": "requests", "draws": "draws", "prompt_tokens": "k in", "completion_tokens": "k out"}
_NARROW_KEYS = ("requests", "prompt_tokens", "completion_tokens")


def caps(plan: Plan) -> str:
    """The caps at which a run ends, whatever the estimate says."""
    budget = plan.settings.budget
    caps = [] if budget.usd is None else [f"${budget.usd:,.2f}"]
    caps += [f"{cap:,} {unit}" for cap, unit in ((budget.requests, "requests"), (budget.tokens, "tokens")) if cap]
    caps += [] if budget.wall_hours is None else [f"{budget.wall_hours:g} hours"]
    return f"at most {', '.join(caps)}" if caps else "none: nothing caps the worst case"


def _load(stage: str, asks: str, keys: Sequence[str], low: dict[str, Any], high: dict[str, Any]) -> tuple[str, ...]:
    cells = [stage]
    for key in keys:
        cells += [_thousands(case[key]) if key.endswith("_tokens") else f"{case[key]:,}" for case in (low, high)]
    cells += [dollars(low["microusd"]), dollars(high["microusd"])] if asks == "instructor" else ["", ""]
    return tuple(cells)


def _thousands(tokens: int) -> str:
    return f"{tokens / 1000:,.1f}" if tokens < 100_000 else f"{tokens / 1000:,.0f}"


def _prompts(plan: Plan) -> str:
    own = {str(name) for name, prompt in plan.settings.prompts.items() if prompt.file}
    rows = [
        (name, digest_text(source)[:12], f"{len(source.encode()):,} bytes", "own" if name in own else "shipped")
        for name, source in sorted(plan.templates.items())
    ]
    stop = ", ".join(map(repr, plan.base.stop)) or "none"
    return table(("prompt", "sha256", "template", "from"), rows) + f"\n  base stop strings: {stop}"


def _verifier(plan: Plan, width: int) -> str:
    program = {key: value for key, value in sorted(plan.verifier.items()) if value is not None and key != "version"}
    told = [line(key, shown_value(value), width) for key, value in program.items()]
    tested = plan.self_test
    passed = f"passed: {tested['demos']} demos, {tested['mutants']} forms, {tested['instructions']} instructions"
    return "\n".join(["verifier", *told, line("self-test", passed, width)])


def _sets(plan: Plan) -> str:
    if not plan.evaluations:
        return "evaluation sets: none (the result will speak of the synthetic validation split only)"
    rows = [
        (item.name, f"{item.rows:,}" if item.sha256 else "pending", item.shift, str(item.runs), item.sha256[:12] or "-")
        for item in plan.evaluations
    ]
    return table(("evaluation set", "problems", "shift", "runs", "sha256"), rows, right=(1, 3))


def _values(plan: Plan, width: int) -> str:
    """Every value that is not a default: the key, the value, and the line of the spec or the preset that says so."""
    preset, told = f"preset:{plan.settings.extends}", chosen_values(plan)
    chosen = [(path, value, origin.partition(":")[0] if origin == preset else origin) for path, value, origin in told]
    room = max((len(path) for path, _, _ in chosen), default=0)
    place = max((len(origin) for _, _, origin in chosen), default=0)
    left = max(12, width - room - place - 6)
    rows = [(path, value if len(value) <= left else value[: left - 1] + "…", origin) for path, value, origin in chosen]
    title = (
        f"values: {len(chosen)} of {count_values(plan)} are not defaults; 'preset' is {plan.settings.extends}; "
        "data/values.jsonl and --json have all of them"
    )
    title = textwrap.fill(title, width, subsequent_indent="  ")
    return f"{title}\n{table(('key', 'value', 'origin'), rows)}" if rows else title


def _items(items: Sequence[str], width: int) -> str:
    lines = [textwrap.wrap(item, width, initial_indent="  ", subsequent_indent="    ") for item in items]
    return "\n".join(line for wrapped in lines for line in wrapped)


def _short(identity: str) -> str:
    return identity if len(identity) <= 48 else identity[:30] + "…"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] | range = ()) -> str:
    """Aligned columns, two spaces apart, indented by two below the header; no trailing spaces."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]

    def drawn(cells: Sequence[str]) -> str:
        padded = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return ("  " + "  ".join(padded)).rstrip()

    return "\n".join([drawn(header), *map(drawn, rows)])
