"""The shipped specs as beginnings: which there are, and one's text with the files that it needs.

Reads the shipped folder only; writing is left to who asks.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from sdrl.spec.diagnostics import Exit, SdrlError
from sdrl.spec.locate import specs_dir
from sdrl.spec.nearest import closest

_FILE = re.compile(r"[\w./-]+\.(?:jinja|jsonl)\b")


class Example(NamedTuple):
    """An example under a new name: its text, and the other files it needs by their path beside the spec."""

    text: str
    files: dict[str, bytes]


def examples() -> dict[str, str]:
    """Names and what each is about.

    Raises:
        SdrlError: the installation is incomplete.
    """
    return {path.stem: _about(path) for path in sorted(specs_dir().glob("*.yaml"))}


def example(chosen: str, name: str) -> Example:
    """An example under the name of a new spec.

    Raises:
        SdrlError: there is no such example.
    """
    path = specs_dir() / f"{chosen}.yaml"
    if chosen not in (known := examples()):
        near = closest(chosen, known)
        hint = f"did you mean '{near}'?" if near else f"examples: {', '.join(known)}"
        raise SdrlError("", f"there is no example '{chosen}'", help=hint, exit=Exit.USAGE)
    text = re.sub(r"(?m)^name: .*$", lambda _: f"name: {name}", path.read_text(encoding="utf-8"), count=1)
    used = {each: path.parent / each for each in sorted(set(_FILE.findall(text)))}
    return Example(text, {each: source.read_bytes() for each, source in used.items() if source.is_file()})


def _about(path: Path) -> str:
    """The first comment of an example that is not for the editor."""
    lines = path.read_text(encoding="utf-8").split("\n")
    return next(
        (line[1:].strip() for line in lines if line.startswith("# ") and "yaml-language-server" not in line), ""
    )
