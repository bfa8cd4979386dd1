"""What a person who looked elsewhere waits for: an answer, samples on trial, the end of a run. Pure.

Compares two states, one right after the other; what the person did (an answer stopped by a key) is no news.
"""

from __future__ import annotations

from collections.abc import Mapping

from sdrl.authoring.state import Panel, State

_ENDS: Mapping[str, str] = {
    "done": "✓ run done", "stopped": "□ run stopped", "budget": "! run at its budget", "gate": "! run at a gate",
}  # fmt: skip


def news(before: State, after: State) -> str:
    """What came between two states, in two or three words; '' for nothing that was waited for."""
    if before.asking and not after.asking:
        status = next((turn.status for turn in after.turns if turn.id == before.asking), "")
        return {"": "✓ answer", "failed": "✗ no answer"}.get(status, "")
    if before.is_sampling and not after.is_sampling:
        return "✗ no samples" if after.sample_problem else "✓ samples"
    was, found = (each.panels.get("run", Panel()) for each in (before, after))
    if found.key and not was.key and was.lines and was.argument == found.argument:
        return _ENDS.get(found.key, f"✗ run {found.key}")
    return ""
