"""The hand-over between the generate stage and a method. Data only."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from math import gcd
from typing import Any

from sdrl.compiler.plan import PartPlan, Plan
from sdrl.compiler.sample import Sample, sample_id
from sdrl.verifier.verifier import Verifier

Reply = dict[str, Any]
Passage = Mapping[str, Any]  # {id, text}


@dataclass(frozen=True)
class Attempt:
    """One try at writing an example: its number, its part of the task, and what may go into its prompts.

    ``turn`` counts the attempts of its part from 0, ``seed`` is of this attempt alone. ``demos`` and ``passage`` are
    those that ``synthesize`` and ``retrieve`` deal out; ``library`` holds all passages of the part in the order of use;
    ``pool`` the samples of the part that were written in earlier waves. ``verifier`` is the task's.
    """

    index: int
    part: PartPlan
    passage: Passage | None
    pattern: str | None
    demos: tuple[Sample, ...]
    plan: Plan
    verifier: Verifier
    library: Sequence[Passage] = ()
    turn: int = 0
    seed: int = 0
    pool: tuple[Sample, ...] = ()

    def passage_at(self, place: int) -> Passage | None:
        """The passage of the library that is used at a place of its order, gone through in turns; None without any."""
        return self.library[place % len(self.library)] if self.library else None

    @property
    def visit(self) -> int:
        """How many earlier attempts of its part had the same passage: the library is gone through in turns."""
        size = max(1, len(self.library))
        together = min(self.plan.settings.retrieve.per_sample, size)
        return self.turn // (size // gcd(size, together))

    def agrees(self, output: str, other: str, options: Mapping[str, str] | None = None) -> bool:
        """Whether two outputs hold the same answer, by the task's verifier."""
        first, second = (self.verifier.extract(text, options).prediction for text in (output, other))
        return first is not None and second is not None and self.verifier.same(first, second)


@dataclass(frozen=True)
class Draft:
    """Which template to render, with which values; equal drafts of equal ``key`` are one request.

    ``key`` names what the request belongs to where several attempts share it (a passage); None: this attempt alone.
    ``may_fail``: the attempt goes on without a reply that can be read, and is sent an empty one.
    """

    prompt: str
    values: Mapping[str, Any]
    key: str | None = None
    may_fail: bool = False


@dataclass(frozen=True)
class Example:
    """A written sample: ``reply`` holds input, output and perhaps options; the rest is where it comes from.

    ``parents`` are ids of samples that it was made from or shown, ``passage`` overrides the attempt's, ``notes`` say
    what else went into it (JSON values).
    """

    reply: Reply
    parents: tuple[str, ...] = ()
    passage: str | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Refusal:
    """Why an attempt brings no sample: the code that the funnel counts, and what shows it."""

    code: str
    evidence: str = ""


# A method yields what to ask and is sent the parsed replies; one that cannot be read ends the attempt, but where its
# draft may fail.
Writing = Generator[Draft, Reply, Example | Refusal]


def id_of(sample: Sample) -> str:
    """The id of a demo or another sample without parents, for a row's provenance."""
    return sample_id(sample.input, sample.options)
