"""What an arm needs of a spec and a suite, in words; and what a spec lacks for one. Pure.

An arm of a shipped suite that cannot be had is left open with its reason; one that a person wrote is an error.
"""

from __future__ import annotations

from sdrl.compare.suite import Arm
from sdrl.compiler.compile import Compiled
from sdrl.spec.loader import load_spec
from sdrl.spec.method_table import METHOD_TABLE
from sdrl.spec.model import Spec

INSTRUCTOR = "a real instructor"
NEEDS_INSTRUCTOR = f"needs {INSTRUCTOR}"
NEEDS_HUMAN = "needs human data (human: in the suite, or --human)"
NEEDS_CORPUS = "needs a corpus to take away"
_METHOD = "synthesize.method"


def needs_of(arm: Arm) -> list[str]:
    """What an arm, its baseline filled in, cannot do without."""
    found = []
    if arm.control.samples != "synthetic":
        found.append("human data with solutions" if arm.set.get("train.algorithm") == "sft" else "human data")
    if arm.demos is not None and arm.demos.count:
        found.append("1 demo" if arm.demos.count == 1 else f"{arm.demos.count} demos")
    if "corpus" in arm.set:
        found.append("a corpus")
    if asks_instructor(arm):
        found.append(INSTRUCTOR)
    return found


def asks_instructor(arm: Arm) -> bool:
    """Whether the scripted instructor says nothing about an arm: it reads no demos, and writes by one method."""
    method = METHOD_TABLE.get(str(arm.set.get(_METHOD, "")))
    is_other = method is not None and not method.scripted
    return arm.needs == "instructor" or bool(arm.demos and arm.demos.count) or is_other


def is_scripted(spec: Spec | None) -> bool:
    """Whether a spec's instructor is the one that ships with sdrl."""
    return spec is not None and spec.models is not None and spec.models.instructor.is_embedded


def lacking(arm: Arm, spec: Spec | None, *, has_human: bool) -> str | None:
    """Why a spec cannot have an arm of a shipped suite, as far as the spec alone shows it."""
    if asks_instructor(arm) and is_scripted(spec):
        return NEEDS_INSTRUCTOR
    if arm.control.samples != "synthetic" and not has_human:
        return NEEDS_HUMAN
    if "corpus" in arm.set and spec is not None and not spec.corpus:
        return NEEDS_CORPUS
    return None


def too_few(arm: Arm, compiled: Compiled) -> str | None:
    """Why a plan cannot select what the arm asks for: it writes fewer samples than that."""
    if "select.samples" not in arm.set:
        return None
    found = (each for each in compiled.diagnostics if each.code == "W318" and each.path == "select.samples")
    return next((f"needs more samples: {each.message}" for each in found), None)


def read_spec(path: object, text: str) -> Spec | None:
    """The spec of a suite; None where it has errors."""
    return load_spec(str(path), text).spec
