"""Installed libraries against the ranges a plan requires: equal plans give equal numbers under equal libraries only.

Reads the metadata of installed packages; imports none of them. A library that is not installed is no matter of
versions: whatever needs it says so by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import metadata
from importlib.util import find_spec
from typing import Any

from sdrl.spec.diagnostics import Exit, SdrlError
from sdrl.spec.trl_fields import TRACKERS, trackers

_CLAUSE = re.compile(r"(>=|<)\s*([0-9.]+)")


def refuse_other_versions(requires: Mapping[str, str]) -> None:
    """Raise SdrlError E606 (exit 3) when an installed library is outside its range, such as ``>=5,<6``."""
    for name, wanted in requires.items():
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        if not is_within(installed, wanted):
            raise SdrlError(
                "E606",
                f"{name} {installed} is installed, and the plan requires {name}{wanted}",
                help=f"pip install '{name}{wanted}', or compile the spec again with a version of sdrl that takes it",
                exit=Exit.STALE,
            )


def refuse_missing_trackers(trl: Mapping[str, Any]) -> None:
    """Raise SdrlError E804 when ``train.trl.report_to`` names what is not installed, before samples are paid for."""
    for name in trackers(trl):
        packages = TRACKERS[name]
        if not any(find_spec(package) for package in packages):
            raise SdrlError(
                "E804", f"train.trl.report_to names {name}, which is not installed", help=f"pip install {packages[0]}"
            )


def is_within(installed: str, wanted: str) -> bool:
    """Whether a version is in a range of ``>=`` and ``<`` clauses; releases alone count, not ``rc1`` or ``+cpu``."""
    have = _release(installed)
    clauses = [(sign, _release(bound)) for sign, bound in _CLAUSE.findall(wanted)]
    return all(have >= bound if sign == ">=" else have < bound for sign, bound in clauses)


def _release(version: str) -> tuple[int, ...]:
    """``2.13.0+cpu`` as (2, 13): trailing zeros say nothing."""
    found = re.match(r"[0-9]+(\.[0-9]+)*", version)
    numbers = [int(number) for number in found[0].split(".")] if found else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
