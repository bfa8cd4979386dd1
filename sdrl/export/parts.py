"""What every export ships: the verifier with its program, the rows, where they come from, the licence.

The verifier is the folder ``sdrl/verifier`` under the name ``sdrl_verifier``, byte for byte but for its imports, which
become relative: it works beside a script and inside a package, with no sdrl installed.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import sdrl.verifier
from sdrl.export.samples import Sample, json_lines
from sdrl.export.source import Source
from sdrl.spec.diagnostics import Exit, SdrlError

SHIPPED = Path(__file__).with_name("shipped")
Files = dict[str, bytes]  # path in the export -> content
_FROM = re.compile(r"^( *)from sdrl\.verifier(\.\w+)? import ", re.MULTILINE)
_HEADER = (
    "# SPDX-License-Identifier: Apache-2.0\n# Of sdrl (the folder sdrl/verifier); its imports are made relative.\n"
)


def shipped(name: str) -> bytes:
    """A file that is shipped as it stands."""
    return (SHIPPED / name).read_bytes()


def as_json(value: Any) -> bytes:
    """JSON for people."""
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def verifier_files(source: Source) -> Files:
    """``verifier.py`` and all it needs, beside each other."""
    return {
        "verifier.py": shipped("verifier.py"),
        "verifier.json": as_json(source.plan.verifier),
        "settings.json": as_json(_settings(source)),
        **{f"sdrl_verifier/{name}": content for name, content in verifier_package().items()},
    }


def verifier_package() -> Files:
    """The verifier's own modules with relative imports."""
    folder = Path(sdrl.verifier.__file__).parent
    files = {}
    for path in sorted(folder.glob("*.py")):
        text = _FROM.sub(lambda found: f"{found[1]}from {found[2] or '.'} import ", path.read_text(encoding="utf-8"))
        files[path.name] = (_HEADER + text).encode()
    return files


def data_files(split: dict[str, list[Sample]]) -> Files:
    """One file of JSON Lines a split that has rows."""
    return {f"data/{name}.jsonl": json_lines(rows) for name, rows in split.items() if rows}


def requirements(source: Source) -> list[str]:
    """What the verifier's program needs from a package index; nothing for most."""
    program = source.plan.verifier
    programs = [program, *(program.get("fields") or {}).values()]
    needed = []
    if any(one.get("type") == "math" for one in programs):
        needed.append("math-verify>=0.9,<0.10")
    if (program.get("extract") or {}).get("kind") == "regex":
        needed.append("google-re2>=1.1")
    if program.get("type") == "program":
        needed += _plugin(str(program["entry_point"]))
    return needed


def _plugin(name: str) -> list[str]:
    from importlib.metadata import entry_points

    from sdrl.verifier.plugin import GROUP, OWN

    if name in OWN:
        return []
    packages = [each.dist for each in entry_points(group=GROUP, name=name) if each.dist is not None]
    if not packages:
        raise SdrlError(
            "",
            f"no installed package offers the verifier {name!r}, so the export could not name what it needs",
            help="install the package that the run was made with",
            exit=Exit.USAGE,
        )
    return [f"{packages[0].name}=={packages[0].version}"]


def as_requirements(lines: list[str]) -> bytes:
    """A requirements file; it says so when nothing is needed."""
    return ("\n".join(lines) if lines else "# nothing beyond Python 3.11").encode() + b"\n"


def provenance(source: Source, split: dict[str, list[Sample]]) -> dict[str, Any]:
    """Where the rows come from, and under which terms they stand."""
    plan, models = source.plan, source.plan.settings.models
    return {
        "name": plan.name,
        "plan": plan.hash,
        "seed": plan.settings.seed,
        "made_with": source.result.get("versions") or {},
        "rows": {name: len(rows) for name, rows in split.items()},
        "instructor": {
            "model": plan.identities.get("instructor"),
            "terms": models.instructor.terms if models else None,
        },
        "base": plan.identities.get("base"),
        "task_license": plan.settings.task.license,
        "passages": [{"file": each.path, "sha256": each.sha256, "license": each.license} for each in plan.corpus],
        "test_sets": [{"name": each.name, "sha256": each.sha256, "rows": each.rows} for each in plan.evaluations],
    }


def _settings(source: Source) -> dict[str, Any]:
    reward = source.plan.settings.train.reward
    return {"stop": list(source.plan.base.stop), "reward": reward.model_dump()}


def license_file() -> Files:
    """The licence of the shipped code, where the installation holds it."""
    for path in (Path(__file__).parents[2] / "LICENSE", *_installed_license()):
        if path.is_file():
            return {"LICENSE": path.read_bytes()}
    return {}


def _installed_license() -> list[Path]:
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        files = distribution("sdrl").files or []
    except PackageNotFoundError:
        return []
    return [Path(str(each.locate())) for each in files if each.name == "LICENSE"]
