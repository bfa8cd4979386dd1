"""Starting and stopping a run from where its spec is written: what it would cost, its own process, a clean stop.

A run is ``sdrl run`` in a process of its own, in a session of its own: whoever started it may leave. What a person said
yes to is what runs: the plan is compiled again and must have the hash that was shown. Writes below RUN only.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from sdrl.authoring.effects import Estimate, StartRun, StopRun
from sdrl.authoring.events import Estimated, Told
from sdrl.authoring.monitor import Tail
from sdrl.authoring.plan_panel import NAMES, compiled_of, cost_rows, held_plan
from sdrl.authoring.runs import free_folder, log_of, run_called, run_named, runs_of
from sdrl.spec.diagnostics import SdrlError

if TYPE_CHECKING:
    from sdrl.compiler.compile import Compiled
    from sdrl.compiler.plan import Plan

HOW = """Nothing runs yet: /start once more starts it, and nothing else does.
It goes on when you leave, and /stop ends it cleanly."""


def estimated(asked: Estimate) -> Estimated:
    """What starting a run would do and cost, for a person to say yes to.

    Raises:
        SdrlError: the spec has errors, waits for resources or a key, or names no models; the folder holds another
            plan, or a run that is under way.
    """
    plan = _ready(asked.path, asked.text).require()
    refuse_without_key(plan)
    run, what = _folder(plan, asked.run)
    rows = [f"{name:<{NAMES}}{told}" for name, told in cost_rows(plan)]
    return Estimated(asked.rev, str(run), plan.hash, "\n".join([f"{what}, plan {plan.hash[:12]}", *rows, HOW]))


def started(asked: StartRun) -> Told:
    """Start the run that was estimated; what to say of it.

    Raises:
        SdrlError: the plan is another one by now, or the process cannot be started.
        OSError: RUN cannot be written.
    """
    compiled, run = _ready(asked.path, asked.text), Path(asked.run)
    if compiled.require().hash != asked.plan:
        raise SdrlError("", "a file that the spec names has changed since", help="/start shows the new plan")
    _refuse_one_under_way(run)
    _put_plan(compiled, run)
    log = log_of(run)
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    words = [sys.executable, "-m", "sdrl", "run", str(run / "plan"), "--run", str(run)]
    with log.open("ab") as said:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT, start_new_session=True
        )
    threading.Thread(target=process.wait, daemon=True).start()  # so that its end leaves no zombie behind
    return Told(f"{run} started (pid {process.pid}); the run panel follows it")


def stopped(asked: StopRun) -> Told:
    """Ask the process of a run to end cleanly; what to say of it."""
    from sdrl.run.lock import ask_to_stop

    run = run_called(asked.run) if asked.run else run_named(asked.name)
    pid = ask_to_stop(run / "lock")
    if pid is None:
        return Told(f"nothing runs in {run}")
    return Told(f"asked {run} (pid {pid}) to stop: it keeps what was paid for, /start goes on with it")


def _ready(path: str, text: str) -> Compiled:
    """The compiled spec, which can run."""
    compiled = compiled_of(path, text)
    plan = compiled.require()
    if plan.settings.models is None:
        help_ = "/interview asks for them, or /set models {instructor: …, base: …}"
        raise SdrlError("E846", "the spec names no models", help=help_)
    if plan.pending:
        more = f" and {len(plan.pending) - 1} more" if len(plan.pending) > 1 else ""
        help_ = f"/save, then in a shell: sdrl compile {path} --pin; then /start again"
        raise SdrlError("E620", f"not at hand yet: {plan.pending[0]}{more}", help=help_)
    return compiled


def refuse_without_key(plan: Plan) -> None:
    """Say before anything is started that it would end at its first request.

    Raises:
        SdrlError: E819, the variable that is to hold the instructor's key is not set where the app runs.
    """
    models = plan.settings.models
    variable = models.instructor.key_env if models is not None else None
    if variable and not os.environ.get(variable, "").strip():
        help_ = f"leave (your text is kept), export {variable}=…, and start sdrl tui again"
        raise SdrlError(
            "E819", f"the variable {variable}, which is to hold the instructor's key, is not set", help=help_
        )


def _folder(plan: Plan, word: str) -> tuple[Path, str]:
    """The run's folder, and what starting there means."""
    mine = [run for run in runs_of(plan.name) if (held := held_plan(run / "plan")) and held.hash == plan.hash]
    run = run_called(word) if word else mine[0] if mine else free_folder(plan.name)
    held = held_plan(run / "plan")
    if held is None:
        return run, f"a new run in {run}"
    if held.hash != plan.hash:
        raise SdrlError(
            "E621",
            f"{run} holds a run of another plan ({held.hash[:12]}, this one is {plan.hash[:12]})",
            help="/start alone takes a new folder; what did not change is taken from the store",
        )
    _refuse_one_under_way(run)
    events = run / "events.jsonl"
    ended = Tail(events).read().ended if events.exists() else None
    if ended is not None and ended["status"] == "done":
        return run, f"{run} has run this very plan to its end; it would be answered from what is there"
    return run, f"{run} goes on where it stopped"


def _refuse_one_under_way(run: Path) -> None:
    from sdrl.run.lock import holder_pid

    if holder_pid(run / "lock") is not None:
        raise SdrlError("", f"{run} is under way already", help="/run shows it, /stop ends it")


def _put_plan(compiled: Compiled, run: Path) -> None:
    """The plan into the run's folder, whole or not at all."""
    from shutil import rmtree

    from sdrl.compiler.compile import write_plan
    from sdrl.run.folder import move_whole

    if held_plan(run / "plan") is not None:
        return
    run.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = run / ".plan.started"
    rmtree(partial, ignore_errors=True)
    write_plan(compiled, partial)
    move_whole(partial, run / "plan")
