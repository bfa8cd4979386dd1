"""Changed forms of a right output: ``like`` says the same in another form, ``unlike`` says nothing or too much.

Pure text to texts, by the verifier's program: which forms are read alike depends on type and extractor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sdrl.verifier import Extraction, Verifier

# around the whole completion: nothing that an answer is made of changes
AROUND: dict[str, Callable[[str], str]] = {
    "a trailing newline": lambda text: text + "\n",
    "spaces at the end": lambda text: text + "  ",
}
# inside the slot: forms that these answer types read as the same value
INSIDE: dict[str, Callable[[str], str]] = {
    "spaces around it": lambda slot: f" {slot} ",
    "bold type": lambda slot: f"**{slot}**",
    "a final dot": lambda slot: f"{slot}.",
}
INSIDE_TYPES = ("number", "choice", "boolean", "label")
INSIDE_EXTRACTORS = ("marker", "tag", "boxed")
ONE_OF = ("choice", "label")  # types whose answer is one of several options


def like(output: str, found: Extraction, program: Mapping[str, Any]) -> dict[str, str]:
    """By name: outputs that say what ``output`` says."""
    made = {name: change(output) for name, change in AROUND.items()}
    reads_forms = program["type"] in INSIDE_TYPES and program["extract"]["kind"] in INSIDE_EXTRACTORS
    if found.span is not None and reads_forms:
        start, end = found.span
        for name, change in INSIDE.items():
            made[name] = output[:start] + change(output[start:end].strip()) + output[end:]
    return made


def unlike(
    output: str, found: Extraction, program: Mapping[str, Any], verifier: Verifier, options: Mapping[str, str] | None
) -> dict[str, str]:
    """By name: outputs whose slot is empty, not closed, or holds every option. None where an earlier slot answers too:
    what an extractor falls back to then is no mistake of form.
    """
    kind = program["extract"]["kind"]
    if found.span is None or kind not in INSIDE_EXTRACTORS:
        return {}
    start, end = found.span
    opener = _opener(program["extract"], output[:start])
    if opener < 0 or verifier.extract(output[:opener], options).prediction is not None:
        return {}
    made = {"an empty slot": output[:start] + output[end:]}
    if kind == "marker":
        made["nothing after the marker"] = output[:start]
    else:
        made["a slot that is not closed"] = output[:end]
    every = [str(option) for option in program.get("options") or ()]
    if program["type"] in ONE_OF and len(every) > 1:
        made["every option in the slot"] = f"{output[:start]} {', '.join(every)}{output[end:]}"
    return made


def _opener(extract: Mapping[str, Any], before: str) -> int:
    """Where what opens the last slot begins; -1 where it is written otherwise."""
    if extract["kind"] == "boxed":
        return before.rfind("\\boxed")
    if extract["kind"] == "tag":
        return before.lower().rfind(f"<{str(extract['name']).lower()}")
    return before.rstrip().rfind(str(extract["marker"]).strip())
