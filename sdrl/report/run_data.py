"""A run folder as rows: what the report reads, and nothing it does not need. Knows no figures.

A run that is not finished, or was killed, has some of these files only; whatever is missing is empty.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sdrl.compiler.rounds import named
from sdrl.run.artifacts import Artifacts, Row, read_rows
from sdrl.run.folder import RunFolder
from sdrl.spec.diagnostics import Exit, SdrlError
from sdrl.verifier import Verifier

_TAIL = 65_536  # bytes: more than any event has


@dataclass(frozen=True)
class RunData:
    """One run folder. ``open`` raises SdrlError: E830 when it holds no run, E607 when a sealed file was changed."""

    folder: RunFolder
    plan: dict[str, Any]
    result: dict[str, Any]

    @classmethod
    def open(cls, root: Path) -> RunData:
        """Read the plan and, where the run has ended in some way, its result."""
        folder = RunFolder(root)
        plan = _read_json(folder.plan / "plan.json") if root.is_dir() else None
        if plan is None:
            what = f"{root} holds no run" if root.exists() else f"there is no run at {root}"
            raise SdrlError("E830", what, help="name the folder that 'sdrl run' wrote to; see: sdrl runs")
        data = cls(folder, plan, _read_json(folder.result) or {})
        data.refuse_changed()
        return data

    def refuse_changed(self) -> None:
        """A report on rows that no stage wrote would say nothing of the run."""
        for path in sorted(self.folder.artifacts.glob("*.seal.json")):
            if names := self.artifacts.changed(path.name.removesuffix(".seal.json")):
                raise SdrlError(
                    "E607",
                    f"{self.folder.artifacts / names[0]} is not what its seal says",
                    help="give the same 'sdrl run' command again: the stage is made anew from the replies in the store",
                    exit=Exit.STALE,
                )

    @cached_property
    def artifacts(self) -> Artifacts:
        """Rows and seals of the stages."""
        return Artifacts(self.folder, Path())

    def rows(self, stage: str) -> list[Row]:
        """Rows that a sealed ``stage`` passed on; none while it is not sealed."""
        return self.artifacts.rows(stage) if self.seal(stage) else []

    @property
    def rounds(self) -> int:
        """How often the plan goes through the loop, at least once."""
        return int(self.setting("rounds") or 1)

    def in_rounds(self, kind: str) -> list[str]:
        """The names of a repeated stage, round by round: ``score``, ``score-2``."""
        return [named(kind, round_) for round_ in range(1, self.rounds + 1)]

    def dropped(self, stage: str) -> list[Row]:
        """Rows that a sealed ``stage`` dropped, each with its code."""
        return read_rows(self.folder.artifacts / f"{stage}.dropped.jsonl") if self.seal(stage) else []

    def seal(self, stage: str) -> dict[str, Any] | None:
        """The seal of ``stage``, or None."""
        return self.artifacts.seal(stage)

    def evaluation_names(self) -> list[str]:
        """The evaluation sets of the plan."""
        return [str(each.get("name")) for each in self.plan.get("evaluations") or []]

    def problems(self, name: str) -> dict[str, str]:
        """Texts of the problems of an evaluation set by id, as the plan froze them."""
        path = self.folder.plan / "data" / f"evaluate-{name}.jsonl"
        return {str(row.get("id")): str(row.get("input", "")) for row in read_rows(path)}

    def truth(self) -> list[Row]:
        """What the scripted instructor knew of the problems it wrote; empty for any other instructor."""
        return read_rows(self.folder.truth)

    def told(self, *kinds: str) -> Iterator[dict[str, Any]]:
        """Events of these types, as far as the log is whole."""
        marks = [f'"{kind}"' for kind in kinds]
        with self.folder.events.open(encoding="utf-8", errors="replace") as log:
            for line in log:
                event = _event(line) if any(mark in line for mark in marks) else {}
                if event.get("type") in kinds:
                    yield event

    @cached_property
    def times(self) -> list[str] | None:
        """When the run began and when it was last heard of (ISO 8601, UTC); None without a log."""
        if not self.folder.events.is_file():
            return None
        with self.folder.events.open("rb") as log:
            first = log.readline()
            log.seek(max(0, self.folder.events.stat().st_size - _TAIL))
            last = log.read().rstrip(b"\n").rpartition(b"\n")[2]
        ends = [_event(line.decode("utf-8", "replace")).get("time") for line in (first, last)]
        return [str(end) for end in ends] if all(ends) else None

    @cached_property
    def verifier(self) -> Verifier:
        """The verifier the run was judged by."""
        return Verifier.from_program(self.plan["verifier"])

    def setting(self, path: str) -> Any:
        """A resolved value of the plan by dotted path, or None."""
        value: Any = self.plan.get("settings")
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        return value


def _event(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except json.JSONDecodeError:  # a last line whose end was never written
        return {}
    return value if isinstance(value, dict) else {}


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except json.JSONDecodeError as error:
        raise SdrlError("E830", f"{path} is damaged ({error})", help="run the same 'sdrl run' command again") from None
    return value if isinstance(value, dict) else None
