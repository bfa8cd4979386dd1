"""What the reducer wants done outside: data that ``services`` (or an app's workers) carry out, answered by events."""

from __future__ import annotations

from dataclasses import dataclass

from sdrl.authoring.sheet import COLUMNS


@dataclass(frozen=True)
class Check:
    """Find the problems of a text; answered by ``Checked``."""

    rev: int
    path: str
    text: str


@dataclass(frozen=True)
class CheckCard:
    """Compare the problems of a text with those of the text that a card makes of it; answered by ``CardChecked``."""

    card: int
    rev: int
    path: str
    text: str
    proposed: str


@dataclass(frozen=True)
class Show:
    """Make a panel's content; answered by ``Shown``. ``argument`` is what the person asked it for, ``kept`` the text
    that it is compared with, ``columns`` the room of a line.
    """

    panel: str
    rev: int
    path: str
    text: str
    argument: str = ""
    kept: str = ""
    columns: int = COLUMNS


@dataclass(frozen=True)
class Examine:
    """Find what is wrong beyond the language, as compiling does: files, demos, templates; answered by ``Examined``."""

    rev: int
    path: str
    text: str


@dataclass(frozen=True)
class Save:
    """Write the text, whole or not at all; answered by ``Stored`` or ``Refused``.

    ``saved`` is the sha256 of what the file holds as far as is known: one that holds anything else is not written
    over, but answered by ``Opened`` with what it holds. '' is for another name, where no file may be.
    """

    path: str
    text: str
    saved: str = ""


@dataclass(frozen=True)
class Begin:
    """Fetch an example for a spec at ``path``; answered by ``Taken`` or ``Refused``."""

    example: str
    path: str


@dataclass(frozen=True)
class Window:
    """Something that the app around the spec does: help, tour, theme, copying, an editor, another spec.

    ``what`` is the action's id. Nothing answers it, and a replay passes it over.
    """

    what: str
    argument: str = ""


@dataclass(frozen=True)
class Judge:
    """Write a person's judgement of a sample into a run's review; answered by ``Judged`` or ``Refused``.

    ``run`` is '' for the newest run of the spec's ``name``.
    """

    rev: int
    run: str
    sample: str
    is_valid: bool
    wrong: tuple[str, ...] = ()
    note: str = ""
    name: str = ""


@dataclass(frozen=True)
class MakeSamples:
    """Have the first ``count`` samples written and voted on; answered by ``Sampled``."""

    rev: int
    path: str
    text: str
    count: int


@dataclass(frozen=True)
class Estimate:
    """Work out what a run would do and cost; answered by ``Estimated`` or ``Refused``. ``run`` is the folder that the
    person named, '' for the usual one.
    """

    rev: int
    path: str
    text: str
    run: str = ""


@dataclass(frozen=True)
class StartRun:
    """Start a run whose plan (by its hash) a person said yes to; answered by ``Told`` or ``Refused``."""

    path: str
    text: str
    run: str
    plan: str


@dataclass(frozen=True)
class StopRun:
    """Ask a run to end cleanly; answered by ``Told`` or ``Refused``. ``name`` is the spec's, for the usual folder."""

    run: str
    name: str


@dataclass(frozen=True)
class Ask:
    """Ask the assistant; answered by ``Streamed`` and at last ``Answered`` or ``Failed``.

    ``messages`` are (role, text) pairs; ``assistant`` is the state's ``Assistant`` as (model, endpoint, key_env).
    """

    turn: int
    assistant: tuple[str, str, str]
    messages: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Cancel:
    """Stop asking; nothing answers it."""

    turn: int


@dataclass(frozen=True)
class Quit:
    """Leave."""


Effect = (
    Check
    | CheckCard
    | Examine
    | Show
    | Save
    | Begin
    | Judge
    | MakeSamples
    | Estimate
    | StartRun
    | StopRun
    | Ask
    | Cancel
    | Window
    | Quit
)
