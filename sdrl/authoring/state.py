"""The state of a spec under way: frozen, so that a screen can draw any of them and a test can compare two. No logic."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from sdrl.authoring.sheet import COLUMNS, Mark

if TYPE_CHECKING:
    from sdrl.spec.diagnostics import Diagnostic
    from sdrl.spec.edits import Edit

PANELS = ("spec", "issues", "prompt", "verify", "plan", "retrieve", "samples", "run", "review")
Role = Literal["you", "guide", "assistant", "note"]
CardStatus = Literal["open", "accepted", "rejected", "stale"]


@dataclass(frozen=True)
class Turn:
    """One entry of the chat. ``guide`` is the scripted interview and never a model; ``note`` is the app's own word.

    ``status`` is '' for a settled turn, 'streaming', 'stopped' or 'failed'; ``card`` the number of a card below it, 0
    for none.
    """

    id: int
    role: Role
    text: str
    status: str = ""
    card: int = 0


@dataclass(frozen=True)
class FieldChange:
    """One edit of a card: what stands at its path now and what would. ``before`` is None where nothing is written."""

    path: str
    before: Any
    after: Any
    edit: Edit


@dataclass(frozen=True)
class Card:
    """Proposed edits. They change nothing before they are accepted, whole or field by field."""

    id: int
    title: str
    changes: tuple[FieldChange, ...]
    why: tuple[str, ...] = ()
    status: CardStatus = "open"
    rev: int = 0
    added: tuple[Diagnostic, ...] = ()
    removed: tuple[Diagnostic, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Delta:
    """A change of the text: at ``start``, ``old`` became ``new``."""

    start: int
    old: str
    new: str


@dataclass(frozen=True)
class Panel:
    """What a panel shows; ``rev`` is the revision it was made of, ``argument`` what it was asked for, ``key`` the
    thing in view (a sample's id, how a run ended), ``marks`` what stands out in the lines.
    """

    title: str = ""
    lines: tuple[str, ...] = ()
    rev: int = -1
    argument: str = ""
    key: str = ""
    is_waiting: bool = False
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class Interview:
    """Where the guided interview is: the key of the open question, '' for none, and values that wait for their partner.

    ``skipped`` are the questions that were answered with a dash; they are not asked again. ``skipped_at`` has for each
    how many changes there were to undo then, so that going back takes the latest of answers and dashes.
    """

    step: str = ""
    draft: Mapping[str, str] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()
    skipped_at: tuple[int, ...] = ()


@dataclass(frozen=True)
class Assistant:
    """The model that answers in the chat; none where ``model`` is ''. ``key_env`` names the key, never holds it."""

    model: str = ""
    endpoint: str = ""
    key_env: str = ""


@dataclass(frozen=True)
class Sample:
    """A sample that the spec's instructor wrote on trial. ``votes`` are (label, count), most first, of ``draws``.

    ``status`` is '' until a person judged it, then accepted, rejected (``wrong``: task, input, output) or demo.
    """

    id: str
    input: str
    options: tuple[tuple[str, str], ...]
    gold: str
    solution: str
    votes: tuple[tuple[str, int], ...]
    draws: int
    agreement: float
    passage: str = ""
    status: str = ""
    wrong: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Offer:
    """A run that waits for a yes: the revision it is of, what the person asked for, its folder and its plan's hash."""

    rev: int
    run: str
    plan: str


@dataclass(frozen=True)
class State:
    """Everything the screen shows. ``rev`` counts changes of the text, ``saved`` is the sha256 of what is on disk.

    ``kept`` is the text as it was opened or saved last, which the prompt panel compares with. ``deeper`` are those of
    ``issues`` that only compiling finds, ``examining`` the revision that was looked through for them last. ``columns``
    is the room of a panel's line.
    """

    path: str = "task.yaml"
    text: str = ""
    rev: int = 0
    saved: str = ""
    is_opened: bool = False
    issues: tuple[Diagnostic, ...] = ()
    issues_rev: int = -1
    deeper: tuple[Diagnostic, ...] = ()
    examining: int = -1
    turns: tuple[Turn, ...] = ()
    cards: tuple[Card, ...] = ()
    undo: tuple[Delta, ...] = ()
    redo: tuple[Delta, ...] = ()
    interview: Interview = Interview()
    assistant: Assistant = Assistant()
    asking: int = 0
    draft: str = ""
    view: str = "spec"
    panels: Mapping[str, Panel] = field(default_factory=dict)
    issue: int = -1
    asks_to_quit: bool = False
    disk: str | None = None
    kept: str = ""
    offer: Offer | None = None
    samples: tuple[Sample, ...] = ()
    samples_rev: int = -1
    sample: int = 0
    sample_problem: str = ""
    is_sampling: bool = False
    columns: int = COLUMNS

    @property
    def is_dirty(self) -> bool:
        """Whether the text is not what is on disk."""
        return digest(self.text) != self.saved

    @property
    def is_new(self) -> bool:
        """Whether nothing was written in the spec."""
        return self.is_opened and self.text.strip() in ("", "sdrl: 1")

    @property
    def open_card(self) -> Card | None:
        """The newest card that waits for a yes or no."""
        return next((card for card in reversed(self.cards) if card.status in ("open", "stale")), None)


def digest(text: str) -> str:
    """Sha256 (hex) of a text in UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
