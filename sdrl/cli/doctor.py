"""``sdrl doctor``: what is installed and missing, whether the store is usable and a plan's endpoints answer, how to
mend.

Reads package metadata and, for a plan, asks each endpoint that others run for its list of models (free) and, in a few
of the smallest calls, for what the plan asks of it. Loads no model; writes to the store only what these calls showed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sdrl.compiler.plan import Plan
    from sdrl.models.client import Endpoint
    from sdrl.spec.model import Base, Instructor

NEEDED_EXTRAS = ("run", "train")
EXTRAS = {
    "run": "asking models, searching passages",
    "train": "training, the embedded base model",
    "tui": "writing specs in the terminal app",
    "png": "figures of a report as PNG",
}
LITTLE_DISK_GB = 2.0
_REQUIREMENT = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^]]*])?\s*([^;]*)(?:;.*extra\s*==\s*['\"]([\w-]+)['\"].*)?$")


@dataclass(frozen=True)
class Finding:
    """One line of the answer. ``state`` is ok, missing (needed and not there), absent (optional) or note."""

    state: str
    what: str
    found: str
    help: str = ""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "plan", metavar="DIR_OR_SPEC", type=Path, nargs="?", help="also check what this plan or spec needs"
    )
    parser.add_argument("--store", type=Path, default=Path(".sdrl"), help="the store to check (default: .sdrl)")
    parser.add_argument("--json", action="store_true", help="the findings as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the findings; 1 when something that is needed is missing."""
    plan = _plan(args.plan) if args.plan else None
    findings = [*_python(), *_packages(plan), *_store(args.store)]
    if plan is not None:
        findings += _models(plan, args.store)
    if args.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2, ensure_ascii=False))
    else:
        print(render(findings))
    return 1 if any(finding.state == "missing" for finding in findings) else 0


def render(findings: list[Finding]) -> str:
    """The findings for a person, aligned, each with what to do under it."""
    width = max(len(finding.what) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{finding.state:<8} {finding.what:<{width}}  {finding.found}")
        if finding.help:
            lines.append(f"{'':<8} {'':<{width}}  help: {finding.help}")
    return "\n".join(lines)


def _plan(path: Path) -> Plan:
    from sdrl.compiler.compile import compile_spec
    from sdrl.compiler.plan_file import read_plan

    return read_plan(path) if path.is_dir() else compile_spec(path).require()


def _python() -> Iterator[Finding]:
    from sdrl import __version__

    version = ".".join(map(str, sys.version_info[:3]))
    enough = sys.version_info >= (3, 11)
    yield Finding(
        "ok" if enough else "missing", "python", f"{version} at {sys.executable}", "" if enough else "use 3.11"
    )
    yield Finding("ok", "sdrl", f"{__version__} at {Path(__file__).resolve().parents[1]}")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding("note", "machine", f"{cores} cores, {_memory_gb():.0f} GB memory, {_gpus()}")


def _packages(plan: Plan | None) -> Iterator[Finding]:
    try:
        declared = metadata.requires("sdrl") or []
    except metadata.PackageNotFoundError:
        yield Finding("missing", "installation", "sdrl runs from a folder and is not installed", "pip install -e .")
        return
    by_extra: dict[str, list[tuple[str, str]]] = {}
    for line in declared:
        if (match := _REQUIREMENT.match(line)) and match[1] != "sdrl":
            by_extra.setdefault(match[3] or "", []).append((match[1], match[2].strip()))
    yield _group("core", by_extra.get("", []), is_needed=True, help_="pip install sdrl")
    for extra, use in EXTRAS.items():
        if extra in by_extra:
            help_ = f"pip install 'sdrl[{extra}]' ({use})"
            yield _group(f"extra {extra}", by_extra[extra], is_needed=extra in NEEDED_EXTRAS, help_=help_)
    yield _vllm(is_needed=plan is not None and _wants_vllm(plan))


def _group(what: str, packages: list[tuple[str, str]], *, is_needed: bool, help_: str) -> Finding:
    there, lacking = [], []
    for name, wanted in packages:
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            lacking.append(name)
            continue
        if satisfies(version, wanted):
            there.append(f"{name} {version}")
        else:
            lacking.append(f"{name} {wanted} (there is {version})")
    if not lacking:
        return Finding("ok", what, ", ".join(there))
    return Finding("missing" if is_needed else "absent", what, "not installed: " + ", ".join(lacking), help_)


def satisfies(version: str, wanted: str) -> bool:
    """Whether a version lies in a range such as ``<4,>=3.3`` (the operators that our own requirements use).

    >>> satisfies("3.10.1", ">=3.3,<4"), satisfies("4.0", ">=3.3,<4")
    (True, False)
    """
    have = _numbers(version)
    for part in filter(None, (piece.strip() for piece in wanted.split(","))):
        match = re.match(r"(>=|<=|==|!=|<|>)\s*([\w.]+)", part)
        if match is None:
            continue
        bound = _numbers(match[2])
        width = max(len(have), len(bound))
        left, right = (numbers + (0,) * (width - len(numbers)) for numbers in (have, bound))
        holds = {">=": left >= right, "<=": left <= right, "==": left == right, "!=": left != right}
        if not (holds | {"<": left < right, ">": left > right})[match[1]]:
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    release = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(number) for number in release[0].split(".")) if release else ()


