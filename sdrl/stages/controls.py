"""Controls: what a training does wrong on purpose, so that a gain can be held against it. No spec asks for one.

``RUN/control.json`` names them (``sdrl compare`` writes it before the run begins); the environment variable
``SDRL_CONTROL_REWARD`` sets the reward of a single run. What was used is sealed with the train stage.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from sdrl.compiler.canonical import digest_bytes
from sdrl.spec.diagnostics import SdrlError
from sdrl.stages.context import Row

FILE = "control.json"
HUMAN_FILE = "human.jsonl"
CONTROL_VARIABLE = "SDRL_CONTROL_REWARD"


@dataclass(frozen=True)
class Controls:
    """``reward``: correct, random, format or shuffled; ``labels``: voted or own-majority.

    ``samples``: synthetic, human-same or human-whole; ``human`` is the SHA-256 of the run's human samples.
    """

    reward: str = "correct"
    labels: str = "voted"
    samples: str = "synthetic"
    human: str | None = None

    def as_json(self) -> dict[str, str]:
        """What ``control.json`` holds."""
        named = asdict(self)
        return named if self.human else {key: named[key] for key in ("reward", "labels")}


def read_control(run_dir: Path) -> Controls:
    """The controls of a run; none where nothing names any.

    Raises:
        SdrlError: the file is damaged (E830).
    """
    path = run_dir / FILE
    try:
        return Controls(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return Controls(reward=os.environ.get(CONTROL_VARIABLE, "correct"))
    except (ValueError, TypeError) as error:
        raise SdrlError(
            "E830", f"{path} is damaged ({error})", help="remove it and give the same command again"
        ) from None


def own_majority(rows: Iterable[Row]) -> list[Row]:
    """Samples with the base model's own majority as gold; those without a readable majority are left out.

    Source: TTRL (arXiv 2504.16084). The inputs are those that were selected by voted labels, so that the two differ in
    labels alone.
    """
    return [{**row, "gold": row["majority"]} for row in rows if row.get("majority") is not None]


def human_rows(run_dir: Path, controls: Controls, selected: int, part: str) -> list[Row]:
    """The human samples to train on: as many as were selected, or all.

    Raises:
        SdrlError: they are not those that the control names (E830).
    """
    path = run_dir / HUMAN_FILE
    content = path.read_bytes() if path.exists() else b""
    if digest_bytes(content) != controls.human:
        raise SdrlError("E830", f"{path} is not what it was", help="remove the run and give the same command again")
    rows = [{"part": part, **json.loads(line)} for line in content.splitlines()]
    return rows[:selected] if controls.samples == "human-same" else rows
