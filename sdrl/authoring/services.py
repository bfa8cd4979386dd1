"""Does effects, one at a time and without a model: problems, cards, panels, saving. Safe to call from a thread.

A failure that a person can mend comes back as an event; nothing else is caught.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sdrl.authoring.effects import (
    Begin,
    Check,
    CheckCard,
    Effect,
    Estimate,
    Examine,
    Judge,
    MakeSamples,
    Save,
    Show,
    StartRun,
    StopRun,
)
from sdrl.authoring.events import CardChecked, Checked, Event, Examined, Opened, Refused, Sampled, Shown, Stored, Taken
from sdrl.authoring.monitor import Tail
from sdrl.authoring.sheet import Sheet
from sdrl.authoring.state import digest
from sdrl.spec.diagnostics import Diagnostic, SdrlError, has_errors
from sdrl.spec.loader import load_spec

if TYPE_CHECKING:
    from sdrl.authoring.sampling import Sampling


class Services:
    """Does effects; remembers how far the events of a run were read."""

    def __init__(self) -> None:
        self._tails: dict[Path, Tail] = {}
        self._sampling: Sampling | None = None

    def perform(self, effect: Effect) -> Event | None:
        """Do one effect; the event that tells what came of it, or None for what others do (asking, leaving)."""
        if isinstance(effect, Check):
            return Checked(effect.rev, load_spec(effect.path, text=effect.text).diagnostics)
        if isinstance(effect, CheckCard):
            before = load_spec(effect.path, text=effect.text).diagnostics
            after = load_spec(effect.path, text=effect.proposed).diagnostics
            return CardChecked(effect.card, effect.rev, _without(after, before), _without(before, after))
        if isinstance(effect, Examine):
            from sdrl.compiler.compile import compile_spec

            return Examined(effect.rev, compile_spec(effect.path, text=effect.text).diagnostics)
        if isinstance(effect, Show):
            return self._show(effect)
        if isinstance(effect, Judge):
            return self._judge(effect)
        if isinstance(effect, Save):
            return _save(effect)
        if isinstance(effect, MakeSamples):
            return self._sample(effect)
        if isinstance(effect, Estimate | StartRun | StopRun):
            return _launch(effect)
        if isinstance(effect, Begin):
            return begun(effect)
        return None

    def close(self) -> None:
        """End what is under way and of no use to anyone else."""
        if self._sampling is not None:
            self._sampling.close()

    def _sample(self, asked: MakeSamples) -> Event:
        from sdrl.authoring.sampling import Sampling

        self._sampling = Sampling()
        try:
            return self._sampling.make(asked)
        except SdrlError as error:
            return Sampled(asked.rev, (), _one_line(error))
        except OSError as error:
            return Sampled(asked.rev, (), f"{error.strerror or error} ({error.filename})")
        finally:
            self._sampling = None

    def _judge(self, effect: Judge) -> Event:
        from sdrl.authoring.review_panel import judged
        from sdrl.authoring.runs import run_called, run_named

        run = run_called(effect.run) if effect.run else run_named(effect.name)
        try:
            return judged(effect, run)
        except SdrlError as error:
            return Refused("the judgement was not written", _one_line(error))
        except OSError as error:
            return Refused("the judgement was not written", error.strerror or str(error), "check the run's folder")

    def _show(self, asked: Show) -> Event:
        from sdrl.authoring.panels import content

        try:
            made = content(asked, self._tails)
        except SdrlError as error:
            sheet = Sheet(asked.columns)
            sheet.flow(error.message)
            if error.help:
                sheet.flow(f"help: {error.help}", indent=6)
            for item in error.diagnostics:
                if item.is_error:
                    sheet.flow((item.code, "bad"), f" {item.path}: {item.message}", indent=2)
                    if item.help:
                        sheet.flow(f"  help: {item.help}", indent=8)
            return Shown(asked.panel, asked.rev, "not yet", tuple(sheet.lines), "", tuple(sheet.marks))
        except OSError as error:
            return Shown(asked.panel, asked.rev, "not yet", (f"{error.strerror or error} ({error.filename})",))
        return Shown(asked.panel, asked.rev, made.title, tuple(made.lines), made.key, tuple(made.marks))


def _launch(asked: Estimate | StartRun | StopRun) -> Event:
    from sdrl.authoring import launch

    try:
        if isinstance(asked, Estimate):
            return launch.estimated(asked)
        return launch.started(asked) if isinstance(asked, StartRun) else launch.stopped(asked)
    except SdrlError as error:
        return Refused("no run was started", _one_line(error))
    except OSError as error:
        return Refused("no run was started", f"{error.strerror or error} ({error.filename})", "check the run's folder")


def _one_line(error: SdrlError) -> str:
    """An error with its code, the first problem it carries, and the next step."""
    first = next((f"{item.code} {item.path}: {item.message}" for item in error.diagnostics if item.is_error), "")
    told = " ".join(part for part in (error.code, error.message) if part)
    help_ = error.help or ("/issues shows all of them" if first else "")
    return "; ".join(part for part in (told, first, help_) if part)


def _without(found: Sequence[Diagnostic], others: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Problems of one text that the other does not have, wherever they stand.

    Advice is given on texts without errors alone: where the other text has some, what it would be advised is not known.
    """
    known = {(item.code, item.path, item.message) for item in others}
    counted = [item for item in found if item.is_error] if has_errors(others) else found
    return tuple(item for item in counted if (item.code, item.path, item.message) not in known)


def _save(asked: Save) -> Event:
    from sdrl.run.folder import write_atomic

    path = Path(asked.path)
    try:
        there = path.read_bytes().decode("utf-8-sig", "replace") if path.exists() else None
        if there is not None and digest(there) not in (asked.saved, digest(asked.text)):
            if asked.saved:
                return Opened(asked.path, there)
            what = f"{asked.path} was not saved"
            return Refused(what, "a file of that name is there", f"choose another, or /open {asked.path}")
        write_atomic(path, asked.text.encode("utf-8", "surrogatepass"))
    except OSError as error:
        help_ = "choose another place: /save PATH; your text is kept in the journal"
        return Refused(f"{asked.path} was not saved", error.strerror or str(error), help_)
    return Stored(asked.path, digest(asked.text))


def begun(asked: Begin, *, writes: bool = True) -> Event:
    """An example's text, and its files beside the spec where they are missing and it ``writes``."""
    from sdrl.authoring.examples import example
    from sdrl.run.folder import write_atomic

    path = Path(asked.path)
    name = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-") or asked.example
    try:
        made = example(asked.example, name)
        missing = {path.parent / used: content for used, content in made.files.items()}
        for file, content in missing.items():
            if writes and not file.exists():
                file.parent.mkdir(parents=True, exist_ok=True)
                write_atomic(file, content)
    except SdrlError as error:
        return Refused("nothing was changed", error.message, error.help or "")
    except OSError as error:
        return Refused("the example's files were not written", error.strerror or str(error), "/save PATH elsewhere")
    return Taken(f"the example {asked.example}", made.text)
