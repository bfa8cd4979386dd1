"""``python -m tests.end_to_end.batch_kills``: runs by batch that are killed for good (SIGKILL) and started again.

At each point of sending a batch (its file uploaded, it created, looked at for the first time), once for the batch of
the examples and once for that of the votes. Prints a line each; exit 1 where rows differ from those of a run that asks
directly, or a line was answered twice.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.compiler.project import write_project
from tests.diagnostics.scenes_run import SPEC
from tests.end_to_end.test_batch import says
from tests.models.imitation_batch import ImitationBatchApi, serving


class Quick(ImitationBatchApi):
    """Done when it is first looked at: the real pace would wait a minute."""

    def _advance(self, batch: dict[str, Any]) -> None:
        for _ in range(3):
            super()._advance(batch)


def command(folder: Path, url: str, *, batch: bool) -> list[str]:
    """What starts the run, and goes on with it."""
    spec = SPEC.format(url=url).replace("some-model,", f"some-model, batch: {str(batch).lower()},")
    write_project(folder, spec.replace("stop_early: false", "stop_early: true"))
    words = [str(folder / "sums.yaml"), "--run", str(folder / "run"), "--store", str(folder / "store")]
    return [sys.executable, "-m", "sdrl", "run", *words, "--until", "vote", "--yes"]


def rows(folder: Path) -> dict[str, bytes]:
    """The run's artifacts."""
    return {path.name: path.read_bytes() for path in (folder / "run" / "artifacts").glob("*.jsonl")}


def killed_at(folder: Path, point: str, which: int, wanted: dict[str, bytes]) -> bool:
    """Kill the run when the imitation comes to ``point`` for the ``which``-th time; whether all held afterwards."""
    came = 0
    process: subprocess.Popen[bytes] | None = None

    async def at(where: str) -> None:
        nonlocal came
        came += where == point
        if where == point and came == which and process is not None:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()

    with serving(Quick(says=says, at=at)) as api:
        words = command(folder, api.url, batch=True)
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        first = process.wait()
        second = subprocess.run(words, capture_output=True, check=False).returncode
    twice = sum(count > 1 for count in api.answered.values())
    left = len(list((folder / "store" / "batches").iterdir()))
    held = (first, second, twice, left) == (-signal.SIGKILL, 0, 0, 0) and rows(folder) == wanted
    print(
        f"{point} {which}: ended by {first}, then {second}; rows {'equal' if rows(folder) == wanted else 'DIFFER'}; "
        f"{len(api.batches)} batches, {sum(api.answered.values())} lines answered, {twice} of them twice"
    )
    return held


def main() -> int:
    """All points."""
    with tempfile.TemporaryDirectory(prefix="batch-kills-") as name:
        folder = Path(name)
        with serving(Quick(says=says)) as api:
            subprocess.run(command(folder / "directly", api.url, batch=False), capture_output=True, check=True)
        wanted = rows(folder / "directly")
        points = [(point, which) for point in ("uploaded", "created", "looked") for which in (1, 2)]
        return (
            0 if all([killed_at(folder / f"{point}-{which}", point, which, wanted) for point, which in points]) else 1
        )


if __name__ == "__main__":
    sys.exit(main())
