"""What a plan may name: a plan may come from a stranger, and its seals are digests that a stranger can make too.

So that running one writes only below its run folder and reads only what it openly names, names in it that become paths
are checked when it is read: its own name, those of parts and evaluation sets, and the files of its folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sdrl.compiler.plan import Plan
from sdrl.spec.base import SLUG

_SLUG = re.compile(SLUG)
_OWN = re.compile(
    r"README\.md|verifier\.json|prompts/[a-z_]+\.jinja|launch/[a-z0-9-]+\.[a-z]+|data/[A-Za-z0-9][A-Za-z0-9._-]*"
)


def strange_names(plan: Plan, document: Mapping[str, Any]) -> Iterator[str]:
    """Each name that no plan of ours has, in words; none for a plan that sdrl wrote."""
    named = [("name", plan.name), ("settings.name", plan.settings.name)]
    named += [(f"parts.{index}.name", part.name) for index, part in enumerate(plan.parts)]
    named += [(f"evaluations.{index}.name", each.name) for index, each in enumerate(plan.evaluations)]
    for path, name in named:
        if not _SLUG.fullmatch(str(name)):
            yield f"{path} {name!r}"
    files = document["files"]
    for name in files:
        if not _OWN.fullmatch(name):
            yield f"the file {name!r}"
    for index, each in enumerate(plan.evaluations):
        if each.sha256 and str(each.file) not in files:  # whatever a stranger put there
            yield f"evaluations.{index}.file {each.file!r}"
