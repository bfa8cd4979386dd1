"""What a spec names beside itself and cannot have: local files that are not there, own templates that are none.

For ``sdrl validate``, which reads no row: it looks for files by name (E542, E545, as a compilation says them) and reads
own templates. What stands in data files, the verifier's self-test and the hardware are ``sdrl compile``'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sdrl.spec.diagnostics import Diagnostic
from sdrl.spec.loader import Loaded


def absences(loaded: Loaded) -> list[Diagnostic]:
    """Missing files, also of a spec with errors of its own; templates only where the spec has none."""
    told = {item.path for item in loaded.diagnostics}
    found = [
        item
        for code, path, who, file in _named(loaded.written)
        if path not in told
        for item in _missing(loaded, code, path, who, file)
    ]
    if loaded.spec is not None and any(prompt.file for prompt in loaded.spec.prompts.values()):
        from sdrl.compiler.findings import Findings
        from sdrl.compiler.template_sources import load_templates

        findings = Findings(loaded)
        load_templates(loaded.spec, loaded.folder, findings)
        found += findings.items[len(loaded.diagnostics) :]
    return found


def _named(written: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Code, path in the spec, who names it, and the file or glob."""
    for index, source in enumerate(written.get("corpus") or []):
        for at, file in enumerate(source.get("files") or []):
            yield "E542", f"corpus.{index}.files.{at}", "corpus: ", file
    for index, evaluation in enumerate(written.get("evaluate") or []):
        if evaluation.get("file"):
            yield "E542", f"evaluate.{index}.file", "", evaluation["file"]
    parts = [(f"parts.{index}.demos", part) for index, part in enumerate(written.get("parts") or [])]
    for path, holder in [("demos", written), *parts]:
        demos = holder.get("demos")
        for at, file in enumerate((demos.get("files") or []) if isinstance(demos, dict) else []):
            yield "E545", f"{path}.files.{at}", "", file


def _missing(loaded: Loaded, code: str, path: str, who: str, file: str) -> Iterator[Diagnostic]:
    from sdrl.compiler.rows import RowProblem, expand

    try:
        expand([file], loaded.folder)
    except RowProblem as problem:
        yield loaded.diagnostic(code, path, f"{who}{problem.message}", help=problem.help)
