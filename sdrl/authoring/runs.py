"""Where the runs of a spec lie: ``runs/NAME``, then ``runs/NAME-2`` and so on; and what a person may call one.

Looks at folders; reads no row and starts nothing.
"""

from __future__ import annotations

import re
from pathlib import Path

RUNS = Path("runs")


def runs_of(name: str, root: Path = RUNS) -> list[Path]:
    """The run folders of a spec's name, the one written last first."""
    pattern = re.compile(rf"{re.escape(name)}(-\d+)?")
    found = [path for path in _run_folders(root) if pattern.fullmatch(path.name)]
    return sorted(found, key=_written, reverse=True)


def every_run(root: Path = RUNS) -> list[Path]:
    """All run folders, the one written last first."""
    return sorted(_run_folders(root), key=_written, reverse=True)


def newest_run(name: str, root: Path = RUNS) -> Path | None:
    """The run of a spec's name that was written last, or None."""
    return next(iter(runs_of(name, root)), None)


def run_called(word: str, root: Path = RUNS) -> Path:
    """The folder that a person means: a path, or the name of a run below ``root``."""
    path = Path(word)
    return path if path.exists() or "/" in word else root / word


def run_named(name: str, root: Path = RUNS) -> Path:
    """The newest run of a spec's name, else where its first one would lie."""
    return newest_run(name, root) or root / name


def free_folder(name: str, root: Path = RUNS) -> Path:
    """The first of ``NAME``, ``NAME-2``, ``NAME-3`` that is not there yet."""
    number = 1
    while (path := root / (name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return path


def log_of(run: Path) -> Path:
    """Where the process of a run that was started from here writes what it says."""
    return run / "logs" / "run.log"


def last_words(run: Path, most: int = 8) -> list[str]:
    """The last lines that the process of a run wrote; none where it was not started from here."""
    try:
        with log_of(run).open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - 4096))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return []
    return [line for line in lines if line.strip()][-most:]


def _run_folders(root: Path) -> list[Path]:
    return [path.parent for path in root.glob("*/events.jsonl")]


def _written(path: Path) -> float:
    try:
        return (path / "events.jsonl").stat().st_mtime
    except OSError:
        return 0.0
