"""The panel of the plan: what a run would ask for and cost, on what hardware, and what of the last run it would keep.

Reads the spec's text, the files it names, and the plan of the newest run of that name; asks nobody.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sdrl.authoring.runs import newest_run
from sdrl.authoring.sheet import COLUMNS, Sheet
from sdrl.spec.diagnostics import SdrlError

if TYPE_CHECKING:
    from sdrl.compiler.compile import Compiled
    from sdrl.compiler.plan import Plan

NAMES = 11  # columns of the names at its left


def compiled_of(path: str, text: str) -> Compiled:
    """The compiled text; the pins of a plan that lies beside the spec, or in its newest run, are kept.

    Raises:
        SdrlError: the spec has errors.
    """
    from sdrl.compiler.compile import compile_spec

    compiled = compile_spec(path, text=text)
    plan = compiled.require()
    if not plan.pending:
        return compiled
    places = [Path(path).parent / f"{plan.name}.plan"]
    if (run := newest_run(plan.name)) is not None:
        places.append(run / "plan")
    for place in places:
        if (held := held_plan(place)) is not None:
            again = compile_spec(path, text=text, held=held)
            if again.require() and not again.require().pending:
                return again
    return compiled


def held_plan(folder: Path) -> Plan | None:
    """The sound plan in a folder, or None."""
    from sdrl.compiler.plan_file import read_plan

    try:
        return read_plan(folder) if (folder / "plan.json").is_file() else None
    except SdrlError:
        return None


def cost_rows(plan: Plan) -> list[tuple[str, str]]:
    """What a run costs and asks for, expected and at worst, and the caps that end it: names and texts."""
    from sdrl.compiler.plan_text import caps
    from sdrl.compiler.readme import dollars

    low, high = (plan.estimate["instructor"][case] for case in ("expected", "worst"))
    draws, training = plan.estimate["base"]["expected"]["draws"], plan.estimate["training"]
    costs = f"{dollars(low['microusd'])} expected, {dollars(high['microusd'])} at worst"
    return [
        ("cost", costs if low["microusd"] is not None else "unknown: the instructor has no price"),
        ("budget", caps(plan)),
        ("requests", f"{low['requests']:,} expected, {high['requests']:,} at worst; base model {draws:,} draws"),
        ("updates", f"{plan.settings.train.algorithm}, at most {training['updates']:,} over "
                    f"{training['samples']:,} samples, {training['completions']:,} rollouts"),
    ]  # fmt: skip


def plan_sheet(path: str, text: str, columns: int = COLUMNS) -> tuple[str, Sheet]:
    """The panel's title and lines, for so many columns.

    Raises:
        SdrlError: the spec has errors.
    """
    from sdrl.compiler.plan_text import hardware_table

    compiled = compiled_of(path, text)
    plan = compiled.require()
    sheet = Sheet(columns)
    for name, told in cost_rows(plan):
        _row(sheet, name, told)
    if plan.pending:
        more = f" and {len(plan.pending) - 1} more" if len(plan.pending) > 1 else ""
        help_ = f"it is fetched by /save, then in a shell: sdrl compile {path} --pin"
        _row(sheet, "waits for", f"{plan.pending[0]}{more}; {help_}")
    beside = _again(sheet, plan)
    sheet.head("what is asked")
    sheet.extend(_asked(plan, columns))
    _row(sheet, "estimate", plan.estimate["method"])
    if beside:
        sheet.head("what changed since")
        for row in beside:
            style = {"  +": "good", "  -": "bad", "  ~": "warn"}.get(row[:3])
            sheet.extend([row.removeprefix("  ")], style)  # type: ignore[arg-type]
    if hardware := hardware_table(plan, columns):
        sheet.head("training")
        sheet.extend(row.removeprefix("  ") for row in hardware.split("\n"))
    sheet.head("the plan")
    sets = ", ".join(f"{item.name} ({item.rows or 'pending'})" for item in plan.evaluations) or "none"
    _row(sheet, "stages", ", ".join(stage.name for stage in plan.stages))
    _row(sheet, "test sets", sets)
    for item in plan.pending:
        _row(sheet, "pending", item)
    for found in compiled.diagnostics:
        mark, style = ("✗", "bad") if found.is_error else ("!", "warn")
        sheet.flow((f"{mark} {found.code}", style), f" {found.path}: {found.message}", indent=2)  # type: ignore[arg-type]
    return f"plan {plan.name} {plan.hash[:12]}", sheet


def _row(sheet: Sheet, name: str, text: str) -> None:
    """``name  text``, the text wrapped under itself."""
    sheet.flow((f"{name:<{NAMES}}", "strong"), text, indent=NAMES)


def _asked(plan: Plan, columns: int) -> list[str]:
    """Requests and cost, expected and worst, and expected tokens, by stage; of these as many as there is room for."""
    from sdrl.compiler.plan_text import table
    from sdrl.compiler.readme import dollars

    rows = []
    for entry in (
        *plan.estimate["stages"],
        {"stage": "instructor", "asks": "instructor", **plan.estimate["instructor"]},
    ):
        low, high = entry["expected"], entry["worst"]
        is_paid = entry["asks"] == "instructor"
        cost = [dollars(case["microusd"]) for case in (low, high)] if is_paid else ["base", "base"]
        tokens = [_short(low[key]) for key in ("prompt_tokens", "completion_tokens")]
        rows.append((entry["stage"], f"{low['requests']:,}", f"{high['requests']:,}", *tokens, *cost))
    header = ("stage", "requests", "worst", "tok. in", "tok. out", "cost", "worst")
    for chosen in (range(7), (0, 1, 2, 5, 6), (0, 1, 5), (0, 1)):
        cells = [[row[at] for at in chosen] for row in (header, *rows)]
        made = table(cells[0], cells[1:], right=range(1, len(cells[0]))).split("\n")
        if max(map(len, made)) - 2 <= columns:
            break
    return [row.removeprefix("  ") for row in made]


def _short(count: int) -> str:
    """A count in four characters or little more: 950, 17.3k, 1.32M."""
    for size, letter in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if count >= size:
            return f"{count / size:.3g}{letter}"
    return str(count)


def _again(sheet: Sheet, plan: Plan) -> list[str]:
    """What would run again, beside the newest run of this name, in one row; gives the whole difference."""
    from sdrl.compiler.diff import diff_plans
    from sdrl.compiler.diff_text import text_of

    run = newest_run(plan.name)
    held = held_plan(run / "plan") if run is not None else None
    if run is None or held is None:
        why = f"no run of {plan.name} lies here yet" if run is None else f"{run} holds no plan that can be compared"
        _row(sheet, "runs again", f"{why}: every stage runs")
        return []
    found = diff_plans(held, plan)
    if not found.reruns:
        what = "ran this very plan" if found.is_empty else "stays: what changed is in none of its rows"
        _row(sheet, "runs again", f"nothing: {run} {what}")
        return []
    _row(sheet, "runs again", f"{', '.join(found.stages)} (beside {run})")
    return text_of(found, width=sheet.columns).split("\n")[1:]
