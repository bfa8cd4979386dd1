"""Which template each prompt uses: the shipped one of the method, or the spec's own file; checked before use.

Reads template files; renders nothing.
"""

from __future__ import annotations

from pathlib import Path

from sdrl.compiler.findings import Findings
from sdrl.compiler.prompts import TemplateProblem, check_template
from sdrl.spec.diagnostics import Diagnostic
from sdrl.spec.locate import templates_dir
from sdrl.spec.method_table import GROUNDED, METHOD_TABLE, prompt_names
from sdrl.spec.model import Spec

# these belong to no method: rival methods must ask the base model alike, and be judged alike
SHARED = ("answer", "judge", "tags")
MAX_TEMPLATE_BYTES = 200_000


def load_templates(spec: Spec, base_dir: Path, findings: Findings) -> dict[str, str]:
    """Template source by prompt name; an own file that cannot be used is reported and the shipped one stands in."""
    sources: dict[str, str] = {}
    method = spec.synthesize.method
    for name in prompt_names(method):
        own = next((prompt for key, prompt in spec.prompts.items() if key == name), None)
        shipped = shipped_template(name, method)
        file = None if own is None else own.file
        sources[name] = shipped if file is None else _own(method, name, file, base_dir, findings) or shipped
        if own is not None and own.extra_rules and "extra_rules" not in sources[name]:
            findings.add(
                "E316",
                f"prompts.{name}.extra_rules",
                f"the template of prompt '{name}' has no place for extra_rules",
                "put {{ extra_rules }} into it, or write the rules there",
            )
    return sources


def shipped_template(name: str, method: str) -> str:
    """Source of a shipped template; a prompt for which the method's folder has no file uses the grounded one."""
    if name in SHARED:
        return (templates_dir() / f"{name}.jinja").read_text("utf-8")
    for folder in (METHOD_TABLE[method].folder or method, GROUNDED):
        path = templates_dir() / folder / f"{name}.jinja"
        if path.is_file():
            break
    return path.read_text("utf-8")


def _own(method: str, name: str, file: str, base_dir: Path, findings: Findings) -> str | None:
    key = f"prompts.{name}.file"
    path = base_dir / file
    try:
        content = path.read_bytes()
    except OSError as error:
        findings.add(
            "E303", key, f"cannot read the template '{file}': {error.strerror}", "paths start at the spec's folder"
        )
        return None
    if len(content) > MAX_TEMPLATE_BYTES:
        findings.add("E303", key, f"the template '{file}' is larger than {MAX_TEMPLATE_BYTES} bytes", "shorten it")
        return None
    try:
        source = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        findings.add("E303", key, f"the template '{file}' is no UTF-8", "save it as UTF-8")
        return None
    try:
        check_template(name, source, method)
    except TemplateProblem as problem:
        lines = source.split("\n")
        line = problem.line if problem.line is not None and problem.line <= len(lines) else None
        findings.add_at(
            Diagnostic(
                problem.code,
                problem.message,
                path=key,
                file=str(path),
                line=line,
                column=1 if line else None,
                help=problem.help,
                source_line=lines[line - 1] if line else None,
            )
        )
        return None
    return source
