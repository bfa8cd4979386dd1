"""The suites that ship with sdrl, by name: which there are, where they lie, what stands in one. Reads no spec."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from sdrl.compare.suite import Suite
from sdrl.spec.diagnostics import Exit, SdrlError
from sdrl.spec.locate import specs_dir
from sdrl.spec.nearest import closest
from sdrl.spec.nodes import Mapping, Mark, parse
from sdrl.spec.reading import Reader
from sdrl.spec.source import SUFFIXES


def shipped_suites() -> dict[str, Path]:
    """Name → file.

    Raises:
        SdrlError: the installation is incomplete.
    """
    return {path.stem: path for path in sorted((specs_dir() / "suites").glob("*.yaml"))}


def find_suite(named: Path) -> Path:
    """The file that is named, or the shipped suite of that name.

    Raises:
        SdrlError: it is a bare name, no file, and none that ships (exit 2).
    """
    if named.exists() or len(named.parts) != 1 or named.suffix in SUFFIXES:
        return named
    if str(named) in shipped_suites():
        return shipped_suites()[str(named)]
    raise SdrlError("", f"there is no suite '{named}'", help=nearest_suite(str(named)), exit=Exit.USAGE)


def nearest_suite(name: str) -> str:
    """What was meant by a name that no shipped suite has."""
    near = closest(name, shipped_suites())
    return f"did you mean '{near}'?" if near else f"suites that ship: {', '.join(shipped_suites())}; or name a file"


@cache
def written_in(path: Path) -> dict[str, Any]:
    """What a shipped suite says, as plain data: a test holds that it is sound."""
    root = parse(path.read_text(encoding="utf-8")).root
    assert isinstance(root, Mapping)
    return Reader(str(path)).table(root, Suite, (), Mark(0, 0, 0, 0, 1, 1))
