"""Everything that can happen to a spec under way, as data: what a person did, what a model said, what a job found.

``to_json`` and ``from_json`` are the lines of a journal. Results of jobs are never written: a replay makes them anew.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sdrl.authoring.sheet import Mark
from sdrl.authoring.state import Sample
from sdrl.spec.diagnostics import Diagnostic, SdrlError

if TYPE_CHECKING:
    from sdrl.spec.edits import Edit


@dataclass(frozen=True)
class Opened:
    """A spec's text as it is on disk, at the start or because it changed there; ``exists`` is False for a new file."""

    path: str
    text: str
    exists: bool = True


@dataclass(frozen=True)
class Said:
    """A line sent from the prompt that is no command."""

    text: str


@dataclass(frozen=True)
class Acted:
    """An action of the table, by slash command, key, palette, mouse or script alike."""

    action: str
    argument: str = ""


@dataclass(frozen=True)
class Typed:
    """Typing in the spec: the characters from ``start`` to ``end`` became ``text``."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Drafted:
    """Typing in the prompt that is not sent yet: the characters from ``start`` to ``end`` of it became ``text``."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Taken:
    """A whole text for the spec from elsewhere: an example, an editor. ``source`` names it."""

    source: str
    text: str


@dataclass(frozen=True)
class Streamed:
    """A piece of the assistant's answer."""

    turn: int
    text: str


@dataclass(frozen=True)
class Answered:
    """The assistant's whole answer: what it says, and the edits it proposes with one reason for them."""

    turn: int
    text: str
    edits: tuple[Edit, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class Failed:
    """The assistant could not answer."""

    turn: int
    message: str
    help: str = ""


@dataclass(frozen=True)
class Stored:
    """The spec was written to disk; ``sha256`` is of its text."""

    path: str
    sha256: str


@dataclass(frozen=True)
class Checked:
    """The problems of the text of one revision."""

    rev: int
    issues: tuple[Diagnostic, ...]


@dataclass(frozen=True)
class Examined:
    """All problems of the text of one revision, those of its files and demos too; none are known with a ``failure``."""

    rev: int
    issues: tuple[Diagnostic, ...]
    failure: str = ""


@dataclass(frozen=True)
class CardChecked:
    """What accepting a card would add to and take from the problems of the spec."""

    card: int
    rev: int
    added: tuple[Diagnostic, ...]
    removed: tuple[Diagnostic, ...]


@dataclass(frozen=True)
class Shown:
    """What a panel shows, made of the text of one revision; ``key`` names the thing in view (a sample's id) or how a
    run ended.
    """

    panel: str
    rev: int
    title: str
    lines: tuple[str, ...]
    key: str = ""
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class Refused:
    """Something outside failed: a disk, a file that is not there."""

    what: str
    message: str
    help: str = ""


@dataclass(frozen=True)
class Estimated:
    """What starting a run would do and cost: its folder, the hash of its plan, and a text for a person."""

    rev: int
    run: str
    plan: str
    text: str


@dataclass(frozen=True)
class Sampled:
    """Samples that the instructor wrote on trial, from the text of one revision; or the problem why there are none."""

    rev: int
    samples: tuple[Sample, ...]
    problem: str = ""


@dataclass(frozen=True)
class Judged:
    """A judgement of a run's sample was written. ``rejected`` are all rejections of kept samples so far: what was wrong
    (task, input, output), a note, and the agreement of the vote. ``place``: what the run did with the judged one.
    """

    run: str
    rejected: tuple[tuple[tuple[str, ...], str, float], ...]
    place: str = ""


@dataclass(frozen=True)
class Resized:
    """Panels have room for lines of so many columns from now on. No journal keeps it."""

    columns: int


@dataclass(frozen=True)
class Told:
    """Something outside was done, and is worth a note."""

    text: str


Event = (
    Opened
    | Said
    | Acted
    | Typed
    | Drafted
    | Taken
    | Streamed
    | Answered
    | Failed
    | Stored
    | Checked
    | Examined
    | CardChecked
    | Shown
    | Refused
    | Estimated
    | Sampled
    | Judged
    | Resized
    | Told
)
JOURNALED: Mapping[str, type] = {
    kind.__name__.lower(): kind
    for kind in (
        Opened,
        Said,
        Acted,
        Typed,
        Drafted,
        Taken,
        Streamed,
        Answered,
        Failed,
        Stored,
        Refused,
        Estimated,
        Sampled,
        Judged,
        Told,
    )
}


def is_journaled(event: Event) -> bool:
    """Whether a replay needs it."""
    return type(event).__name__.lower() in JOURNALED


def to_json(event: Event) -> dict[str, Any]:
    """The event as JSON data; ``from_json`` reads it back."""
    data: dict[str, Any] = {"event": type(event).__name__.lower()}
    for field in dataclasses.fields(event):
        value = getattr(event, field.name)
        if field.name == "edits":
            value = [edit.to_json() for edit in value]
        elif field.name == "samples":
            value = [dataclasses.asdict(sample) for sample in value]
        data[field.name] = value
    return data


def from_json(data: Any) -> Event:
    """An event from JSON data.

    Raises:
        SdrlError: it is none; the message names the key.
    """
    if not isinstance(data, dict) or str(data.get("event")) not in JOURNALED:
        raise SdrlError("E881", "no event of an authoring journal", help=f"'event' is one of: {', '.join(JOURNALED)}")
    from sdrl.spec.edits import Edit  # half of a start's imports, which a first paint does not wait for

    kind = JOURNALED[data["event"]]
    given: dict[str, Any] = {}
    for field in dataclasses.fields(kind):
        if field.name not in data:
            if field.default is dataclasses.MISSING:
                raise SdrlError("E881", f"the event '{data['event']}' lacks '{field.name}'")
            continue
        value = data[field.name]
        if field.name == "edits":
            value = tuple(map(Edit.from_json, value)) if isinstance(value, list) else None
        elif field.name == "samples":
            value = _samples(value)
        elif field.name == "rejected":
            value = _rejected(value)
        wanted = {"int": int, "str": str, "bool": bool}.get(str(field.type), tuple)
        if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
            raise SdrlError("E881", f"'{field.name}' of the event '{data['event']}' is not of its type")
        given[field.name] = value
    event: Event = kind(**given)
    return event


def _samples(value: Any) -> tuple[Sample, ...] | None:
    """Samples from JSON data, or None where these are none."""
    try:
        return tuple(Sample(**{key: _tuples(item) for key, item in row.items()}) for row in value)
    except (TypeError, AttributeError):
        return None


def _rejected(value: Any) -> tuple[tuple[tuple[str, ...], str, float], ...] | None:
    """Rejections from JSON data, or None where these are none."""
    try:
        return tuple((tuple(map(str, wrong)), str(note), float(agreement)) for wrong, note, agreement in value)
    except (TypeError, ValueError):
        return None


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
