"""`python -m sdrl.training JOB.json`: the training process.

Reads the job, trains, and writes WORK/outcome.json whatever happens; its exit status says little (accelerate turns
every failure into 1). Prints nothing for a user: what libraries print goes to the parent's log file.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from pathlib import Path

from sdrl.spec.diagnostics import SdrlError
from sdrl.training.job import LOG, Outcome, TrainingJob, read_job, write_outcome
from sdrl.training.launch import WATCH, death_signal


def main(arguments: list[str]) -> int:
    """Run one job file; returns 0 when the outcome is `ok` or `stopped`."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m sdrl.training JOB.json\n")
        return 2
    # Before torch is imported: spinning OpenMP threads make two busy cores several times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if os.environ.get(WATCH):
        end_with_parent()
    try:
        job = read_job(Path(arguments[0]))
    except SdrlError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    started = time.monotonic()
    outcome = _train(job).model_copy(update={"seconds": round(time.monotonic() - started, 3)})
    if os.environ.get("RANK", "0") == "0":
        write_outcome(outcome, job.work_dir)
    return 1 if outcome.status == "failed" else 0


def _train(job: TrainingJob) -> Outcome:
    """Train, and turn every failure into an outcome: the one border of this process."""
    log = str(job.work_dir / LOG)
    try:
        from sdrl.training.process import train

        return train(job)
    except SdrlError as error:
        return Outcome(status="failed", code=error.code, message=error.message, help=error.help, log=log)
    except ModuleNotFoundError as error:
        message = f"training needs the package {error.name}, which is not installed"
        return Outcome(status="failed", code="E808", message=message, help="pip install 'sdrl[train]'", log=log)
    except OSError as error:
        traceback.print_exc()
        message = f"training cannot read or write: {error.strerror or error} ({error.filename or 'no file named'})"
        return Outcome(status="failed", code="E809", message=message, help=f"see {log}", log=log)
    except Exception as error:
        # The border: whatever a library raises becomes one line for the user, the traceback goes to the log.
        traceback.print_exc()
        first = (str(error).strip().splitlines() or [""])[0]
        message = f"training failed: {type(error).__name__}: {first}"[:500]
        return Outcome(status="failed", code="E809", message=message, help=f"see {log}", log=log)


def end_with_parent() -> None:
    """End this process with the launcher, and with the process that started the launcher.

    Launchers put each process into a session of its own, out of reach of a signal to their group. So the kernel kills
    us when our launcher dies, even while we hang or are stopped. Where it was told too late, or there is none, we end
    when stdin closes, which happens when the process that started the launcher is gone.
    """
    if (ask := death_signal()) is not None:
        ask()

    def wait() -> None:
        while os.read(0, 4096):
            pass
        os._exit(1)

    threading.Thread(target=wait, name="watch-parent", daemon=True).start()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
