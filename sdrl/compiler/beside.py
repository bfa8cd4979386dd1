"""What ``sdrl validate`` finds beyond a spec's own text: patterns that no glob takes, own templates that are none.

Data is looked for by ``sdrl compile`` alone: a clone that is validated in CI seldom has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sdrl.compiler.rows import stars_meant
from sdrl.spec.diagnostics import Diagnostic
from sdrl.spec.loader import Loaded

TEMPLATE = ("E301", "E302", "E304", "E306")  # codes of templates that are there


def beside(loaded: Loaded) -> list[Diagnostic]:
    """Patterns that are none, also of a spec with errors of its own; templates that are there, where it has none."""
    told = {item.path for item in loaded.diagnostics}
    found = [
        loaded.diagnostic(code, path, f"'{file}' is no pattern: '**' stands between slashes", help=f"write '{meant}'")
        for code, path, file in _patterns(loaded.written)
        if path not in told and (meant := stars_meant(file))
    ]
    if loaded.spec is not None and any(prompt.file for prompt in loaded.spec.prompts.values()):
        from sdrl.compiler.findings import Findings
        from sdrl.compiler.template_sources import load_templates

        findings = Findings(loaded)
        load_templates(loaded.spec, loaded.folder, findings)
        found += [item for item in findings.items[len(loaded.diagnostics) :] if item.code in TEMPLATE]
    return found


def _patterns(written: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Code, path in the spec, and the file or glob."""
    for index, source in enumerate(written.get("corpus") or []):
        for at, file in enumerate(source.get("files") or []):
            yield "E542", f"corpus.{index}.files.{at}", file
    for index, evaluation in enumerate(written.get("evaluate") or []):
        if evaluation.get("file"):
            yield "E542", f"evaluate.{index}.file", evaluation["file"]
    parts = [(f"parts.{index}.demos", part) for index, part in enumerate(written.get("parts") or [])]
    for path, holder in [("demos", written), *parts]:
        demos = holder.get("demos")
        for at, file in enumerate((demos.get("files") or []) if isinstance(demos, dict) else []):
            yield "E545", f"{path}.files.{at}", file
