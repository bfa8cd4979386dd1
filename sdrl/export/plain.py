"""The export for anyone: the verifier as a script and a module, the rows as JSON Lines, where they come from.

Every other target ships the same files and adds its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from sdrl.export.parts import (
    Files,
    as_json,
    as_requirements,
    data_files,
    license_file,
    provenance,
    requirements,
    verifier_files,
)
from sdrl.export.samples import Sample
from sdrl.export.source import Source

FIELDS = """\
Rows are JSON Lines in `data/`, all with the same keys: `id`; `prompt`, the exact text of the training; `messages`, the
same before any chat template; `gold`; `options` (or null); `input`; `completion`, the instructor's solution whose
answer won the vote; then where the sample comes from (`part`, `origin`, `parent`, `passage`) and what was measured on
it (`agreement` of the vote, `correct` of `draws` by the base model, `pass_rate`, `rank`).
"""
_TEST_ROWS = """\
`set` names the test set of a test row; test rows are other people's and were never trained on.
"""
VERIFIER = """\
`verifier.py` judges: `judge(completion, gold, options)` from Python, or `python verifier.py < rows.jsonl` with rows
`{completion, gold, options?}`. It needs `verifier.json`, `settings.json` and `sdrl_verifier/` beside it, and what
`requirements.txt` names. The verdict `error` means that the verifier failed: such a completion is not wrong.
"""
_TERMS = "Terms of the instructor's outputs, the passages and the task stand in `provenance.json`.\n"


def plain_files(source: Source, split: dict[str, list[Sample]]) -> Files:
    """Verifier, rows, provenance."""
    return shared_files(source, split)


def shared_files(source: Source, split: dict[str, list[Sample]], *, also: Sequence[str] = (), about: str = "") -> Files:
    """What every export ships; ``also``: more requirements, ``about``: the README's part on the target's own files."""
    needed = [*requirements(source), *also]
    return {
        **verifier_files(source),
        **data_files(split),
        **license_file(),
        "provenance.json": as_json(provenance(source, split)),
        "requirements.txt": as_requirements(needed),
        "README.md": readme(source, split, about),
    }


def readme(source: Source, split: dict[str, list[Sample]], about: str) -> bytes:
    """What lies here and how to use it."""
    title = f"# {source.plan.name}: samples with their verifier\n\nMade by sdrl from plan {source.plan.hash[:12]}: "
    rows = FIELDS + (_TEST_ROWS if split.get("test") else "")
    return "\n".join(part for part in (title + f"{count(split)}.\n", about, rows, VERIFIER, _TERMS) if part).encode()


def count(split: dict[str, list[Sample]]) -> str:
    """``180 train, 67 validation rows``."""
    return ", ".join(f"{len(rows)} {name}" for name, rows in split.items() if rows) + " rows"
