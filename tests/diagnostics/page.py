"""docs/diagnostics.md: every code in full, with the text that its fixture earns. Made, never edited by hand."""

from __future__ import annotations

import re
from pathlib import Path

from sdrl.spec.codes import CODES, GROUPS, Code, group_of
from tests.diagnostics.scene import GOLDEN, ROOT

PAGE = ROOT / "docs" / "diagnostics.md"
BAD_SPECS = ROOT / "tests" / "spec" / "bad"
HEAD = """\
# Diagnostics

Every problem that sdrl reports has a code that never changes its meaning. `sdrl explain E205` shows a code's section of
this page in the terminal; `sdrl explain` lists them all. Codes that begin with W are warnings: exit 0, or 1 under
`--strict`. A spec silences a warning with a reason: `lint: {ignore: [{code: W301, reason: closed-book on purpose}]}`.

This page is made by `make golden` from the table of codes and the texts that the test suite earns; do not edit it.

"""


def goldens(code: str) -> list[Path]:
    """The golden texts of a code, the plainest first: bad specs, then scenes."""
    specs = [path for path in BAD_SPECS.glob(f"{code}*.txt") if path.stem[:4] == code]
    return [*sorted(specs, key=lambda path: path.stem), *sorted(GOLDEN.glob(f"{code}*.txt"))]


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for prefix, title in GROUPS.items():
        codes = [code for code in CODES.values() if group_of(code.code) == prefix]
        if codes:
            parts.append(f"- [{title}](#{_anchor(title)}): {', '.join(_link(code) for code in codes)}\n")
    for prefix, title in GROUPS.items():
        codes = [code for code in CODES.values() if group_of(code.code) == prefix]
        if codes:
            parts.append(f"\n## {title}\n")
            parts += map(section, codes)
    return "".join(parts)


def section(code: Code) -> str:
    """One code: what, why, not so, but so, and what is read."""
    kind = "warning" if code.code.startswith("W") else "error"
    parts = [f"\n### {code.code}\n\n**{_plain(code.title)}** ({kind})\n\n{_plain(code.what)}\n{_plain(code.why)}\n"]
    parts += [f"\nNot so:\n\n{_fenced(code.bad)}", f"\nBut so:\n\n{_fenced(code.good)}"]
    found = goldens(code.code)
    if found:
        text = found[0].read_text(encoding="utf-8")
        parts.append(f"\nWhat is read:\n\n{_block(text, 'text')}")
    return "".join(parts)


def _link(code: Code) -> str:
    return f"[{code.code}](#{code.code.lower()})"


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")


def _plain(text: str) -> str:
    """Text that Markdown takes as it stands."""
    return re.sub(r"([<>*_])", r"\\\1", text)


def _fenced(example: str) -> str:
    is_command = re.match(r"(\S+=\S* )?(sdrl|pip|python|huggingface-cli) ", example) is not None
    return _block(example + "\n", "text" if is_command else "yaml")


def _block(text: str, language: str) -> str:
    fence = "````" if "```" in text else "```"
    return f"{fence}{language}\n{text}{fence}\n"
