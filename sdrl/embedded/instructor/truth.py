"""The side file with the true answers of all problems written, by which label noise can be measured afterwards.

Appends JSON lines {"input_sha256", "input", "options", "gold", "n_steps", "skill", "flags"}; the hash is that of the
input's UTF-8 bytes. One write per line to a file opened for appending, so several processes may share it; a repeated
request repeats its lines. Never read by the server.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from sdrl.embedded.instructor.items import Item


class Truth:
    """An open truth file, or none."""

    def __init__(self, path: Path | None) -> None:
        self._handle = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def note(self, item: Item, skill: str, flags: list[str]) -> None:
        """Record one written problem. `gold` is the first reading of an ambiguous one."""
        if self._handle is None:
            return
        row = {
            "input_sha256": hashlib.sha256(item.text.encode()).hexdigest(),
            "input": item.text,
            "options": dict(item.options) or None,
            "gold": item.answer(item.problem.answer),
            "n_steps": item.problem.n_steps,
            "skill": skill,
            "flags": flags,
        }
        os.write(self._handle, (json.dumps(row, ensure_ascii=False) + "\n").encode())