def _store(store: Path) -> Iterator[Finding]:
    folder = store
    while not folder.exists() and folder != folder.parent:
        folder = folder.resolve().parent
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".sdrl-doctor-"):
            pass
    except OSError as error:
        found = f"{folder} cannot be written: {error.strerror or error}"
        yield Finding("missing", "store", found, "mend its rights, or choose another with --store")
        return
    free = shutil.disk_usage(folder).free / 1e9
    found = f"{store} can be written, {free:.0f} GB free"
    yield Finding("ok", "store", found, f"less than {LITTLE_DISK_GB:.0f} GB is little" if free < LITTLE_DISK_GB else "")


def _models(plan: Plan, store: Path) -> Iterator[Finding]:
    models = plan.settings.models
    if models is None:
        yield Finding("missing", "models", "the plan names none: it compiles and cannot run", "add models to the spec")
        return
    if plan.pending:
        yield Finding("note", "pending", "; ".join(plan.pending), "sdrl compile SPEC --pin")
    for role, found in (("instructor", _instructor(models.instructor)), ("base", _base(models.base, plan))):
        yield found
        if found.state == "ok":
            yield from _asked(role, plan, store)


def _instructor(instructor: Instructor) -> Finding:
    from sdrl.models.client import Endpoint
    from sdrl.models.open import read_key
    from sdrl.spec.diagnostics import SdrlError

    if instructor.endpoint in ("embedded", "vllm"):
        return Finding("ok", "instructor", f"{instructor.model}, served by sdrl itself ({instructor.endpoint})")
    endpoint = Endpoint("instructor", instructor.endpoint, instructor.model)
    try:
        key = read_key(instructor.key_env, "instructor", endpoint)
    except SdrlError as error:
        return Finding("missing", "instructor", error.message, error.help or "")
    return _reached("instructor", Endpoint("instructor", instructor.endpoint, instructor.model, key=key))


def _base(base: Base, plan: Plan) -> Finding:
    from sdrl.models.client import Endpoint
    from sdrl.models.weights import weights_of

    if base.serve not in ("embedded", "vllm"):
        return _reached("base", Endpoint("base", base.serve, base.model))
    weights = weights_of(base.model, plan.identities.get("base", ""), plan.base_dir)
    if weights.folder is None:
        return Finding("ok", "base", f"{base.model}@{weights.revision}, loaded from the hub when needed ({base.serve})")
    if not any(weights.folder.glob("*.safetensors")):
        return Finding("missing", "base", f"{weights.folder} holds no safetensors", "check models.base.model")
    return Finding("ok", "base", f"{weights.folder}, served by sdrl itself ({base.serve})")


def _asked(role: str, plan: Plan, store: Path) -> Iterator[Finding]:
    """What an endpoint that others run can, by asking it for what the plan asks."""
    from sdrl.models.check import check
    from sdrl.spec.diagnostics import SdrlError

    what = f"{role} can"
    try:
        checked = asyncio.run(check(role, plan, store))
    except SdrlError as error:
        yield Finding("missing", what, f"{error.code}: {error.message}", error.help or "")
        return
    if checked is None:
        return
    can = checked.can
    found = [
        f"{can.get('choices', 1)} draws a call",
        f"JSON by {can.get('structured')}" if role == "instructor" else "",
    ]
    found += [f"{can.get('max_tokens')}", f"asked {checked.usage.requests} times, ${checked.usage.usd:.4f}"]
    yield Finding("ok", what, ", ".join(filter(None, found)))
    for reason in checked.reasons:
        yield Finding("note", what, reason)


def _reached(what: str, endpoint: Endpoint) -> Finding:
    try:
        from sdrl.models.reach import reach

        found = asyncio.run(reach(endpoint))
    except ImportError as error:
        return Finding("missing", what, f"cannot be asked without {error.name}", "pip install 'sdrl[run]'")
    return Finding("ok" if found.is_ok else "missing", what, found.found, found.help)


def _vllm(*, is_needed: bool) -> Finding:
    """The interpreter that ``serve: vllm`` would start, wherever it is."""
    from sdrl.models.vllm import find_vllm
    from sdrl.spec.diagnostics import SdrlError

    try:
        found = find_vllm()
    except SdrlError as error:
        state = "missing" if is_needed else "absent"
        return Finding(state, "vllm", "not found; serve: vllm needs it", error.help or "")
    return Finding("ok", "vllm", f"{found.version}{' (CPU build)' if found.is_cpu else ''} at {found.python}")


def _wants_vllm(plan: Plan) -> bool:
    models = plan.settings.models
    return models is not None and "vllm" in (models.base.serve, models.instructor.endpoint)


def _memory_gb() -> float:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (ValueError, OSError, AttributeError):
        return 0.0


def _gpus() -> str:
    cards = list(Path("/proc/driver/nvidia/gpus").glob("*"))
    return f"{len(cards)} NVIDIA GPU(s)" if cards else "no GPU found"
