"""``sdrl rehearse``: what needs the hardware, two steps each with random weights, before anything is paid for.

The table is data (stdout); what is under way is told on stderr. The figures stay in the folder as rehearsal.json.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("plan", metavar="PLAN", type=Path, help="a plan folder")
    parser.add_argument(
        "--run", metavar="DIR", type=Path, help="keep what it writes here (default: a temporary folder)"
    )
    parser.add_argument(
        "--small", action="store_true", help="a tiny model and short completions, for a CPU; no forecast"
    )
    parser.add_argument("--gpu-hour", metavar="USD", type=float, help="price of one GPU for an hour, for the forecast")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")


def run(args: argparse.Namespace) -> int:
    """Rehearse and print what was measured; 1 when a part fails."""
    from sdrl.cli.run import stoppable
    from sdrl.compiler.plan_file import read_plan

    plan = read_plan(args.plan)
    with stoppable():
        if args.run is None:
            with tempfile.TemporaryDirectory(prefix="sdrl-rehearsal-") as folder:
                return _rehearse(plan, Path(folder), args)
        _refuse_used(args.run)
        return _rehearse(plan, args.run, args)


def _rehearse(plan: Any, folder: Path, args: argparse.Namespace) -> int:
    from sdrl.run.folder import write_json
    from sdrl.run.rehearsal_forecast import document
    from sdrl.run.rehearse import Measured, rehearse

    def tell(part: Measured) -> None:
        sys.stderr.write(f"{part.stage} in {part.seconds:.1f} s\n")

    done = rehearse(plan, folder, small=args.small, tell=tell)
    found = document(plan, done, args.gpu_hour)
    write_json(folder / "rehearsal.json", found)
    print(json.dumps(found, indent=2, sort_keys=True) if args.json else report(found))
    return 0


def _refuse_used(folder: Path) -> None:
    from sdrl.spec.diagnostics import Exit, SdrlError

    if folder.exists() and any(folder.iterdir()) and not (folder / "rehearsal.json").exists():
        raise SdrlError("", f"{folder} holds other things than a rehearsal", help="name a new folder", exit=Exit.USAGE)


def report(found: dict[str, Any]) -> str:
    """The figures for a person."""
    from sdrl.compiler.plan_text import table

    rows = [
        (
            part["stage"],
            f"{part['seconds']:.1f}",
            "" if part["tokens_per_second"] is None else f"{part['tokens_per_second']:,.0f}",
            f"{part['peak_gb']:.2f}",
            part["note"],
        )
        for part in found["parts"]
    ]
    header = ("rehearsed", "seconds", "tokens/s", f"peak GB ({found['memory_of']})", "")
    lines = [table(header, rows, right=(1, 2, 3)), "", f"  tokenizer: {found['tokenizer']}"]
    if found["planned_peak_gb"] is not None and not found["is_small"]:
        lines.append(f"  the plan reckons with {found['planned_peak_gb']:.1f} GB on each GPU in training")
    return "\n".join([*lines, *_forecast(found["forecast"])])


def _forecast(forecast: dict[str, Any] | None) -> list[str]:
    from sdrl.compiler.plan_text import table
    from sdrl.compiler.readme import dollars

    if forecast is None:
        return ["  no forecast: a small shape shows that all parts work, not how long they take"]
    rows: list[tuple[str, ...]] = [
        (name, f"{hours['expected']:,.2f}", f"{hours['worst']:,.2f}")
        for name, hours in forecast["stages_hours"].items()
    ]
    cases = ("expected", "worst")
    rows.append(("all", *(f"{forecast['hours'][case]:,.2f}" for case in cases)))
    rows.append(("GPU hours", *(f"{forecast['gpu_hours'][case]:,.2f}" for case in cases)))
    rows.append(("instructor", *(dollars(forecast["instructor_microusd"][case]) for case in cases)))
    if forecast["gpus_microusd"] is not None:
        rows.append(("GPUs", *(dollars(forecast["gpus_microusd"][case]) for case in cases)))
    return ["", table(("hours", *cases), rows, right=(1, 2))]
